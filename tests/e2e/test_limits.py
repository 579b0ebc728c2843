"""Limits of connections, descriptors, frames in time, and memory (security, section 3; S-RATE-03, -04)."""
import os
import resource
import shutil
import signal
import socket
import threading
import time
import unittest
import zlib

from support.auth import Place, token
from support.broker import MIB, Broker, to_toml, until, wait_time
from support.case import BrokerCase, TRANSPORTS, broker_peer, combined, each, over_transports, send_to, stomp
from support.metrics import scrape
from support.peers import PING, TcpPeer, WsPeer, upgrade_request, ws_frame


def pause(seconds):
    threading.Event().wait(seconds)


def public_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # Sends nothing.
            address = sock.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def seconds_behind(peer, octets):
    """Until what comes in a later read than `octets` is answered."""
    begin = time.monotonic()
    peer.send(octets)
    pause(0.1)
    peer.ask("UNSUBSCRIBE", "id:none", "destination:/topic/none", receipt="behind")
    return time.monotonic() - begin


class LimitCase(BrokerCase):
    def turned_away(self, transport):
        """A connection that gets an ERROR only, or over HTTP a status: the text of either."""
        kind = {"tcp": "tcp", "ws": "ws"}[transport]
        peer = TcpPeer(self.broker.address(kind)) if transport == "tcp" else WsPeer(self.broker.address(kind),
                                                                                   upgrade=False)
        self.addCleanup(peer.close)
        if transport == "ws":
            peer.raw(upgrade_request())
            answer = peer.read_answer()
            peer.close()
            return answer
        frames = peer.read_end()
        self.assertEqual([frame.command for frame in frames], ["ERROR"])
        peer.close()
        return frames[0]

    def comes_in(self, transport="tcp"):
        """True if a new client is served now."""
        try:
            peer = broker_peer(self.broker, transport)
        except (AssertionError, OSError):
            return False
        with peer:
            try:
                peer.connect()
                return True
            except (AssertionError, OSError):
                return False


class Connections(LimitCase):
    config = {"limits": {"connections": 10}}

    @over_transports
    def test_S_RATE_01_connections(self, transport):
        peers = [self.client(("tcp", "ws")[i % 2]) for i in range(10)]
        for _ in range(20):
            answer = self.turned_away(transport)
            if transport == "ws":
                self.assertEqual(answer.status, 503)
                self.assertTrue(answer["Retry-After"])
            else:
                self.assertEqual(answer["message"], "limit-connections")
                self.assertIn(b"limits.connections.", answer.body)
        self.assertTrue(self.broker.wait_for(
            lambda: self.broker.event("limit", reason="limit-connections", limit="limits.connections")))
        for peer in peers:
            self.assert_lives(peer)
        peers.pop().close()
        self.assertTrue(until(lambda: self.comes_in(transport)))
        for peer in peers:
            peer.close()
        self.assertTrue(until(lambda: self.comes_in("tcp")))


class PerUser(LimitCase):
    """Connections of one user, over both transports and all shards together."""

    threads = 2
    config = {"limits": {"connections_per_user": 3}}

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        everything = [{"who": ["authenticated"], "allow": ["publish", "subscribe"], "on": ["/topic/**"]}]
        cls.broker = Broker({**cls.place.config(everything), **cls.config}, threads=2)
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        if cls.broker.stop() != 0 or cls.broker.event("handler-failed"):
            raise AssertionError(cls.broker.log_text())

    def user(self, name, transport="tcp"):
        return self.client(transport, "1.2", "passcode:" + token(sub=name))

    def refused(self, name, transport):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "passcode:" + token(sub=name)))
        return self.assert_refused(peer, "limit-connections", before=[])

    def comes_in_as(self, name):
        try:
            self.user(name).close()
            return True
        except AssertionError:
            return False

    @over_transports
    def test_S_RATE_01_connections_of_a_user(self, transport):
        name = "tina-" + transport
        peers = [self.user(name, ("tcp", "ws")[i % 2]) for i in range(3)]
        for _ in range(3):
            error = self.refused(name, transport)
            self.assertIn(b"limits.connections_per_user", error.body)
        self.assertTrue(self.broker.wait_for(
            lambda: self.broker.event("limit", limit="limits.connections_per_user", reason="limit-connections")))
        self.user("otto-" + transport, transport)
        for peer in peers:
            self.assert_lives(peer)
        peers.pop().close()  # Without DISCONNECT.
        self.assertTrue(until(lambda: self.comes_in_as(name)))
        for peer in peers:
            peer.ask("DISCONNECT")
            peer.close()
        self.assertTrue(until(lambda: self.comes_in_as(name)))

    def test_S_RATE_01_those_that_end_in_errors_or_before_connected_are_forgotten(self):
        for _ in range(4):
            with self.user("eva") as peer:
                peer.send(b"NONSENSE\n\n\0")
                self.assert_refused(peer, "bad-frame")
        for _ in range(20):  # They leave while their credentials are looked at, or just after.
            with self.peer("tcp") as peer:
                peer.send(stomp("CONNECT", "accept-version:1.2", "passcode:" + token(sub="eva")))
        for _ in range(2):
            self.assertTrue(until(lambda: self.comes_in_as("eva")))
        peers = [self.user("eva") for _ in range(2)]
        for peer in peers:
            self.assert_lives(peer)


class BuiltInUsers(LimitCase):
    config = {"limits": {"connections_per_user": 2}}

    def test_S_RATE_01_anonymous_and_guest_are_not_counted(self):
        for lines in ((), ("login:guest", "passcode:guest")):
            for peer in [self.client("tcp", "1.2", *lines) for _ in range(5)]:
                self.assert_lives(peer)


class Rates(LimitCase):
    """Too fast is slowed down first, then refused; users and addresses share what they may."""

    threads = 2

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        everything = [{"who": ["authenticated"], "allow": ["publish", "subscribe"], "on": ["/topic/**"]}]
        limits = {"messages_per_second_per_user": 20, "bytes_per_second_per_user": "20KiB",
                  "subscribes_per_second_per_user": 5, "close_time": "500ms"}
        cls.broker = Broker({**cls.place.config(everything), "limits": limits, "heartbeat": {"floor": "50ms"}}, threads=2)
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        if cls.broker.stop() != 0 or cls.broker.event("handler-failed"):
            raise AssertionError(cls.broker.log_text())

    def user(self, name, transport="tcp", *lines):
        return self.client(transport, "1.2", "passcode:" + token(sub=name), *lines)

    @over_transports
    def test_S_RATE_02_at_the_rate_nobody_waits(self, transport):
        peer = self.user("even-" + transport, transport)
        self.assertLess(seconds_behind(peer, send_to("/topic/a") * 19), wait_time(0.5))

    @over_transports
    def test_S_RATE_02_beyond_it_nothing_is_read_for_a_while(self, transport):
        peer = self.user("hasty-" + transport, transport, "heart-beat:100,0")
        # 40 messages are one second of debt, longer than its heart-beats may be silent.
        self.assertGreater(seconds_behind(peer, send_to("/topic/a") * 40), 0.8)
        self.assert_lives(peer)
        self.assertLess(seconds_behind(self.user("calm-" + transport, transport), send_to("/topic/a")), wait_time(0.5))

    @over_transports
    def test_S_RATE_02_connections_of_a_user_share_the_rate(self, transport):
        name = "both-" + transport
        first, second = self.user(name, "tcp"), self.user(name, transport)
        first.send(send_to("/topic/a") * 40)
        pause(0.05)
        self.assertGreater(seconds_behind(second, send_to("/topic/a")) + 0.05, 0.8)

    @over_transports
    def test_S_RATE_02_one_connection_is_slowed_and_not_refused(self, transport):
        peer = self.user("backlog-" + transport, transport)
        # In one piece, and ten seconds' worth: what waits in a socket is no crime.
        peer.send(send_to("/topic/a") * 199 + send_to("/topic/a", b"", "receipt:last"))
        self.assertEqual(peer.read_frame(seconds=15).command, "RECEIPT")

    def refused_among(self, name, transport, octets):
        """One of many connections of a user, each of which sends this: its ERROR."""
        peers = [self.user(name, transport) for _ in range(12)]
        for peer in peers:
            peer.send(octets)
        for peer in reversed(peers):
            try:
                return self.assert_refused(peer, "rate-limited", seconds=1)
            except (AssertionError, TimeoutError):
                continue  # It is only slowed down.
        return self.fail("none of many is refused")

    @over_transports
    def test_S_RATE_02_much_more_is_refused(self, transport):
        error = self.refused_among("wild-" + transport, transport, send_to("/topic/a") * 40)
        self.assertIn(b"limits.messages_per_second_per_user", error.body)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event(
            "limit", limit="limits.messages_per_second_per_user", user="wild-" + transport)))

    @over_transports
    def test_S_RATE_02_subscribes(self, transport):
        peer = self.user("reader-" + transport, transport)
        peer.send(b"".join(stomp("SUBSCRIBE", "destination:/topic/a", "id:%d" % i) for i in range(5)))
        self.assert_lives(peer)
        five = b"".join(stomp("SUBSCRIBE", "destination:/topic/a", "id:x%d" % i) for i in range(5))
        error = self.refused_among("reader-" + transport, transport, five)
        self.assertIn(b"limits.subscribes_per_second_per_user", error.body)

    def test_S_RATE_02_rates_of_a_reload_hold_for_who_is_connected(self):
        broker = Broker({**self.place.config(), "heartbeat": {"floor": "50ms"}})
        self.addCleanup(broker.kill)
        peer = broker_peer(broker, "tcp").connect("1.2", "passcode:" + token(sub="early"))
        self.addCleanup(peer.close)
        self.assertLess(seconds_behind(peer, send_to("/topic/a") * 60), wait_time(0.5))
        with open(os.path.join(broker.folder, "stampede.toml"), "w", encoding="utf-8") as out:
            out.write(to_toml({**self.place.config(), "limits": {"messages_per_second_per_user": 20}}))
        broker.signal(signal.SIGHUP)
        self.assertTrue(broker.wait_for(lambda: broker.event("reloaded") is not None))
        # Each shard takes them over at the end of a turn.
        self.assertTrue(until(lambda: seconds_behind(peer, send_to("/topic/a") * 40) > 0.8))
        self.assertEqual(broker.stop(), 0)

    @over_transports
    def test_S_RATE_02_large_frames_are_slow_and_not_refused(self, transport):
        peer = self.user("heavy-" + transport, transport)
        self.assertGreater(seconds_behind(peer, send_to("/topic/a", b"x" * 50000)), 1)
        self.assert_lives(peer)


class Unauthenticated(LimitCase):
    config = {"limits": {"unauthenticated": 20, "connect_time": "5s"}}

    @over_transports
    def test_S_RATE_03_silent_peers_do_not_keep_others_out(self, transport):
        good = self.client("tcp")
        silent = [TcpPeer(self.broker.address("tcp")) for _ in range(60)]
        begin = time.monotonic()
        self.assertTrue(until(lambda: self.comes_in(transport), 3))
        self.assertLess(time.monotonic() - begin, wait_time(3))
        self.assert_lives(good)
        for peer in silent:
            peer.close()
        self.assertTrue(until(lambda: self.comes_in(transport)))

    @over_transports
    def test_S_RATE_03_whoever_comes_gets_in_and_the_oldest_goes(self, transport):
        silent = [TcpPeer(self.broker.address("tcp")) for _ in range(20)]
        for _ in range(30):
            peer = self.client(transport)
            self.assert_lives(peer)
            peer.close()
            silent.append(TcpPeer(self.broker.address("tcp")))
        silent[0].read_end()
        for peer in silent:
            peer.close()

    @over_transports
    def test_S_RATE_03_those_who_have_logged_in_do_not_count(self, transport):
        peers = [self.client(transport) for _ in range(60)]
        for peer in peers:
            self.assert_lives(peer)
            peer.close()

    def test_S_RATE_03_nor_does_it_spin(self):
        silent = [TcpPeer(self.broker.address("tcp")) for _ in range(25)]
        before = self.broker.cpu_seconds()
        pause(1)
        self.assertLess(self.broker.cpu_seconds() - before, wait_time(0.3))
        for peer in silent:
            peer.close()


class OutsideCase(LimitCase):
    """Loopback is not counted, so this needs another address of the machine."""

    arguments = ("--insecure-no-auth", "--insecure-no-tls", "--tcp", "0.0.0.0:0", "--ws", "0.0.0.0:0")

    @classmethod
    def setUpClass(cls):
        cls.own = public_address()
        if cls.own is None:
            raise unittest.SkipTest("this machine has no address but loopback")
        cls.broker = Broker(cls.config, cls.arguments, listeners=False)
        cls.addClassCleanup(cls.broker.kill)
        ports = {kind: cls.broker.address(kind)[1] for kind in ("tcp", "ws", "admin")}
        cls.broker.address = lambda kind: ("127.0.0.1", ports[kind])
        cls.public = {kind: (cls.own, port) for kind, port in ports.items()}

    def outside(self, transport, **options):
        peer = (TcpPeer if transport == "tcp" else WsPeer)(self.public[transport], source=self.own, **options)
        self.addCleanup(peer.close)
        return peer


class AddressRates(OutsideCase):
    config = {"limits": {"messages_per_second_per_ip": 20, "connections_per_second_per_ip": 5}}

    def setUp(self):
        pause(1.1)  # The bucket is full again.

    @over_transports
    def test_S_RATE_02_new_connections_of_an_address(self, transport):
        for _ in range(5):
            self.outside("tcp").connect().close()
        begin = time.monotonic()
        self.assert_turned_away(transport)
        self.client(transport).close()  # Loopback is not counted.
        self.assertLess(time.monotonic() - begin, wait_time(0.5))
        pause(1)
        self.outside(transport).connect()

    def assert_turned_away(self, transport):
        """One of the next few is, since some time may have passed."""
        for _ in range(5):
            peer = self.outside(transport, **({"upgrade": False} if transport == "ws" else {}))
            if transport == "ws":
                peer.raw(upgrade_request(host="%s:%d" % self.public["ws"]))
                if peer.read_answer().status == 429:
                    return
            else:
                peer.send(stomp("CONNECT", "accept-version:1.2"))
                frame = peer.read_frame()
                if frame.command == "ERROR":
                    self.assertEqual(frame["message"], "rate-limited")
                    self.assertIn(b"limits.connections_per_second_per_ip", frame.body)
                    return
        self.fail("it may open as many as it likes")

    @over_transports
    def test_S_RATE_02_messages_of_an_address(self, transport):
        self.assertGreater(seconds_behind(self.outside(transport).connect(), send_to("/topic/a") * 40), 0.8)
        self.assertLess(seconds_behind(self.client(transport), send_to("/topic/a") * 40), wait_time(0.5))


class PerAddress(OutsideCase):
    config = {"limits": {"connections_per_ip": 5, "unauthenticated_per_ip": 3}}

    @over_transports
    def test_S_RATE_01_connections_per_address(self, transport):
        peers = [self.outside(("tcp", "ws")[i % 2]).connect() for i in range(5)]
        if transport == "tcp":
            frames = self.outside("tcp").read_end()
            self.assertEqual([frame["message"] for frame in frames], ["limit-connections"])
            self.assertIn(b"limits.connections_per_ip", frames[0].body)
        else:
            peer = self.outside("ws", upgrade=False)
            peer.raw(upgrade_request(host="%s:%d" % self.public["ws"]))
            self.assertEqual(peer.read_answer().status, 429)
        self.client(transport).close()  # Loopback is another address, and not counted.
        for peer in peers:
            self.assert_lives(peer)
            peer.close()

        def free():
            try:
                with (TcpPeer if transport == "tcp" else WsPeer)(self.public[transport], source=self.own) as peer:
                    peer.connect()
                    return True
            except AssertionError:
                return False
        self.assertTrue(until(free))

    def test_S_RATE_01_unauthenticated_per_address(self):
        peers = [self.outside("tcp") for _ in range(3)]
        self.assertTrue(until(lambda: self.is_refused()))
        for peer in peers:
            peer.close()
        self.assertTrue(until(lambda: not self.is_refused()))

    def is_refused(self):
        with TcpPeer(self.public["tcp"], source=self.own) as peer:
            try:
                peer.connect()
                return False
            except AssertionError:
                return True

    def test_P_CONN_06_guest_and_anonymous_from_everywhere_with_the_flag(self):
        self.assertEqual(self.outside("tcp").connect().connected["user-name"], "anonymous")
        self.assertEqual(self.outside("ws").connect("1.2", "login:guest", "passcode:guest").connected["user-name"],
                         "guest")

    def test_P_TCP_02_keep_alive_is_no_matter_of_loopback(self):
        peer = self.outside("tcp").connect()
        self.assert_lives(peer)


class Descriptors(LimitCase):
    def test_S_RATE_03_no_descriptors_left(self):
        good = self.client("tcp")
        pid = self.broker.process.pid
        soft_and_hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.broker.descriptors() + 5, soft_and_hard[1]))
        try:
            waiting = [TcpPeer(self.broker.address("tcp")) for _ in range(15)]
            for peer in waiting:
                peer.send(stomp("CONNECT", "accept-version:1.2"))
            self.assertTrue(self.broker.wait_for(lambda: self.broker.event("accept-paused")))
            before = self.broker.cpu_seconds()
            pause(1)
            self.assertLess(self.broker.cpu_seconds() - before, wait_time(0.2), "it spins")
            self.assert_lives(good)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, soft_and_hard)
        for peer in waiting:  # They waited in the listener's backlog.
            self.assertEqual(peer.read_frame()["version"], "1.2")
            peer.close()
        self.assertEqual(self.broker.http("/readyz")[0], 200)

    def test_S_RATE_03_nor_for_the_health_listener(self):
        pid = self.broker.process.pid
        soft_and_hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.broker.descriptors(), soft_and_hard[1]))
        try:
            sock = socket.create_connection(self.broker.address("admin"), timeout=wait_time(5))
            sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            before = self.broker.cpu_seconds()
            pause(1)
            self.assertLess(self.broker.cpu_seconds() - before, wait_time(0.2), "it spins")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, soft_and_hard)
        with sock:
            self.assertIn(b" 200 ", sock.recv(1000))

    def test_S_RATE_01_auto_is_what_the_system_allows(self):
        broker = Broker(files=(64, 64))
        self.addCleanup(broker.kill)
        peers = []
        for _ in range(80):
            peer = TcpPeer(broker.address("tcp"))
            self.addCleanup(peer.close)
            peer.send(stomp("CONNECT", "accept-version:1.2"))
            frame = peer.read_frame()
            if frame.command == "ERROR":
                self.assertEqual(frame["message"], "limit-connections")
                break
            peers.append(peer)
        self.assertGreaterEqual(len(peers), 20)
        self.assertLess(len(peers), 64)
        self.assertEqual(broker.http("/readyz")[0], 200)
        for peer in peers:
            self.assert_lives(peer)
            peer.close()
        self.assertEqual(broker.stop(), 0)


class SlowFrames(LimitCase):
    """The age of a partial frame: longer only at frame_rate on average, and never beyond frame_time_max."""

    config = {"limits": {"frame_time": "500ms", "frame_time_max": "3s", "frame_rate": "1KiB", "close_time": "500ms",
                         "frame": "8MiB"}}

    def trickle(self, peer, seconds, octets, every):
        """Body octets at a pace; the frame that ends it, if one comes."""
        peer.send(b"SEND\ndestination:/topic/trickle\nreceipt:r\n\n")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not peer.send(b"x" * octets):
                break
            try:
                peer.receive(every)
                break
            except TimeoutError:
                pass
        else:
            peer.send(b"\0")
        return peer.read_frame()

    @over_transports
    def test_P_LIM_01_fast_enough_may_take_longer(self, transport):
        frame = self.trickle(self.client(transport), 1.8, 400, 0.05)
        self.assertEqual(frame.command, "RECEIPT")

    @over_transports
    def test_P_LIM_01_too_slow_is_refused(self, transport):
        begin = time.monotonic()
        frame = self.trickle(self.client(transport), 10, 2, 0.05)
        self.assertEqual((frame.command, frame["message"]), ("ERROR", "frame-timeout"))
        self.assertLess(time.monotonic() - begin, wait_time(2.5))

    @over_transports
    def test_P_LIM_01_never_beyond_the_maximum(self, transport):
        begin = time.monotonic()
        frame = self.trickle(self.client(transport), 10, 400, 0.05)
        self.assertEqual((frame.command, frame["message"]), ("ERROR", "frame-timeout"))
        self.assertGreaterEqual(time.monotonic() - begin, 2.9)
        self.assertLess(time.monotonic() - begin, wait_time(5))

    @over_transports
    def test_P_LIM_01_whole_frames_in_a_row_are_never_too_old(self, transport):
        peer = self.client(transport)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            # Each segment ends one frame and begins the next.
            peer.send(b"BEGIN\ntransaction:t\n")
            pause(0.1)
            peer.send(b"\n\0" + stomp("ABORT", "transaction:t"))
        self.assert_lives(peer)


class Barren(LimitCase):
    config = {"limits": {"barren_bytes": "1KiB"}}

    def test_S_RATE_01_octets_without_content(self):
        ping = ws_frame(PING, b"x" * 125)
        peer = self.client("ws")
        peer.raw(ping * (1024 // len(ping)))
        self.assert_lives(peer)  # Content in between: they are counted anew.
        peer.raw(ping * (1024 // len(ping) + 1))
        self.assert_closed(peer, 1008, "abuse")
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("limit", limit="limits.barren_bytes")))


class Frames(LimitCase):
    """The configured limits, just below and just above."""

    config = {"limits": {"frame": "10KiB", "header_line": "100B", "header_count": 8, "header_bytes": "400B",
                         "before_connected": "1KiB", "header_line_before_connected": "500B", "destination_bytes": "50B",
                         "destination_levels": 4, "id_bytes": "20B", "subscriptions": 3, "wildcard_subscriptions": 1,
                         "temporary_destinations": 2, "transactions": 2, "transaction_frames": 3,
                         "transaction_bytes": "8KiB", "web_socket_message": "20KiB",
                         "web_socket_message_before_connected": "2KiB"}}

    CASES = {
        "header_line": (lambda n: stomp("SEND", "destination:/topic/a", "k:" + "v" * (98 + n)), "header-too-large"),
        "header_count": (lambda n: stomp("SEND", "destination:/topic/a", *["k%d:v" % i for i in range(7 + n)]),
                         "header-too-large"),
        "header_bytes": (lambda n: stomp("SEND", "destination:/topic/a", *["k%d:" % i + "v" * 90 for i in range(4)],
                                         "l:" + "v" * (400 - 20 - 4 * 93 - 2 + n)), "header-too-large"),
        "frame": (lambda n: stomp("SEND", "destination:/topic/a", body=b"x" * (10240 - 28 + n)), "frame-too-large"),
        "destination_bytes": (lambda n: send_to("/topic/" + "a" * (43 + n)), "bad-destination"),
        "destination_levels": (lambda n: send_to("/topic/" + "/".join("a" * (4 + n))), "bad-destination"),
        "id_bytes": (lambda n: stomp("SUBSCRIBE", "destination:/topic/a", "id:" + "i" * (20 + n)), "bad-frame"),
        "receipt": (lambda n: stomp("SEND", "destination:/topic/a", "receipt:" + "i" * (20 + n)), "bad-frame"),
        "subscriptions": (lambda n: b"".join(stomp("SUBSCRIBE", "destination:/topic/a", "id:%d" % i)
                                             for i in range(3 + n)), "limit-subscriptions"),
        "wildcards": (lambda n: b"".join(stomp("SUBSCRIBE", "destination:/topic/a.*", "id:%d" % i)
                                         for i in range(1 + n)), "limit-subscriptions"),
        "temporary": (lambda n: b"".join(send_to("/temp-queue/%d" % i) for i in range(2 + n)), "limit-queues"),
        "transactions": (lambda n: b"".join(stomp("BEGIN", "transaction:%d" % i) for i in range(2 + n)),
                         "limit-transaction"),
        "transaction_frames": (lambda n: stomp("BEGIN", "transaction:t") +
                               send_to("/topic/a", b"", "transaction:t") * (3 + n), "limit-transaction"),
        "transaction_bytes": (lambda n: stomp("BEGIN", "transaction:t") +
                              send_to("/topic/a", b"x" * (4500 if n else 3500), "transaction:t") * 2,
                              "limit-transaction"),
    }

    @each(combined(TRANSPORTS, CASES))
    def test_P_LIM_01_just_below(self, transport, make, token):
        peer = self.client(transport)
        peer.send(make(0))
        peer.send(stomp("ABORT", "transaction:none", "receipt:end"))
        self.assertEqual(self.assert_refused(peer, "bad-state").get("receipt-id"), "end", token)

    @each(combined(TRANSPORTS, CASES))
    def test_P_LIM_01_just_above(self, transport, make, token):
        # From an address of its own: the log takes only so many lines of one.
        peer = self.client(transport, source="127.0.4.%d" % (zlib.crc32(self.id().encode()) % 250 + 1))
        peer.send(make(1))
        error = self.assert_refused(peer, token)
        # It is counted, and named to the client, by its key.
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("limit", conn=peer.connected["session"])))
        record = self.broker.event("limit", conn=peer.connected["session"])
        self.assertEqual(record["reason"], token)
        self.assertIn(record["limit"].encode(), error.body)

    @each({"connected": (True, 20 * 1024), "before": (False, 2 * 1024)})
    def test_P_LIM_01_websocket_message(self, connected, limit):
        for size in (limit, limit + 1):
            peer = self.peer("ws")
            if connected:
                peer.connect()
                peer.message(b"\n" * size)
            else:
                connect = stomp("CONNECT", "accept-version:1.2")
                peer.message(connect + b"\n" * (size - len(connect)))
            if size == limit:
                self.assertTrue(connected or peer.read_frame().command == "CONNECTED")
                self.assert_lives(peer)
            else:
                peer.read_end()
                self.assertEqual(peer.close_code, 1009)

    @over_transports
    def test_P_LIM_01_before_connected(self, transport):
        for size in (1024, 1025):
            frame = stomp("CONNECT", "accept-version:1.2", *["k%d:" % i + "v" * 60 for i in range(6)])
            octets = b"\n" * (size - len(frame)) + frame
            peer = self.peer(transport)
            peer.send(octets)
            if size == 1024:
                self.assertEqual(peer.read_frame().command, "CONNECTED")
            else:
                self.assert_refused(peer, "frame-too-large")


class Memory(LimitCase):
    """Publishers pause at alarm 1 while consumers go on; at alarm 2 nobody new comes in."""

    growth_max = 64 * MIB
    config = {"limits": {"memory": "16MiB", "memory_alarm_1": "25%", "memory_alarm_2": "50%", "memory_pause": "1500ms",
                         "close_time": "500ms"},
              "heartbeat": {"floor": "50ms"}}

    def level(self):
        record = self.broker.event("memory-alarm")
        return record["level"] if record else 0

    def repeat(self, action, condition):
        end = time.monotonic() + wait_time(20)
        while not condition():
            self.assertLess(time.monotonic(), end, "alarm level %d" % self.level())
            action()

    def fill(self, name, level):
        """Messages in a queue until the alarm has that level; each writer puts in what it can before it is paused."""
        def write():
            peers = [TcpPeer(self.broker.address("tcp")) for _ in range(10 if level > 1 else 1)]
            for peer in peers:
                peer.send(stomp("CONNECT", "accept-version:1.2") + send_to(name, b"x" * 900000))
            pause(0.15)
            for peer in peers:
                peer.close()
        self.repeat(write, lambda: self.level() >= level)

    def drain(self, reader, name):
        def read():
            try:
                reader.read_message(seconds=0.3)
            except TimeoutError:
                pass
        reader.subscribe(name)
        self.repeat(read, lambda: self.level() == 0)

    def test_S_RATE_04_no_publisher_outruns_the_alarm(self):
        """However fast: it is stopped within a turn of its shard, not at the next look at the figures."""
        name = "/queue/memory.fast"
        publisher = self.client("tcp")
        writing = threading.Thread(target=publisher.send, args=(send_to(name, b"x" * 20000) * 2000,))
        writing.start()
        self.assert_refused(publisher, "overload", seconds=4)
        writing.join()
        publisher.close()
        used = scrape(self.broker).get_value("stampede_memory_used_bytes")
        self.assertGreaterEqual(used, 4 * MIB)
        self.assertLess(used, 5 * MIB)
        self.drain(self.client("tcp"), name)

    @over_transports
    def test_S_RATE_04_publishers_pause_and_go_on(self, transport):
        name = "/queue/memory.pause." + transport
        consumer = self.client(transport).subscribe("/queue/memory.other." + transport, "ack:client")
        writer = self.client("tcp").publish("/queue/memory.other." + transport, b"before")
        message = consumer.read_message()
        self.fill(name, 1)
        publisher = self.client(transport, "1.2", "heart-beat:100,0")
        publisher.send(send_to(name, b"x", "receipt:paused-behind-this") + send_to(name, b"y", "receipt:later"))
        self.assertEqual(publisher.read_frame()["receipt-id"], "paused-behind-this")
        with self.assertRaises(TimeoutError):
            publisher.receive(0.6)  # The watch over its heart-beats is suspended too.
        consumer.ask("ACK", "id:" + message["ack"])
        self.assertEqual(self.broker.http("/readyz")[0], 200)
        self.drain(self.client("tcp"), name)
        self.assertEqual(publisher.read_frame()["receipt-id"], "later")
        writer.close()

    @over_transports
    def test_S_RATE_04_too_long_is_refused(self, transport):
        name = "/queue/memory.long." + transport
        publisher = self.client(transport)
        self.fill(name, 1)
        publisher.send(send_to(name, b"x") * 3)
        self.assert_refused(publisher, "overload", seconds=4)
        self.drain(self.client("tcp"), name)

    @over_transports
    def test_S_RATE_04_with_deliveries_outstanding_it_is_refused_at_once(self, transport):
        name = "/queue/memory.unacked." + transport
        peer = self.client(transport).subscribe("/queue/memory.mine." + transport, "ack:client")
        self.client("tcp").publish("/queue/memory.mine." + transport, b"x")
        peer.read_message()
        self.fill(name, 1)
        begin = time.monotonic()
        peer.send(send_to(name, b"x") * 3)
        self.assert_refused(peer, "overload")
        self.assertLess(time.monotonic() - begin, wait_time(1))
        self.drain(self.client("tcp"), name)

    def test_S_RATE_04_alarm_2_refuses_new_connections(self):
        name = "/queue/memory.two"
        old = self.client("tcp")
        self.fill(name, 2)
        answer = self.turned_away("ws")
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer["Retry-After"])
        error = self.turned_away("tcp")
        self.assertEqual(error["message"], "overload")
        self.assertIn(b"limits.memory_alarm_2", error.body)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("limit", limit="limits.memory_alarm_2")))
        self.assertEqual(self.broker.http("/readyz")[0], 503)
        self.assert_lives(old)
        self.drain(old, name)
        self.assertTrue(until(lambda: self.comes_in("ws")))
        self.assertEqual(self.broker.http("/readyz")[0], 200)


if __name__ == "__main__":
    unittest.main()
