"""Limits of connections, descriptors, frames in time, and memory (security, section 3; S-RATE-03, -04)."""
import resource
import socket
import threading
import time
import unittest

from support.broker import MIB, until, wait_time
from support.case import BrokerCase, TRANSPORTS, broker_peer, combined, each, over_transports, send_to, stomp
from support.peers import TcpPeer, WsPeer, upgrade_request


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


class LimitCase(BrokerCase):
    def turned_away(self, transport):
        """A connection that gets nothing, or over HTTP the status."""
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
        self.assertEqual(frames, [])
        peer.close()
        return None

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
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("connection-refused")))
        for peer in peers:
            self.assert_lives(peer)
        peers.pop().close()
        self.assertTrue(until(lambda: self.comes_in(transport)))
        for peer in peers:
            peer.close()
        self.assertTrue(until(lambda: self.comes_in("tcp")))


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


class PerAddress(LimitCase):
    """Loopback is not counted, so this needs another address of the machine."""

    config = {"limits": {"connections_per_ip": 5, "unauthenticated_per_ip": 3}}
    arguments = ("--insecure-no-auth", "--insecure-no-tls", "--tcp", "0.0.0.0:0", "--ws", "0.0.0.0:0")

    @classmethod
    def setUpClass(cls):
        cls.own = public_address()
        if cls.own is None:
            raise unittest.SkipTest("this machine has no address but loopback")
        from support.broker import Broker  # pylint: disable=import-outside-toplevel
        cls.broker = Broker(cls.config, cls.arguments, listeners=False)
        cls.addClassCleanup(cls.broker.kill)
        ports = {kind: cls.broker.address(kind)[1] for kind in ("tcp", "ws", "admin")}
        cls.broker.address = lambda kind: ("127.0.0.1", ports[kind])
        cls.public = {kind: (cls.own, port) for kind, port in ports.items()}

    def outside(self, transport, **options):
        peer = (TcpPeer if transport == "tcp" else WsPeer)(self.public[transport], source=self.own, **options)
        self.addCleanup(peer.close)
        return peer

    @over_transports
    def test_S_RATE_01_connections_per_address(self, transport):
        peers = [self.outside(("tcp", "ws")[i % 2]).connect() for i in range(5)]
        if transport == "tcp":
            self.assertEqual(self.outside("tcp").read_end(), [])
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
        from support.broker import Broker  # pylint: disable=import-outside-toplevel
        broker = Broker(files=(64, 64))
        self.addCleanup(broker.kill)
        peers = []
        for _ in range(80):
            peer = TcpPeer(broker.address("tcp"))
            self.addCleanup(peer.close)
            peer.send(stomp("CONNECT", "accept-version:1.2"))
            if peer.read_frame() is None:
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
        peer = self.client(transport)
        peer.send(make(1))
        self.assert_refused(peer, token)

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
        self.turned_away("tcp")
        self.assertEqual(self.broker.http("/readyz")[0], 503)
        self.drain(old, name)
        self.assertTrue(until(lambda: self.comes_in("ws")))
        self.assertEqual(self.broker.http("/readyz")[0], 200)


if __name__ == "__main__":
    unittest.main()
