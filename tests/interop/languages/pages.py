"""The programs of pages of docs/: pages.py PAGE... Prints "ok PAGE: SECTION" or "not ok PAGE: SECTION: REASON".

The broker is named by STAMPEDE_BINARY. A page's commands find npm's packages, and a `chromium` that opens a page and
prints what it logs. A page without a program that runs is an error.
"""
import os
import pathlib
import shutil
import sys
import traceback
import unittest

INTEROP = pathlib.Path(__file__).parents[1]
os.environ["STAMPEDE"] = os.environ["STAMPEDE_BINARY"]
os.environ.setdefault("CHROMIUM", shutil.which("chromium") or "chromium is not installed")
sys.path.insert(0, str(INTEROP.parent / "e2e"))

from support.pages import PageCase, add_tests  # noqa: E402  (the path is set above)


class Result(unittest.TestResult):
    """One line for each section."""

    def addSuccess(self, test):
        print("ok " + test.title())

    def addFailure(self, test, err):
        reason = str(err[1]).strip().splitlines() or [repr(err[1])]
        print("not ok %s: %s" % (test.title(), reason[0]))
        traceback.print_exception(*err)
        super().addFailure(test, err)

    addError = addFailure


class Programs(PageCase):
    """A section each."""

    command_time = 300
    links = {"chromium": INTEROP / "support" / "open_page.mjs",
             "react-native.mjs": INTEROP / "support" / "react_native.mjs"}

    def prepare(self, blocks, config):
        """With npm's packages: linked, or copied for a broker that serves them, since it follows no links."""
        super().prepare(blocks, config)
        packages = self.folder / "node_modules"
        if self.serve_arguments(blocks):
            shutil.copytree(INTEROP / packages.name / "@stomp", packages / "@stomp")
        else:
            packages.symlink_to(INTEROP / packages.name)

    def title(self):
        return self._testMethodName.removeprefix("test_").replace("_", " ")


def main(pages):
    result = Result()
    for page in pages:
        add_tests(Programs, page, programs=True)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Programs)
    if suite.countTestCases() < len(pages):
        sys.exit("a page has no program that runs")
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
