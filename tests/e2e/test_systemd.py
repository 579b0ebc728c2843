"""Under a service manager: what it is told, and the sockets that it passes (operations, section 7)."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import unittest

from support.broker import Broker, binary, run_tool, until, wait_time
from support.case import OwnBrokerCase, each
from support.manager import NotifySocket, listening, passing


PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000


@contextlib.contextmanager
def held(thread):
    """One thread of a broker stands still meanwhile, the others go on."""
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(request):
        if libc.ptrace(request, thread, None, None) != 0:
            raise unittest.SkipTest("threads cannot be held here: " + os.strerror(ctypes.get_errno()))
    trace(PTRACE_ATTACH)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        trace(PTRACE_DETACH)


def thread_of(broker, name):
    folder = "/proc/%d/task" % broker.process.pid
    for thread in os.listdir(folder):
        with open("%s/%s/comm" % (folder, thread), encoding="ascii") as comm:
            if comm.read().strip() == name:
                return int(thread)
    raise LookupError(name)


class ManagedCase(OwnBrokerCase):
    def manager(self, abstract=False):
        manager = NotifySocket(abstract)
        self.addCleanup(manager.close)
        return manager

    def start(self, config=None, *arguments, **options):
        self.broker = Broker(config or {}, arguments, **options)
        self.addCleanup(self.broker.kill)
        return self.broker


class Notify(ManagedCase):
    @each({"path": False, "abstract": True})
    def test_O_7_ready_only_when_the_listeners_accept(self, abstract):
        manager = self.manager(abstract)
        broker = self.start(environment=manager.environment)
        self.assertTrue(manager.hears("READY=1"))
        self.assertIn("STATUS=Accepting connections; durability memory.", manager.lines)
        self.client("tcp").close()
        self.assertEqual(broker.stop(), 0)
        self.assertEqual(manager.count("READY=1"), 1)

    def test_O_7_a_start_that_fails_is_never_ready(self):
        manager = self.manager()
        with listening() as busy:
            done = subprocess.run(
                [binary(), "serve", "--tcp", "127.0.0.1:%d" % busy.getsockname()[1], "--ws", "off", "--admin", "off"],
                env={**os.environ, **manager.environment}, capture_output=True, timeout=wait_time(20), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(manager.read(), [])

    def test_O_7_stopping_comes_before_anybody_leaves(self):
        manager = self.manager()
        broker = self.start({"drain": {"pre_stop_delay": "60s", "timeout": "40s"}}, environment=manager.environment)
        self.client("tcp")
        broker.signal()
        self.assertTrue(manager.hears("STOPPING=1"))
        # Whatever TimeoutStopSec= says: the delay, the time of the drain and some for the end.
        self.assertIn("EXTEND_TIMEOUT_USEC=105000000", manager.lines)
        self.assertTrue(broker.is_alive())

    def test_O_7_a_lame_duck_has_its_own_time(self):
        manager = self.manager()
        broker = self.start({"drain": {"lame_duck": "120s", "timeout": "30s"}}, environment=manager.environment)
        self.client("tcp")
        self.client("tcp")
        broker.signal(signal.SIGUSR2)
        self.assertTrue(manager.hears("EXTEND_TIMEOUT_USEC=155000000"))

    def test_O_7_a_reload_is_told_with_its_time_and_ends(self):
        manager = self.manager()
        broker = self.start(environment=manager.environment)
        self.assertTrue(manager.hears("READY=1"))
        broker.signal(signal.SIGHUP)
        self.assertTrue(manager.hears("READY=1", 2))
        begin = manager.lines.index("RELOADING=1")
        self.assertRegex(manager.lines[begin + 1], "^MONOTONIC_USEC=[0-9]+$")
        self.assertIn("READY=1", manager.lines[begin:])

    def test_O_7_a_reload_that_fails_is_in_the_status(self):
        manager = self.manager()
        broker = self.start(environment=manager.environment)
        with open(os.path.join(broker.folder, "stampede.toml"), "w", encoding="utf-8") as file:
            file.write("[limits]\nframe = 1\n")
        broker.signal(signal.SIGHUP)
        self.assertTrue(until(lambda: any("reload failed" in line for line in manager.read())))
        self.assertTrue(manager.hears("READY=1", 2))


class Watchdog(ManagedCase):
    PERIOD = 0.8

    def watched(self, **options):
        manager = self.manager()
        environment = {**manager.environment, "WATCHDOG_USEC": str(int(self.PERIOD * 1e6))}
        return manager, self.start(environment=environment, **options)

    def test_O_7_it_lives_while_it_serves(self):
        manager, _ = self.watched(threads=2)
        self.assertTrue(manager.hears("WATCHDOG=1", 5))

    def test_O_7_it_lives_while_it_drains(self):
        manager = self.manager()
        broker = self.start({"drain": {"pre_stop_delay": "60s"}},
                            environment={**manager.environment, "WATCHDOG_USEC": "400000"})
        broker.signal()
        self.assertTrue(manager.hears("STOPPING=1"))
        self.assertTrue(manager.hears("WATCHDOG=1", manager.count("WATCHDOG=1") + 3))

    def test_O_7_one_event_loop_that_hangs_silences_it(self):
        """The second shard's thread alone is stopped, by a tracer; then it goes on."""
        manager, broker = self.watched(threads=2)
        self.assertTrue(manager.hears("WATCHDOG=1", 2))
        with held(thread_of(broker, "shard-1")):
            self.assertTrue(until(lambda: manager.is_silent("WATCHDOG=1", self.PERIOD)))
        self.assertTrue(manager.hears("WATCHDOG=1", manager.count("WATCHDOG=1") + 2))

    def test_O_7_nobody_asked_nobody_is_told(self):
        manager = self.manager()
        self.start(environment=manager.environment)
        self.assertTrue(manager.hears("READY=1"))
        self.assertTrue(manager.is_silent("WATCHDOG=1", 0.5))


class Health(ManagedCase):
    def test_O_4_an_event_loop_that_hangs_for_10_s_is_named(self):
        broker = self.start(threads=2)
        self.assertEqual(broker.http("/healthz")[0], 200)
        with held(thread_of(broker, "shard-1")):
            self.assertEqual(broker.http("/healthz")[0], 200, "it fails slowly")
            self.assertTrue(until(lambda: broker.http("/healthz")[0] == 503, 20))
            self.assertIn("shard-1", broker.http("/healthz")[1])
            self.assertEqual(run_tool("healthcheck", "--admin", broker.ports["admin"])[0], 1)
        self.assertTrue(until(lambda: broker.http("/healthz")[0] == 200))


class Activation(ManagedCase):
    def sockets(self, *hosts):
        opened = [listening(host) for host in hosts]
        for each_socket in opened:
            self.addCleanup(each_socket.close)
        return opened

    def start_with(self, sockets, config=None, **options):
        wrapper, popen = passing(sockets)
        return self.start(config, wrapper=wrapper, popen=popen, **options)

    def refused(self, sockets, config=None):
        with self.assertRaises(RuntimeError) as refused:
            self.start_with(sockets, config)
        return str(refused.exception)

    def test_O_7_sockets_belong_to_the_listeners_of_their_names(self):
        ws, tcp = self.sockets("127.0.0.1", "127.0.0.1")
        broker = self.start_with([("ws", ws), ("tcp", tcp)])
        self.assertEqual(broker.address("ws")[1], ws.getsockname()[1])
        self.assertEqual(broker.address("tcp")[1], tcp.getsockname()[1])
        for transport in ("ws", "tcp"):
            self.assert_lives(self.client(transport))
        self.assertEqual(broker.stop(), 0)

    def test_O_7_who_connected_before_the_start_is_served(self):
        (tcp,) = self.sockets("127.0.0.1")
        with socket.create_connection(tcp.getsockname()) as early:
            early.sendall(b"CONNECT\naccept-version:1.2\nhost:/\n\n\0")
            self.start_with([("tcp", tcp)])
            early.settimeout(wait_time(10))
            self.assertTrue(early.recv(100).startswith(b"CONNECTED\n"))

    def test_O_7_two_sockets_may_share_a_name(self):
        one, two = self.sockets("127.0.0.1", "127.0.0.1")
        self.start_with([("tcp", one), ("tcp", two)])
        for opened in (one, two):
            with socket.create_connection(opened.getsockname()) as client:
                client.sendall(b"CONNECT\naccept-version:1.2\nhost:/\n\n\0")
                client.settimeout(wait_time(10))
                self.assertTrue(client.recv(100).startswith(b"CONNECTED\n"))

    def test_O_7_listeners_have_names_of_their_own(self):
        (tcp,) = self.sockets("127.0.0.1")
        config = {"listener": [{"kind": "tcp", "address": "127.0.0.1:1", "name": "orders"}]}
        broker = self.start_with([("orders", tcp)], config, listeners=False)
        self.assertEqual(broker.address("tcp")[1], tcp.getsockname()[1])

    def test_O_7_health_and_the_admin_api_too(self):
        (admin,) = self.sockets("127.0.0.1")
        broker = self.start_with([("admin", admin)])
        self.assertEqual(broker.address("admin")[1], admin.getsockname()[1])
        self.assertEqual(broker.http("/readyz")[0], 200)

    def test_O_7_others_listen_as_configured(self):
        (tcp,) = self.sockets("127.0.0.1")
        self.start_with([("tcp", tcp)])
        self.assert_lives(self.client("ws"))

    @each(["stampede.socket", "unknown", "orders"])
    def test_O_7_a_socket_that_no_listener_has_is_a_clear_error(self, name):
        (tcp,) = self.sockets("127.0.0.1")
        text = self.refused([(name, tcp)])
        for word in (name, "FileDescriptorName=", "tcp", "ws", str(tcp.getsockname()[1])):
            self.assertIn(word, text)

    def test_O_7_a_socket_that_does_not_listen_is_a_clear_error(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            self.assertIn("not a listening TCP socket", self.refused([("tcp", udp)]))
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            self.assertIn("not a listening TCP socket", self.refused([("tcp", deaf)]))

    def test_S_BIND_03_a_socket_for_other_machines_needs_a_configuration_for_them(self):
        (tcp,) = self.sockets("0.0.0.0")
        self.assertIn("TLS and authentication", self.refused([("tcp", tcp)]))

    def test_O_7_sockets_for_another_process_are_left_alone(self):
        (tcp,) = self.sockets("127.0.0.1")
        environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "nonsense"}
        self.start(environment=environment)
        self.assertNotEqual(self.broker.address("tcp")[1], tcp.getsockname()[1])

    def test_O_7_nothing_is_lost_between_two_runs(self):
        """The manager keeps the socket: who connects meanwhile waits instead of being refused."""
        (tcp,) = self.sockets("127.0.0.1")
        self.assertEqual(self.start_with([("tcp", tcp)]).stop(), 0)
        with socket.create_connection(tcp.getsockname()) as between:
            between.sendall(b"CONNECT\naccept-version:1.2\nhost:/\n\n\0")
            self.start_with([("tcp", tcp)])
            between.settimeout(wait_time(10))
            self.assertTrue(between.recv(100).startswith(b"CONNECTED\n"))


del ManagedCase

if __name__ == "__main__":
    unittest.main()
