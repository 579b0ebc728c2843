"""The process as a service: what it may call, and what it leaves behind (S-PROC-01; operations, section 7)."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support.broker import Broker, until
from support.case import OwnBrokerCase
from support.peers import send_to

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "systemd", "stampede.service")
EXPOSURE_MAX = 15  # Tenths, of 100, as systemd-analyze rates it.


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def calls_of(group, seen=None):
    """The names that systemd's group of system calls stands for."""
    seen = set() if seen is None else seen
    names = set()
    for line in analyze("syscall-filter", group).stdout.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@") and name not in seen:
            seen.add(name)
            names |= calls_of(name, seen)
        elif name and not name.startswith("#"):
            names.add(name)
    return names


def allowed_calls():
    """By the unit's own lines."""
    allowed = set()
    with open(UNIT, encoding="utf-8") as unit:
        for line in unit:
            match = re.match(r"SystemCallFilter=(~?)(.*)", line.strip())
            for group in match.group(2).split() if match else ():
                allowed = allowed - calls_of(group) if match.group(1) else allowed | calls_of(group)
    return allowed


class Process(OwnBrokerCase):
    def start(self, config=None, *arguments, **options):
        self.broker = Broker(config or {}, arguments, **options)
        self.addCleanup(self.broker.kill)
        return self.broker

    def test_S_PROC_01_a_crash_leaves_no_core_file(self):
        broker = self.start()
        with open("/proc/%d/limits" % broker.process.pid, encoding="ascii") as limits:
            line = next(line for line in limits if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4:6], ["0", "0"])

    def test_S_PROC_01_the_release_build_is_hardened(self):
        """What -z relro, -z now and -fPIE leave in the file."""
        broker = self.start()
        program = os.path.realpath("/proc/%d/exe" % broker.process.pid)
        text = subprocess.run(["readelf", "-hlW", "-d", program], capture_output=True, text=True, check=True).stdout
        self.assertIn("DYN (Position-Independent Executable file)", text)
        self.assertIn("GNU_RELRO", text)
        if "asan" not in text:
            self.assertRegex(text, r"FLAGS_1.*NOW")
        self.assertNotRegex(text, r"GNU_STACK[^\n]*RWE")


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Unit(OwnBrokerCase):
    def test_S_PROC_01_the_sandbox_is_rated_well(self):
        done = analyze("security", "--offline=true", "--threshold=%d" % EXPOSURE_MAX, UNIT)
        self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)

    def test_S_PROC_01_systemd_takes_every_line(self):
        done = analyze("verify", UNIT)
        said = [line for line in done.stderr.splitlines() if "stampede.service" in line and "not executable" not in line]
        self.assertEqual(said, [])

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_S_PROC_01_the_broker_calls_only_what_the_unit_allows(self):
        folder = tempfile.mkdtemp(prefix="stampede-calls-")
        self.addCleanup(shutil.rmtree, folder, True)
        trace = os.path.join(folder, "trace")
        self.broker = Broker({}, ["--data", os.path.join(folder, "data")], threads=2,
                             wrapper=["strace", "-D", "-f", "-qq", "-o", trace])
        self.addCleanup(self.broker.kill)
        for transport in ("tcp", "ws"):
            client = self.client(transport).subscribe("/queue/calls")
            client.send(send_to("/queue/calls", b"x"))
            self.assertEqual(client.read_message(seconds=20).body, b"x")
            client.close()
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("reloaded") is not None))
        self.assertEqual(self.broker.stop(30), 0)
        self.assertTrue(until(lambda: not os.path.exists("/proc/%d" % self.broker.process.pid)))
        with open(trace, encoding="utf-8", errors="replace") as lines:
            called = {match.group(1) for match in (re.match(r"\d+ +(\w+)\(", line) for line in lines) if match}
        self.assertIn("epoll_wait", called)
        self.assertEqual(called - allowed_calls(), set())


if __name__ == "__main__":
    unittest.main()
