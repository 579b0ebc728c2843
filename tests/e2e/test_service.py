"""The process as a service: what it may call, and what it leaves behind (S-PROC-01; operations, section 7)."""
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest

from support.auth import Place, login, token
from support.broker import Broker, binary, until
from support.case import OwnBrokerCase, make_certificate
from support.http_service import Service
from support.peers import send_to, stomp

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "systemd", "stampede.service")
EXPOSURE_MAX = 15  # Tenths, of 100, as systemd-analyze rates it.


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def calls_of(group, seen=None):
    """The names that systemd's group of system calls stands for; a call stands for itself."""
    if not group.startswith("@"):
        return {group}
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

    def test_S_PROC_01_overrun_buffers_end_the_process(self):
        """What -fstack-protector-strong calls, and _FORTIFY_SOURCE in a Release build."""
        text = subprocess.run(["readelf", "-W", "--dyn-syms", binary()], capture_output=True, text=True, check=True).stdout
        self.assertIn(" UND __stack_chk_fail@", text)
        if os.environ.get("STAMPEDE_BUILD_TYPE") == "Release":
            self.assertRegex(text, r" UND __\w*(cpy|move|printf)_chk@")


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Unit(OwnBrokerCase):
    def test_S_PROC_01_the_sandbox_is_rated_well(self):
        done = analyze("security", "--offline=true", "--threshold=%d" % EXPOSURE_MAX, UNIT)
        self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)

    def test_S_PROC_01_systemd_takes_every_line(self):
        done = analyze("verify", UNIT)
        said = [line for line in done.stderr.splitlines() if "stampede.service" in line and "not executable" not in line]
        self.assertEqual(said, [])

    def config_of_all(self):
        """Users, tokens, a hook and a listener with TLS."""
        place, folder = Place(), make_certificate(type(self))
        self.addCleanup(shutil.rmtree, place.folder)
        self.trust = folder + "/cert.pem"
        self.service = Service(lambda _, request: (200, json.dumps(
            {"result": "allow", "roles": ["staff"]} if request["passcode"] == "hook-canary" else {"result": "deny"})))
        self.addCleanup(self.service.close)
        return {**place.config(), "hook": {"url": self.service.url},
                "tls": {"certificate": self.trust, "key": folder + "/key.pem"},
                "listener": [{"kind": "ws", "address": "127.0.0.1:0", "tls": True}]}

    def dial(self, transport):
        return self.peer(transport, tls=ssl.create_default_context(cafile=self.trust) if transport == "ws" else None)

    def log_in(self, transport, *lines):
        with self.dial(transport) as client:
            client.connect("1.2", *lines).subscribe("/queue/calls")
            client.send(send_to("/queue/calls", b"x"))
            self.assertEqual(client.read_message(seconds=20).body, b"x")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_S_PROC_01_the_broker_calls_only_what_the_unit_allows(self):
        folder = tempfile.mkdtemp(prefix="stampede-calls-")
        self.addCleanup(shutil.rmtree, folder, True)
        trace = os.path.join(folder, "trace")
        self.broker = Broker(self.config_of_all(), ["--data", os.path.join(folder, "data"), "--tcp", "127.0.0.1:0"],
                             threads=2, listeners=False, wrapper=["strace", "-D", "-f", "-qq", "-o", trace])
        self.addCleanup(self.broker.kill)
        for transport in ("tcp", "ws"):
            self.log_in(transport, *login("anna", "hunter2-canary"))  # Of the file.
            self.log_in(transport, *login("hugo", "hook-canary"))  # Of the hook.
            self.log_in(transport, "passcode:" + token())
            for lines in (login("anna", "guess"), login("hugo", "guess"), ("passcode:" + token(secret=b"x" * 32),)):
                peer = self.dial(transport)
                peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
                self.assert_refused(peer, "auth-failed", seconds=20)
        self.assertIn("hugo", {request["user"] for request in self.service.requests})
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("reloaded") is not None))
        self.assertEqual(self.broker.stop(30), 0)
        self.assertTrue(until(lambda: not os.path.exists("/proc/%d" % self.broker.process.pid)))
        with open(trace, encoding="utf-8", errors="replace") as lines:
            calls = [match.groups() for match in (re.match(r"(\d+) +(\w+)\(", line) for line in lines) if match]
        called = {name for _, name in calls}
        self.assertIn("epoll_wait", called)
        self.assertGreater(len({thread for thread, _ in calls}), 3, "two of the broker, and those that hash and ask")
        self.assertEqual(called - allowed_calls(), set())


if __name__ == "__main__":
    unittest.main()
