"""What signals ask a running broker for: drain, lame duck, a log file opened anew (operations, sections 3 and 6)."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from support.broker import Broker, binary, run_tool, until, wait_time
from support.case import OwnBrokerCase, each
from support.peers import upgrade_request


class SignalCase(OwnBrokerCase):
    def start(self, config=None, *arguments, **options):
        self.broker = Broker({"limits": {"linger_time": "300ms", "close_time": "500ms"}, **(config or {})}, arguments,
                             **options)
        self.addCleanup(self.broker.kill)
        return self.broker


class LameDuck(SignalCase):
    def ends(self, peers, begin):
        """Seconds after `begin` at which each is told to leave."""
        times = []
        for peer in peers:
            self.assertEqual(peer.read_end(20)[-1]["message"], "shutdown")
            times.append(time.monotonic() - begin)
            peer.close()
        return times

    def test_O_3_few_connections_are_spread_over_all_of_it(self):
        broker = self.start({"drain": {"lame_duck": "800ms"}})
        peers = [self.client("tcp") for _ in range(8)]
        begin = time.monotonic()
        broker.signal(signal.SIGUSR2)
        self.assertGreater(max(self.ends(peers, begin)), 0.6)  # The last of 8 leaves after 7/8 of it.
        self.assertEqual(broker.wait(), 0)

    def test_O_3_a_drain_does_not_wait_for_few(self):
        """The control of the test above."""
        broker = self.start({"drain": {"spread": "10s"}})
        peers = [self.client("tcp") for _ in range(8)]
        begin = time.monotonic()
        broker.signal(signal.SIGTERM)
        self.assertLess(max(self.ends(peers, begin)), 5)
        self.assertEqual(broker.wait(), 0)

    def test_O_3_the_consoles_own_door_closes_with_the_others(self):
        broker = self.start({"drain": {"lame_duck": "60s"}})
        self.assertEqual(self.console_answer(), 101)
        peers = [self.client("tcp") for _ in range(2)]
        broker.signal(signal.SIGUSR2)
        self.assertTrue(until(lambda: self.console_answer() == 503))
        self.assertEqual(broker.http("/healthz")[0], 200)
        self.assertEqual(len(peers), 2)
        broker.kill()

    def console_answer(self):
        """The status of an upgrade at the admin listener's /ws."""
        with socket.create_connection(self.broker.address("admin"), timeout=wait_time(10)) as sock:
            sock.sendall(upgrade_request("/ws"))
            return int(sock.recv(1000).split(b" ")[1])

    def test_O_3_readiness_is_red_and_beats_go_on(self):
        broker = self.start({"drain": {"lame_duck": "60s"}, "heartbeat": {"floor": "50ms"}})
        peers = [self.client("tcp", "1.2", "heart-beat:0,50") for _ in range(2)]
        broker.signal(signal.SIGUSR2)
        self.assertTrue(until(lambda: broker.http("/readyz")[0] == 503))
        self.assertEqual(broker.http("/healthz")[0], 200)
        stays = [peer for peer in peers if self.beats(peer)]
        self.assertGreaterEqual(len(stays), 1)
        broker.kill()

    @staticmethod
    def beats(peer):
        try:
            for _ in range(3):
                peer.read_beat()
            return True
        except (AssertionError, ConnectionError, EOFError, TimeoutError):
            return False

    @each([signal.SIGTERM, signal.SIGINT])
    def test_O_3_a_stop_makes_a_drain_of_it(self, number):
        broker = self.start({"drain": {"lame_duck": "10m", "spread": "200ms"}})
        peers = [self.client("tcp") for _ in range(3)]
        broker.signal(signal.SIGUSR2)
        self.assertTrue(broker.wait_for(lambda: broker.event("draining", reason="SIGUSR2")))
        begin = time.monotonic()
        broker.signal(number)
        self.assertLess(max(self.ends(peers, begin)), 10)
        self.assertEqual(broker.wait(), 0)

    def test_O_3_it_does_not_slow_a_drain_down(self):
        broker = self.start({"drain": {"pre_stop_delay": "300ms", "lame_duck": "10m"}})
        peers = [self.client("tcp") for _ in range(3)]
        broker.signal(signal.SIGTERM)
        self.assertTrue(broker.wait_for(lambda: broker.event("draining")))
        begin = time.monotonic()
        broker.signal(signal.SIGUSR2)
        self.assertLess(max(self.ends(peers, begin)), 10)
        self.assertEqual(broker.wait(), 0)

    def test_O_3_a_second_stop_ends_it_at_once_and_the_first_does_not(self):
        broker = self.start({"drain": {"lame_duck": "10m", "pre_stop_delay": "60s"}})
        self.client("tcp")
        broker.signal(signal.SIGUSR2)
        self.assertTrue(broker.wait_for(lambda: broker.event("draining", reason="SIGUSR2")))
        broker.signal(signal.SIGTERM)
        self.assertTrue(broker.wait_for(lambda: broker.event("draining", reason="SIGTERM")))
        self.assertTrue(broker.is_alive())
        broker.signal(signal.SIGTERM)
        self.assertEqual(broker.wait(), 1)


class LogFile(unittest.TestCase):
    """Of a broker that the support cannot start, since it waits for the log's lines on stderr."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stampede-log-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.name = os.path.join(self.folder, "stampede.log")

    def start(self):
        self.process = subprocess.Popen(
            [binary(), "serve", "--tcp", "127.0.0.1:0", "--ws", "off", "--admin", "off"], stderr=subprocess.PIPE,
            env={"STAMPEDE_LOG__FILE": self.name, "STAMPEDE_CONFIG": os.devnull})
        self.addCleanup(self.end)
        self.assertTrue(until(lambda: '"event":"ready"' in self.text(self.name)))

    def end(self):
        self.process.kill()
        self.process.communicate()

    @staticmethod
    def text(name):
        try:
            with open(name, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def test_O_3_it_is_opened_anew_on_SIGUSR1(self):
        self.start()
        os.rename(self.name, self.name + ".1")
        self.process.send_signal(signal.SIGUSR1)
        self.assertTrue(until(lambda: "log-reopened" in self.text(self.name)))
        self.assertNotIn("log-reopened", self.text(self.name + ".1"))
        self.process.terminate()
        self.assertEqual(self.process.wait(wait_time(10)), 0)
        self.assertIn('"event":"stopped"', self.text(self.name))
        self.assertEqual(self.process.stderr.read(), b"")

    def test_O_3_without_the_signal_the_old_file_is_written_to(self):
        self.start()
        os.rename(self.name, self.name + ".1")
        self.process.terminate()
        self.assertEqual(self.process.wait(wait_time(10)), 0)
        self.assertEqual(os.listdir(self.folder), ["stampede.log.1"])

    def test_O_3_what_cannot_be_opened_anew_is_told_in_the_old_one(self):
        self.start()
        os.rename(self.name, self.name + ".1")
        os.mkdir(self.name)
        self.process.send_signal(signal.SIGUSR1)
        self.assertTrue(until(lambda: "log-reopened" in self.text(self.name + ".1")))
        self.assertIn("Is a directory", self.text(self.name + ".1"))

    def test_O_6_a_file_that_cannot_be_opened_ends_the_start(self):
        code, _, text = run_tool("serve", environment={"STAMPEDE_LOG__FILE": os.path.join(self.folder, "no", "log")})
        self.assertEqual(code, 1)
        self.assertIn(os.path.join(self.folder, "no", "log"), text)


del SignalCase

if __name__ == "__main__":
    unittest.main()
