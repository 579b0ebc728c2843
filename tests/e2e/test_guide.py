"""Every example of docs/guide.md does what it says: each section on a broker of its own, with the TOML above it.

`console` blocks: `$ command` runs to its end; `name$ command` stays in a terminal of that name; other lines are what the
command before, or after `name: ` the terminal, prints; `...` stands for any lines. `stomp` blocks: frames of a client are
sent, those of the broker awaited, with at least these headers; `{name}` is a header of the MESSAGE before.
"""
import os
import pathlib
import queue
import re
import subprocess
import tempfile
import threading
import unittest

from support.broker import Broker, binary, wait_time
from support.case import OwnBrokerCase, label, stomp

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "guide.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_BROKER = ("MESSAGE", "RECEIPT", "ERROR")
FRAME = re.compile(r"^(?=(?:CONNECT|SEND|SUBSCRIBE|UNSUBSCRIBE|ACK|NACK|BEGIN|COMMIT|ABORT|DISCONNECT|%s)$)"
                   % "|".join(OF_BROKER), re.MULTILINE)
KINDS = ("toml", "console", "stomp")


def sections():
    """{title: [(kind, text)]} of the page."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: BLOCK.findall(text) for title, text in zip(parts[1::2], parts[2::2])}


class Terminal:
    """A command that stays: begun once it has subscribed; its lines as they come."""

    def __init__(self, case, command, environment):
        self.lines = queue.Queue()
        self.subscribed = threading.Event()
        self.process = subprocess.Popen(["exec " + command], shell=True, text=True, env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        case.addCleanup(self.close)
        self.readers = [threading.Thread(target=reader) for reader in (self._read_output, self._read_errors)]
        for reader in self.readers:
            reader.start()
        case.assertTrue(self.subscribed.wait(wait_time(10)), "not subscribed: " + command)

    def _read_output(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def _read_errors(self):
        for line in self.process.stderr:
            if line.strip() == "subscribed":
                self.subscribed.set()

    def read_line(self):
        return self.lines.get(timeout=wait_time(10))

    def close(self):
        self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Guide(OwnBrokerCase):
    """One test for each section."""

    def run_section(self, blocks):
        config = "\n".join(text for kind, text in blocks if kind == "toml")
        self.assertEqual({kind for kind, _ in blocks} - set(KINDS), set(), "a block that nobody runs")
        self.assertTrue([kind for kind, _ in blocks if kind != "toml"], "a section without an example")
        self.broker = Broker(config)
        self.addCleanup(self.broker.kill)
        self.terminals = {}
        self.folder = tempfile.TemporaryDirectory(prefix="stampede-guide-")
        self.addCleanup(self.folder.cleanup)
        os.symlink(binary(), os.path.join(self.folder.name, "stampede"))
        pathlib.Path(self.folder.name, "stampede.toml").write_text(config, encoding="utf-8")
        self.environment = {**os.environ, "STAMPEDE_URL": self.broker.ports["ws"],
                            "PATH": self.folder.name + os.pathsep + os.environ["PATH"]}
        for kind, text in blocks:
            {"toml": lambda _: None, "console": self.run_console, "stomp": self.run_stomp}[kind](text)
        for name, terminal in self.terminals.items():
            self.assertTrue(terminal.lines.empty(), "more from " + name)

    # --- Console.

    def run_console(self, text):
        expected, printed, command = [], [], ""
        for line in text.splitlines():
            prompt = re.match(r"(\w*)\$ (.*)", line)
            output = re.match(r"(\w+): (.*)", line)
            if prompt:
                self.check_output(command, expected, printed)
                expected, printed, command = [], [], prompt[2]
                if prompt[1]:
                    self.terminals[prompt[1]] = Terminal(self, command, self.environment)
                else:
                    printed = self.run_command(command)
            elif output and output[1] in self.terminals:
                self.assertEqual(self.terminals[output[1]].read_line(), output[2])
            else:
                expected.append(line)
        self.check_output(command, expected, printed)

    def run_command(self, command):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=self.environment, check=False,
                              cwd=self.folder.name, timeout=wait_time(20))
        self.assertEqual(done.returncode, 0, command + "\n" + done.stdout + done.stderr)
        return done.stdout.splitlines()

    def check_output(self, command, expected, printed):
        if "..." not in expected:
            self.assertEqual(printed, expected, command)
            return
        at = 0
        for line in expected:
            if line != "...":
                self.assertIn(line, printed[at:], command + "\n" + "\n".join(printed))
                at = printed.index(line, at) + 1

    # --- STOMP.

    def run_stomp(self, text):
        peer = self.client("tcp")
        last = {}
        for frame in FRAME.split(text):
            if not frame.strip():
                continue
            head, _, body = frame.strip("\n").partition("\n\n")
            command, *lines = head.split("\n")
            if command not in OF_BROKER:
                lines = [re.sub(r"{(\S+)}", lambda found: last[found[1]], line) for line in lines]
                peer.send(stomp(command, *lines, body=body.encode()))
                continue
            found = peer.read_frame()
            self.assertEqual((found.command, found.body.decode()), (command, body))
            for line in lines:
                name, _, value = line.partition(":")
                self.assertEqual(found.get(name), value, found)
            last = dict(found.headers) if command == "MESSAGE" else last
        self.assert_silent(peer)

    def test_the_page_has_its_sections(self):
        self.assertGreater(len(sections()), 15)


def example(blocks):
    return lambda case: case.run_section(blocks)


for number, (title, content) in enumerate(sections().items()):
    setattr(Guide, "test_%02d_%s" % (number, label(title)), example(content))


if __name__ == "__main__":
    unittest.main()
