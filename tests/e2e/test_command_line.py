"""Every example of docs/command_line.md does what it says, and the page names every command and man page."""
import os
import re
import tempfile
import unittest

from support.broker import run_tool
from support.pages import DOCS, PageCase, add_tests

PAGE = (DOCS / "command_line.md").read_text(encoding="utf-8")


class CommandLine(PageCase):
    def serve_arguments(self, blocks):
        """Durable subscriptions need a store."""
        folder = tempfile.TemporaryDirectory(prefix="stampede-store-")
        self.addCleanup(folder.cleanup)
        return ["--data", os.path.join(folder.name, "store")]

    def test_O_8_the_page_names_every_command(self):
        listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", run_tool("--help")[1], re.MULTILINE)[1]
        for name in re.findall(r"^  (\S+)", listed, re.MULTILINE):
            if name not in ("serve", "version"):
                self.assertRegex(PAGE, r"(`|`stampede |\$ (.* )?stampede )%s\b" % name)

    def test_O_7_the_man_pages_that_it_links_are_there(self):
        pages = re.findall(r"\]\((man/[^)]+)\)", PAGE)
        self.assertGreater(len(pages), 8)
        for page in pages:
            self.assertTrue((DOCS / page).exists(), page)


add_tests(CommandLine, "command_line.md")


if __name__ == "__main__":
    unittest.main()
