"""`stampede top` on a terminal: keys, sizes, signals, and a terminal that is always left as it was (operations, section 8)."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from support.admin_api import AdminApi, SPEC, example
from support.broker import binary, run_tool, wait_time


def overview(**changes):
    return {**example(SPEC["components"]["schemas"]["Overview"]), "version": "9.9", "alarms": [], **changes}


def destinations(_, query, __):
    """A hundred queues, by depth if that is asked for."""
    items = [{"name": "/queue/%02d" % n, "type": "queue", "depth": n, "dropped": 0} for n in range(100)]
    items = [item for item in items if query.get("match", "") in item["name"]]
    if query.get("order") == "desc":
        items.reverse()
    return {"total": len(items), "items": items[:int(query["limit"])]}


class Screen:
    """What the sequences that top uses leave on a terminal; any other sequence is an error."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.lines = [""] * height
        self.row = self.column = 0
        self.modes = set()
        self.rest = b""

    def feed(self, octets):
        octets = self.rest + octets
        at = 0
        while at < len(octets):
            if octets[at] == 0x1b:
                found = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])").match(octets, at)
                if not found:
                    if len(octets) - at < 12:
                        break
                    raise AssertionError("unknown sequence: %r" % octets[at:at + 12])
                self.obey(*found.groups())
                at = found.end()
                continue
            self.put(octets[at:at + 1].decode("latin-1"))
            at += 1
        self.rest = octets[at:]

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.height - 1)
        elif character < " ":
            raise AssertionError("control character %r on the screen" % character)
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1
            if self.column > self.width:
                raise AssertionError("beyond the right edge: " + self.lines[self.row])

    def obey(self, private, numbers, command):
        if private:
            change = self.modes.add if command == b"h" else self.modes.discard
            change(numbers.decode())
        elif command == b"H":
            self.row = self.column = 0
        elif command == b"K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif command == b"J":
            self.lines[self.row + 1:] = [""] * (self.height - self.row - 1)
        elif command != b"m":
            raise AssertionError("unknown command %s" % command)

    @property
    def text(self):
        return "\n".join(self.lines)


class Top(unittest.TestCase):
    def setUp(self):
        self.api = AdminApi({"overview": overview(), "destinations": destinations})
        self.addCleanup(self.api.close)

    def start(self, *arguments, width=80, height=24):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        self.terminal, self.own_end, self.screen = ours, theirs, Screen(width, height)
        self.resize(width, height)
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen([binary(), "top", "--interval", "100ms", *arguments], stdin=theirs, stdout=theirs,
                                        stderr=subprocess.PIPE, env={**os.environ, **self.api.environment},
                                        start_new_session=True)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def resize(self, width, height):
        fcntl.ioctl(self.own_end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def wait_for(self, condition):
        end = time.monotonic() + wait_time(10)
        while not condition():
            self.assertLess(time.monotonic(), end, self.screen.text)
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.screen.feed(os.read(self.terminal, 65536))

    def wait_to_see(self, text):
        self.wait_for(lambda: text in self.screen.text)

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def assert_restored(self, code):
        self.wait_for(lambda: self.process.poll() is not None and not select.select([self.terminal], [], [], 0)[0])
        self.assertEqual(self.process.returncode, code)
        self.assertEqual(self.screen.modes, {"7", "25"}, "wrapping and cursor on, alternate screen off")
        self.assertEqual(termios.tcgetattr(self.own_end), self.before)

    def test_O_8_it_shows_numbers_and_rows_and_leaves(self):
        self.start()
        self.wait_for(lambda: "/queue/99" in self.screen.text and "q quit" in self.screen.lines[23])
        self.assertIn("stampede 9.9", self.screen.lines[0])
        self.assertIn("1049", self.screen.modes)
        self.assertNotIn("25", self.screen.modes)
        self.assertIn("/queue/83", self.screen.lines[22])
        self.type("q")
        self.assert_restored(0)

    def test_O_8_keys_page_sort_filter_and_switch(self):
        self.start()
        self.wait_to_see("/queue/99")
        self.type("\x1b[6~")
        self.wait_for(lambda: "/queue/82" in self.screen.lines[6])
        self.type("\x1b[H")
        self.type("r")
        self.wait_for(lambda: "/queue/00" in self.screen.lines[6])
        self.type("/9\r")
        self.wait_for(lambda: "/queue/09" in self.screen.lines[6] and "/queue/19" in self.screen.lines[7])
        self.type("2")
        self.wait_to_see("[2 Connections]")
        self.wait_to_see("ADDRESS")
        self.type("\t")
        self.wait_to_see("[3 Subscriptions]")
        self.type("s")
        self.wait_for(lambda: self.api.calls[-1][0] == "subscriptions" and self.api.calls[-1][2]["sort"] == "delivered")
        self.type("q")
        self.assert_restored(0)

    def test_O_8_it_follows_the_size_of_the_terminal(self):
        self.start(width=100, height=30)
        self.wait_for(lambda: "q quit" in self.screen.lines[29])
        self.screen = Screen(40, 12)
        self.screen.modes = {"1049"}
        self.resize(40, 12)
        self.process.send_signal(signal.SIGWINCH)
        self.wait_for(lambda: "q quit" in self.screen.lines[11] and "/queue/95" in self.screen.lines[10])
        self.type("q")
        self.wait_for(lambda: self.process.poll() is not None)

    def test_O_8_signals_leave_the_terminal_as_it_was(self):
        for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 0),
                             (signal.SIGSEGV, -signal.SIGSEGV), (signal.SIGABRT, -signal.SIGABRT)):
            with self.subTest(number):
                self.start()
                self.wait_to_see("/queue/99")
                self.process.send_signal(number)
                self.assert_restored(code)

    def test_O_8_escape_leaves_the_filter_not_top(self):
        self.start()
        self.wait_to_see("/queue/99")
        self.type("\x1b/\x1bq")
        self.assert_restored(0)

    def test_O_8_a_killed_one_does_not(self):
        """The check of the terminal can fail."""
        self.start()
        self.wait_to_see("/queue/99")
        self.process.kill()
        with self.assertRaises(AssertionError):
            self.assert_restored(-signal.SIGKILL)

    def test_O_8_a_broker_that_goes_and_comes_back(self):
        self.start()
        self.wait_to_see("/queue/99")
        self.api.answers["overview"] = 503
        self.wait_to_see("There is none of that name.\\x1b[2J")
        self.api.answers["overview"] = overview(alarms=[{"kind": "disk", "level": 1, "text": "the disk is low"}])
        self.wait_to_see("ALARM the disk is low")
        self.type("q")
        self.assert_restored(0)

    def test_O_8_without_a_broker_the_terminal_is_not_touched(self):
        self.start("--admin", "http://127.0.0.1:1")
        self.assertIn(b"refused", self.process.stderr.read())
        self.assertEqual(self.process.wait(wait_time(10)), 1)
        self.assertFalse(select.select([self.terminal], [], [], 0)[0])

    # --- For scripts.

    def tool(self, *arguments):
        code, out, err = run_tool("top", *arguments, environment=self.api.environment)
        self.assertEqual(code, 0, err)
        return out

    def test_O_8_once_and_pipes_are_text(self):
        for arguments in ((), ("--once", "--rows", "20")):
            out = self.tool(*arguments)
            self.assertIn("stampede 9.9", out)
            self.assertIn("Destinations: 100", out)
            self.assertIn("/queue/00", out)
            self.assertNotIn("\x1b", out)

    def test_O_8_json_is_what_the_api_said(self):
        told = json.loads(self.tool("--json", "--rows", "3"))
        self.assertEqual(told["overview"], overview())
        self.assertEqual([item["name"] for item in told["destinations"]["items"]], ["/queue/00", "/queue/01", "/queue/02"])
        self.assertEqual(set(told), {"overview", "destinations", "connections", "subscriptions"})


if __name__ == "__main__":
    unittest.main()
