"""Every example of the pages that need nothing but the broker does what it says: docs/guide.md and those around it."""
import re
import tempfile
import unittest

from support.broker import run_tool
from support.pages import DOCS, PageCase, add_tests, forgotten, has_example, sections

WITH_EXAMPLES = ("events.md", "faq.md", "metrics.md", "migrating.md", "operations.md", "start.md", "tuning.md")


def complaints(text):
    """What `check-config` has against a configuration, but for files that are not here."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        code, _, errors = run_tool("check-config", file.name)
    found = [line for line in errors.splitlines() if "No such file" not in line and "warning: " not in line]
    return found if code else []


class Guide(PageCase):
    """One test for each section."""

    def test_the_pages_have_their_examples(self):
        self.assertGreater(len(sections("guide.md")), 15)
        for page in WITH_EXAMPLES:
            self.assertTrue(any(has_example(blocks) for blocks in sections(page).values()), page)

    def test_no_example_is_forgotten(self):
        pages = ["guide.md", "admin_api.md", "command_line.md", *WITH_EXAMPLES, *("connect/" + page.name for page in (DOCS / "connect").iterdir())]
        for page in pages:
            for title, blocks in sections(page).items():
                self.assertEqual(forgotten(blocks), [], page + ": " + title)

    def test_every_configuration_of_a_page_is_good(self):
        """But for files that it names and that are not here."""
        checked = 0
        for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("connect/*.md")]):
            for text in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
                checked += 1
                with self.subTest(page.name, text=text):
                    self.assertEqual(complaints(text), [])
        self.assertGreater(checked, 20)
        self.assertEqual(len(complaints("[limits]\nframes = 1\n")), 1)

    def test_what_an_example_does_not_say_is_noticed(self):
        for blocks in ([("console", "", "$ echo one\ntwo\n")], [("console", "", "$ false\n")],
                       [("console", "", "$ echo one; echo two\none\n")], [("console", "", "$ echo one\no...x\n")],
                       [("js", "", "1\n"), ("console", "", "$ true\n")], [("js", "a.mjs", "1\n")],
                       [("", "", "make\n"), ("console", "", "$ true\n")],
                       [("sh", "", "stampede pub /queue/a b\n"), ("console", "", "$ true\n")],
                       [("stomp", "", "SEND\ndestination:/queue/*\n\nMESSAGE\n")]):
            with self.subTest(blocks), self.assertRaises(AssertionError):
                self.run_section(blocks)


add_tests(Guide, "guide.md", every_section=True)
for name in WITH_EXAMPLES:
    add_tests(Guide, name)


if __name__ == "__main__":
    unittest.main()
