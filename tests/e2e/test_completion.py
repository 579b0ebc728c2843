"""Completion in real shells, man pages by the tools that read them, and help: all say the same (operations, sections 7, 8)."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support.broker import binary, run_tool, wait_time
from support.case import each

ROOT = pathlib.Path(__file__).parents[2]
PAGES, SCRIPTS = ROOT / "docs" / "man", ROOT / "deploy" / "completions"
WITHOUT_JSON = {"serve"}  # It logs JSON.


def output(*arguments):
    code, out, err = run_tool(*arguments)
    if code != 0:
        raise AssertionError((arguments, err))
    return out


def commands(*path):
    """All commands below `path`, as tuples, by what the help texts list."""
    text = output(*path, "--help")
    listed = re.search(r"^Subcommands:\n((?:  .*\n)*)", text, re.MULTILINE)
    found = []
    for name in re.findall(r"^  (\S+)", listed[1], re.MULTILINE) if listed else ():
        found += [(*path, name), *commands(*path, name)]
    return found


ALL = commands() if os.environ.get("STAMPEDE") else []


class Help(unittest.TestCase):
    def test_O_8_there_are_all_commands(self):
        self.assertLessEqual({("pub",), ("req",), ("bench", "fanout"), ("token", "check"), ("completion",)}, set(ALL))

    @unittest.skipUnless(ALL, "STAMPEDE is not set")
    def test_O_8_every_command_shows_examples_that_it_takes(self):
        for path in ALL:
            text = output(*path, "--help")
            examples = re.search(r"^Examples:\n((?:  .*\n)+)", text, re.MULTILINE)
            self.assertTrue(examples, path)
            for example in examples[1].splitlines():
                self.assertIn("stampede " + path[0], example)
                for option in re.findall(r" (--?[a-z][a-z-]*)", example.split("|")[0]):
                    self.assertRegex(text if " ".join(path) in example else output(*example.split()[1:3], "--help"),
                                     r"(?m)^[^\n]*%s\b" % option, example)

    def test_O_8_a_command_that_is_not_there(self):
        for words, said in ((("frobnicate",), "there is no command stampede frobnicate; stampede --help lists what there is"),
                            (("subscribe", "/topic/a"), 'stampede subscribe (did you mean "sub"?)'),
                            (("admin", "queues"), 'stampede admin queues (did you mean "queue"?)'),
                            (("admin", "queue", "delete", "x"), "stampede admin queue delete; stampede admin queue --help"),
                            (("admin",), "A subcommand is required")):
            code, out, err = run_tool(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(said, err)

    def test_O_8_every_command_has_json(self):
        for path in ALL:
            text = output(*path, "--help")
            if path[0] not in WITHOUT_JSON and "Subcommands:" not in text:
                self.assertIn("--json", text, path)


class Shell(unittest.TestCase):
    """A line up to the cursor, what is offered, and what is not."""

    LINES = each({
        "commands": ("stampede ", {"serve", "pub", "bench", "completion"}, {"man", "fanout"}),
        "prefix": ("stampede be", {"bench"}, {"pub"}),
        "below": ("stampede bench ", {"fanout", "queue"}, {"pub-", "serve"}),
        "options": ("stampede pub --", {"--file", "--dedup-id", "--cert"}, {"--clients"}),
        "options_below": ("stampede bench fanout --", {"--clients", "--csv"}, {"--dedup-id"}),
        "choices": ("stampede sub --ack ", {"auto", "client", "client-individual"}, {"--wait"}),
        "positional": ("stampede completion ", {"bash", "zsh", "fish"}, {"pub"}),
        "files": ("stampede pub --file ", {"a file"}, {"pub"}),
        "nothing": ("stampede pub --count ", set(), {"pub", "a file", "--file"}),
    })

    def check(self, offered, expected, others):
        self.assertLessEqual(expected, offered)
        self.assertEqual(offered & others, set())

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stampede-shell-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.symlink(binary(), os.path.join(self.folder, "stampede"))
        os.mkdir(os.path.join(self.folder, "here"))
        pathlib.Path(self.folder, "here", "a file").touch()
        self.environment = {**os.environ, "PATH": self.folder + os.pathsep + os.environ["PATH"], "HOME": self.folder}

    def run_shell(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment,
                              cwd=os.path.join(self.folder, "here"), timeout=wait_time(20))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    @LINES
    def bash(self, line, expected, others):
        script = """source <(stampede completion bash)
            compopt() { :; }
            COMP_WORDS=(%s) COMP_CWORD=%d
            _stampede stampede
            printf '%%s\\n' "${COMPREPLY[@]}" """ % (
                " ".join("'%s'" % word for word in line.split(" ")), line.count(" "))
        self.check(set(self.run_shell("bash", "-c", script)), expected, others)

    @LINES
    def fish(self, line, expected, others):
        if shutil.which("fish") is None:
            self.skipTest("fish is not installed")
        told = self.run_shell("fish", "--no-config", "-c", "stampede completion fish | source; complete -C '%s'" % line)
        self.check({re.sub(r"\\(.)", r"\1", text.split("\t")[0]) for text in told}, expected, others)

    @LINES
    def zsh(self, line, expected, others):
        """Typed into a terminal: what zsh lists there."""
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        pathlib.Path(self.folder, ".zshrc").write_text(
            "PS1='READY> '; unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit; compinit -D -u\n"
            "source <(stampede completion zsh)\nLISTMAX=0; bindkey '^X' list-choices\n", encoding="utf-8")
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(os.path.join(self.folder, "here"))
            os.execvpe("zsh", ["zsh", "-i", "-d"], {**self.environment, "ZDOTDIR": self.folder, "TERM": "dumb",
                                                   "COLUMNS": "200", "LINES": "200"})
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.read_until(terminal, b"READY> ")
        os.write(terminal, line.encode() + b"\x18\x05#END")
        told = self.read_until(terminal, b"#END")
        words = re.split(r"\s+-- .*|\s{2,}|[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", told.decode("utf-8", "replace")))
        self.check({re.sub(r"\\(.)", r"\1", word.strip()) for word in words}, expected, others)

    def read_until(self, terminal, pattern, seconds=10):
        text, end = b"", time.monotonic() + wait_time(seconds)
        while not re.search(pattern, text, re.DOTALL) and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                text += os.read(terminal, 65536)
        return text

    def test_O_7_the_scripts_parse(self):
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=output("completion", shell), text=True, check=True)


for name in ("bash", "fish", "zsh"):
    for label, arguments in getattr(Shell, name).variants.items():
        setattr(Shell, "test_O_7_%s__%s" % (name, label),
                lambda self, name=name, arguments=arguments: getattr(self, name)(*arguments))


class Manual(unittest.TestCase):
    def test_O_7_the_pages_are_those_of_this_program(self):
        with tempfile.TemporaryDirectory(prefix="stampede-man-") as folder:
            output("man", "--write", folder)
            made = {path.name: path.read_text(encoding="utf-8") for path in pathlib.Path(folder).iterdir()}
        kept = {path.name: path.read_text(encoding="utf-8") for path in PAGES.iterdir()}
        self.assertEqual(made, kept, "make them anew: stampede man --write docs/man")

    def test_O_7_the_scripts_of_the_package_are_those_of_this_program(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertEqual((SCRIPTS / ("stampede." + shell)).read_text(encoding="utf-8"), output("completion", shell),
                             "make it anew: stampede completion %s > deploy/completions/stampede.%s" % (shell, shell))

    def test_O_7_each_command_has_its_page(self):
        self.assertEqual({"stampede.1"} | {"stampede-%s.1" % path[0] for path in ALL},
                         {path.name for path in PAGES.iterdir()})

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_O_7_mandoc_has_nothing_to_say(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *PAGES.iterdir()], capture_output=True, text=True,
                              check=False)
        said = [line for line in done.stdout.splitlines() if "missing date" not in line]
        self.assertEqual(said, [])

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_O_7_man_formats_them_without_a_warning(self):
        for page in PAGES.iterdir():
            done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=True,
                                  env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
            self.assertEqual(done.stderr, "", page)
            self.assertIn("SYNOPSIS", done.stdout)


if __name__ == "__main__":
    unittest.main()
