"""The programs of pages of docs/: pages.py PAGE... Prints "ok PAGE: SECTION" or "not ok PAGE: SECTION: REASON".

`pages.py --late PAGE SECTION`: the first connection is lost at once, and only then the broker starts: the program must come
back by itself. The broker is named by STAMPEDE_BINARY. A page's commands find npm's packages, and a `chromium` that opens a page and
prints what it logs. A page without a program that runs is an error.
"""
import os
import pathlib
import select
import shutil
import socket
import sys
import threading
import traceback
import unittest

INTEROP = pathlib.Path(__file__).parents[1]
os.environ["STAMPEDE"] = os.environ["STAMPEDE_BINARY"]
os.environ.setdefault("CHROMIUM", shutil.which("chromium") or "chromium is not installed")
sys.path.insert(0, str(INTEROP.parent / "e2e"))

from support.broker import Broker  # noqa: E402
from support.pages import PageCase, add_tests, sections  # noqa: E402  (the path is set above)


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


class Nobody:
    """Stands on the broker's addresses until somebody has connected, and hangs up."""

    def __init__(self):
        self.sockets = {kind: socket.create_server(("127.0.0.1", 0)) for kind in ("ws", "tcp")}
        self.ports = {kind: "%s:%d" % self.address(kind) for kind in self.sockets}

    def address(self, kind):
        return self.sockets[kind].getsockname()

    def hang_up(self):
        visited, _, _ = select.select(list(self.sockets.values()), [], [], 300)
        for ready in visited:
            ready.accept()[0].close()
        for listening in self.sockets.values():
            listening.close()
        return bool(visited)


class Late(Programs):
    """A program whose first connection is lost; what it says about that is its own affair."""

    def start_broker(self, config, arguments):
        self.broker = nobody = Nobody()
        where = ["--ws", nobody.ports["ws"], "--tcp", nobody.ports["tcp"], *arguments]

        def follow():
            self.was_lost = nobody.hang_up()
            broker = Broker(config, where, listeners=False)
            self.addCleanup(broker.kill)
        self.follower = threading.Thread(target=follow)
        self.follower.start()
        self.addCleanup(self.follower.join)

    def check_output(self, command, expected, printed):
        super().check_output(command, ["...", *expected], printed)

    def runTest(self):
        self.run_section(sections(self.page)[self.section])
        self.assertTrue(self.was_lost, "it never connected")

    def title(self):
        return "%s: %s comes back" % (self.page, self.section)


def run_late(page, section):
    case = Late()
    case.page, case.section = page, section
    return case


def main(pages):
    result = Result()
    if pages[0] == "--late":
        run_late(*pages[1:]).run(result)
        return 0 if result.wasSuccessful() and result.testsRun else 1
    for page in pages:
        add_tests(Programs, page, programs=True)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Programs)
    if suite.countTestCases() < len(pages):
        sys.exit("a page has no program that runs")
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
