"""The examples of a page of docs/ are run: each `##` section on a broker of its own, with the TOML above its examples.

`console` blocks: `$ command` runs to its end; `name$ command` stays in a terminal of that name; other lines are what the
command before, or after `name: ` the terminal, prints; `...` stands for any lines, or any text in a line. `stomp` blocks: frames of a client are
sent, those of the broker awaited, with at least these headers; `{name}` is a header of the MESSAGE before.
A block with a title is a file of that name where the commands run. Sections with such files need more than the broker:
tests/interop runs them, tests/e2e all others. `sh`, `text`, `nginx`, `swift` and `kotlin` are only shown, others refused;
so are commands in `sh` that need only the broker. The ports that pages name (15674, 61613, 15680) become those of the
broker under test, $TOKEN its admin token.
"""
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading

from .broker import Broker, binary, wait_time
from .case import OwnBrokerCase, label, stomp

DOCS = pathlib.Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_BROKER = ("MESSAGE", "RECEIPT", "ERROR")
FRAME = re.compile(r"^(?=(?:CONNECT|SEND|SUBSCRIBE|UNSUBSCRIBE|ACK|NACK|BEGIN|COMMIT|ABORT|DISCONNECT|%s)$)"
                   % "|".join(OF_BROKER), re.MULTILINE)
RUN = ("console", "stomp")
SHOWN = ("sh", "text", "nginx", "swift", "kotlin")
OF_THE_BROKER_ALONE = re.compile(r"^(curl|stampede (pub|sub|ping|healthcheck|top|admin)) (?!.*\.example)", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m\n?")
PORTS = {"15674": "ws", "61613": "tcp", "15680": "admin"}


def sections(page):
    """{title: [(kind, file name or "", text)]} of docs/PAGE."""
    parts = re.split(r"^## (.*)\n", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: BLOCK.findall(text) for title, text in zip(parts[1::2], parts[2::2])}


def forgotten(blocks):
    """The blocks that nobody runs, though they should be: unknown kinds, commands, and files without a command."""
    unknown = [text for kind, name, text in blocks if not name and kind not in ("toml", *RUN, *SHOWN)]
    unknown += [text for kind, name, text in blocks if kind == "sh" and not name and OF_THE_BROKER_ALONE.search(text)]
    return unknown + [name for _, name, _ in blocks if name and not has_example(blocks)]


def fits(expected, line):
    """`...` in a line stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("..."))), line) is not None


def has_example(blocks):
    return any(kind in RUN for kind, _, _ in blocks)


def has_program(blocks):
    """Whether it has files, which are programs that need more than the broker."""
    return any(name for _, name, _ in blocks)


class Terminal:
    """A command that stays: begun once it has subscribed; its lines as they come."""

    def __init__(self, case, command, environment, folder):
        self.lines = queue.Queue()
        self.subscribed = threading.Event()
        self.process = subprocess.Popen(["exec " + command], shell=True, text=True, env=environment, cwd=folder,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        case.addCleanup(self.close)
        self.readers = [threading.Thread(target=reader) for reader in (self._read_output, self._read_errors)]
        for reader in self.readers:
            reader.start()
        case.assertTrue(self.subscribed.wait(wait_time(30)), "not subscribed: " + command)

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
        self.process.terminate()
        try:
            self.process.wait(wait_time(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class PageCase(OwnBrokerCase):
    """Runs sections; `command_time` bounds one command, compilers and package managers included."""

    command_time = 20
    links = {}

    def run_section(self, blocks):
        self.assertEqual(forgotten(blocks), [], "blocks that nobody runs")
        config = "\n".join(text for kind, name, text in blocks if kind == "toml" and not name)
        with tempfile.TemporaryDirectory(prefix="stampede-page-") as folder:
            self.folder = pathlib.Path(folder)
            self.start_broker(config, self.serve_arguments(blocks))
            self.terminals = {}
            self.prepare(blocks, config)
            try:
                for kind, name, text in blocks:
                    if kind in RUN and not name:
                        {"console": self.run_console, "stomp": self.run_stomp}[kind](text)
                for name, terminal in self.terminals.items():
                    self.assertTrue(terminal.lines.empty(), "more from " + name)
            finally:
                self.doCleanups()

    def start_broker(self, config, arguments):
        """On free ports, also where the page names some."""
        config = re.sub(r"^address = .*", 'address = "127.0.0.1:0"', config, flags=re.MULTILINE)
        self.broker = Broker(config, arguments=arguments, listeners="[[listener]]" not in config)
        self.addCleanup(self.broker.kill)

    def serve_arguments(self, blocks):
        """A page for browsers is served by the broker itself."""
        return ["--http-dir", str(self.folder)] if any(kind == "html" for kind, _, _ in blocks) else []

    def prepare(self, blocks, config):
        """The folder where commands run: the broker's program, what `links` names, and the files of the section."""
        for name, target in {"stampede": binary(), "python3": sys.executable, **self.links}.items():
            os.symlink(target, self.folder / name)
        (self.folder / "stampede.toml").write_text(self.addressed(config), encoding="utf-8")
        for _, name, text in blocks:
            if name:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text(self.addressed(text), encoding="utf-8")
        self.environment = {**os.environ, "STAMPEDE_URL": self.broker.ports["ws"],
                            "PATH": str(self.folder) + os.pathsep + os.environ["PATH"]}
        if any("$TOKEN" in text for kind, _, text in blocks if kind in RUN):
            self.environment["TOKEN"] = self.broker.admin_token()

    def addressed(self, text):
        return re.sub(r"\b(%s)\b" % "|".join(PORTS), lambda found: str(self.broker.address(PORTS[found[1]])[1]), text)

    # --- Console.

    def run_console(self, text):
        expected, printed, command = [], [], ""
        for line in self.addressed(text).splitlines():
            prompt = re.match(r"(\w*)\$ (.*)", line)
            output = re.match(r"(\w+): (.*)", line)
            if prompt:
                self.check_output(command, expected, printed)
                expected, printed, command = [], [], prompt[2]
                if prompt[1]:
                    self.terminals[prompt[1]] = Terminal(self, command, self.environment, self.folder)
                else:
                    printed = self.run_command(command)
            elif output and output[1] in self.terminals:
                line = self.terminals[output[1]].read_line()
                self.assertTrue(fits(output[2], line), "%s instead of %s" % (line, output[2]))
            else:
                expected.append(line)
        self.check_output(command, expected, printed)

    def run_command(self, command):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False,
                              env=self.environment, cwd=self.folder, timeout=wait_time(self.command_time))
        self.assertEqual(done.returncode, 0, command + "\n" + done.stdout + done.stderr)
        return COLOUR.sub("", done.stdout).splitlines()

    def check_output(self, command, expected, printed):
        if "..." not in expected:
            self.assertEqual(len(printed), len(expected), command + "\n" + "\n".join(printed))
        at = 0
        for line in expected:
            if line != "...":
                found = [i for i in range(at, len(printed)) if fits(line, printed[i])]
                self.assertTrue(found, "%s\nprinted no %s but\n%s" % (command, line, "\n".join(printed)))
                at = found[0] + 1

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
            self.assertEqual((found.command, found.body.decode().rstrip("\n")), (command, body))
            for line in lines:
                name, _, value = line.partition(":")
                self.assertEqual(found.get(name), value, found)
            last = dict(found.headers) if command == "MESSAGE" else last
        if found.command != "ERROR":
            self.assert_silent(peer)


def add_tests(case, page, programs=False, every_section=False):
    """One test of `case` for each section of docs/PAGE that has an example, with or without programs."""
    for number, (title, blocks) in enumerate(sections(page).items()):
        if every_section or (has_example(blocks) and has_program(blocks) == programs):
            setattr(case, "test_%s_%02d_%s" % (label(page.removesuffix(".md")), number, label(title)), _example(blocks))


def _example(blocks):
    def run(case):
        case.assertTrue(has_example(blocks), "a section without an example")
        case.run_section(blocks)
    return run
