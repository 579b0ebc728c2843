"""What happened to other brokers and can be tried without an account, row by row (docs/cve.md)."""
import http.client
import itertools
import os
import random
import shutil
import socket
import tempfile
import time
import unittest

from support.auth import Place, login, token
from support.broker import JUDGES_MEMORY, MIB, until, wait_time
from support.case import TRANSPORTS, GoodClient, combined, each, over_transports, send_to, stomp
from support.hostile import QUICK, HostileCase
from support.peers import upgrade_request


class Vulnerabilities(HostileCase):
    """Rows that are reachable without accounts."""

    CODE = ["T(java.lang.Runtime).getRuntime().exec('touch %s')", "$(touch %s)", "`touch %s`", "__import__('os').system('touch %s')",
            "#{exec('touch %s')}", "k = 1; touch %s", "system('touch %s')"]

    @each(combined(TRANSPORTS, {"%02d" % i: text for i, text in enumerate(CODE)}))
    def test_CVE_2018_1270_selectors_are_inert(self, transport, text):
        with tempfile.TemporaryDirectory() as folder:
            peer = self.client(transport)
            peer.send(stomp("SUBSCRIBE", "id:1", "destination:/topic/inert",
                            "selector:" + (text % (folder + "/made")).replace(":", "\\c")))
            self.assert_refused(peer, "bad-selector")
            # As a text it is compared, and no more.
            peer = self.client(transport)
            peer.subscribe("/topic/inert", "selector:k = '%s'" % (text % (folder + "/made")).replace("'", "''"))
            peer.publish("/topic/inert", b"x", "k:" + text % (folder + "/made"))
            self.assertEqual(peer.read_message().body, b"x")
            self.assertEqual(os.listdir(folder), [])

    def test_CVE_2018_1257_distinct_selectors_leave_nothing(self):
        def burst(start):
            peer = self.client()
            for i in range(start, start + 4000):
                peer.send(stomp("SUBSCRIBE", "id:1", "destination:/topic/selected", "selector:k%d LIKE '%%a%%_%d%%' OR k = %d" % (
                    i, i, i)) + stomp("UNSUBSCRIBE", "id:1"))
            self.assert_lives(peer)
            peer.close()
        burst(0)
        before = self.broker.rss()
        for i in range(1, 5):
            burst(i * 4000)
        if JUDGES_MEMORY:
            self.assertLess(self.broker.rss() - before, 4 * MIB)

    @each(combined(TRANSPORTS, ["CONNECT", "STOMP"]))
    def test_CVE_2026_26448_a_second_connect_ends_it(self, transport, command):
        peer = self.client(transport).subscribe("/queue/hostile.second", "ack:client")
        peer.send(send_to("/queue/hostile.second", b"x") + stomp(command, "accept-version:1.2", "host:h") * 3 +
                  stomp("UNSUBSCRIBE", "id:0"))
        self.assertEqual([frame.command for frame in peer.read_end() if frame.command != "MESSAGE"], ["ERROR"])

    @over_transports
    def test_CVE_2022_22971_closed_at_the_first_bad_frame(self, transport):
        draw = random.Random(1)
        for _ in range(300):
            octets = bytearray(send_to("/topic/hostile", b"x" * draw.randrange(50), "key:value"))
            for _ in range(draw.randrange(1, 6)):
                octets[draw.randrange(len(octets))] = draw.randrange(256)
            peer = self.client(transport)
            peer.send(bytes(octets) * 2)
            frames = self.finish(peer)
            self.assertLessEqual(sum(frame.command == "ERROR" for frame in frames), 1)
            peer.close()

    @over_transports
    def test_CVE_2025_41254_frames_before_connect_have_no_effect(self, transport):
        watcher = self.client().subscribe("/topic/hostile.early")
        for frames in (send_to("/topic/hostile.early", b"x"), stomp("SUBSCRIBE", "id:1", "destination:/topic/a") +
                       send_to("/topic/hostile.early", b"x"),
                       stomp("CONNECT", "accept-version:9", "host:h") + send_to("/topic/hostile.early", b"x")):
            peer = self.peer(transport)
            peer.send(frames)
            self.assertEqual(peer.read_end()[-1].command, "ERROR")
        self.assert_silent(watcher)

    @over_transports
    def test_CVE_2026_26447_subscribe_unsubscribe_and_close_in_any_order(self, transport):
        draw = random.Random(2)
        for _ in range(60):
            peer = self.client(transport)
            for _ in range(40):
                number, kind = draw.randrange(4), draw.choice(("queue", "topic", "temp-queue"))
                peer.send(draw.choice((
                    stomp("SUBSCRIBE", "id:%s%d" % (kind, number), "destination:/%s/h%d" % (kind, number), "ack:" +
                          draw.choice(("auto", "client", "client-individual"))),
                    stomp("UNSUBSCRIBE", "id:%s%d" % (kind, number)),
                    send_to("/%s/h%d" % (kind, number), b"x"))))
            if draw.randrange(2):
                peer.send(stomp("DISCONNECT"))
            peer.close()

    @over_transports
    def test_CVE_2026_26445_half_frames_do_not_wedge_the_loop(self, transport):
        peers = []
        for i in range(400):
            peer = self.client(transport)
            peer.send((b"SEND\ndestination:/topic/a\n\nhalf", b"S", b"SEND\ndesti", b"SEND\nk:v\ncontent-length:1000\n\nx")
                      [i % 4])
            peers.append(peer)
        begin = time.monotonic()
        self.client(transport).subscribe("/topic/hostile.new").publish("/topic/hostile.new", b"x")
        self.assertLess(time.monotonic() - begin, wait_time(1))
        for peer in peers:
            self.assertEqual(peer.read_end(seconds=20)[-1]["message"], "frame-timeout")

    LENGTHS = ["-1", "+1", "1e3", "0x10", " 5", "2147483648", "4294967296", "9223372036854775808", "18446744073709551616",
               "", "5,5", "1048577"]

    @each(combined(TRANSPORTS, {"%02d" % i: text for i, text in enumerate(LENGTHS)}))
    def test_CVE_2026_49432_content_length_before_login(self, transport, text):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "content-length:" + text, end=b""))
        self.assertIn(peer.read_end()[-1]["message"], ("bad-frame", "frame-too-large"))

    @each(combined(TRANSPORTS, ["accepted", "connected"]))
    def test_CVE_2026_53916_a_million_short_headers(self, transport, state):
        peer = self.peer(transport)
        if state == "connected":
            peer.connect()
        peer.send(b"SEND\n" if state == "connected" else b"CONNECT\n")
        for _ in range(100):
            if not peer.send(b"a:\n" * 5000):
                break
        self.assertIn(peer.read_end()[-1]["message"], ("header-too-large", "frame-too-large"))

    @each(combined(TRANSPORTS, ["accepted", "connected"]))
    def test_CVE_2026_44891_one_line_without_end(self, transport, state):
        peer = self.peer(transport)
        if state == "connected":
            peer.connect()
        before = self.broker.rss()
        peer.send(b"SEND\nk:" if state == "connected" else b"CONNECT\nk:")
        for _ in range(400):
            if not peer.send(b"v" * 8000):
                break
        frames = peer.read_end()
        self.assertTrue(peer.close_code == 1009 or frames[-1]["message"] in ("header-too-large", "frame-too-large"))
        self.assertLess(self.broker.rss() - before, 4 * MIB)

    ACCUMULATIONS = {"headers": [b"CONNECT\n"] + [b"k%d:" % i + b"v" * 2000 + b"\n" for i in range(20)],
                     "body": [b"CONNECT\n\n"] + [b"b" * 1000] * 30, "line_ends": [b"\n" * 1000] * 30,
                     "nuls": [b"\0" * 1000] * 30, "declared_body": [b"CONNECT\ncontent-length:16000\n\n"] + [b"b" * 1000] *
                     30}

    @each(combined(TRANSPORTS, {name: (parts,) for name, parts in ACCUMULATIONS.items()}))
    def test_PR_17116_nothing_accumulates_before_connected(self, transport, parts):
        peer = self.peer(transport)
        for part in parts:
            if not peer.send(part):
                break
        frames = peer.read_end()
        self.assertTrue(frames or peer.close_code == 1009)
        if frames:
            self.assertIn(frames[-1]["message"], ("frame-too-large", "header-too-large", "bad-frame"))

    @over_transports
    def test_CVE_2026_33219_many_connections_with_the_most_they_may_send(self, transport):
        before = self.broker.rss()
        peers = [self.peer(transport) for _ in range(700)]
        for peer in peers:
            peer.send(b"CONNECT\n" + b"k:" + b"v" * 8000 + b"\nl:" + b"v" * 7000)
        self.check_good_client()
        if JUDGES_MEMORY:
            self.assertLess(self.broker.rss() - before, 700 * 24 * 1024 + 8 * MIB)

    @over_transports
    def test_CVE_2025_27533_nothing_is_allocated_by_declared_size(self, transport):
        peers = [self.client(transport) for _ in range(100)]
        before = self.broker.rss()
        for peer in peers:
            peer.send(stomp("SEND", "destination:/topic/a", "content-length:1000000", body=b"x", end=b""))
        self.check_good_client()
        self.assertLess(self.broker.rss() - before, 8 * MIB)

    @over_transports
    def test_CVE_2026_66071_nothing_is_kept_under_names_of_users(self, transport):
        def burst(start):
            peer = self.client(transport)
            for i in range(start, start + 5000):
                peer.send(stomp("SUBSCRIBE", "id:%d" % i, "destination:/topic/interned.%d" % i) +
                          stomp("UNSUBSCRIBE", "id:%d" % i) + stomp("BEGIN", "transaction:%d" % i) +
                          stomp("ABORT", "transaction:%d" % i))
            self.assert_lives(peer)
            peer.close()
        burst(0)
        before = self.broker.rss()
        for i in range(1, 6):
            burst(i * 5000)
        self.assertLess(self.broker.rss() - before, 8 * MIB)

    @over_transports
    def test_CVE_2026_59920_nothing_can_be_injected_into_echoed_headers(self, transport):
        # The peer refuses frames with repeated headers, raw line ends or wrong escapes.
        peer = self.client(transport, "1.2", "request-id:a\\nb").subscribe("/topic/hostile.inject")
        self.assertEqual(peer.connected["response-id"], "a\\nb")
        peer.ask("BEGIN", "transaction:t")
        for text in ("x\\nreceipt-id\\cforged", "x\\r\\n\\r\\n", "\\\\n\\c", "%00%0a"):
            peer.send(stomp("UNSUBSCRIBE", "id:" + text, "receipt:" + text))
            receipt = peer.read_frame()
            self.assertEqual([name for name, _ in receipt.headers], ["receipt-id"])
            peer.send(stomp("SUBSCRIBE", "id:" + text, "destination:/topic/hostile.inject\\c" + text.replace("\\n", "")
                            .replace("\\r", "")))
            peer.send(stomp("SEND", "destination:/topic/hostile.inject", text + ":v", "v:" + text))
            self.assertEqual(peer.read_message()["destination"], "/topic/hostile.inject")

    @over_transports
    def test_CVE_2017_7653_text_subscribers_never_see_what_is_not_text(self, transport):
        reader = self.client("ws").subscribe("/topic/hostile.text")
        peer = self.client(transport)
        for body in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"ok\xf5"):
            peer.send(send_to("/topic/hostile.text", body))
            self.assertEqual(reader.read_message().body, body)  # The peer checks the opcode.

    @over_transports
    def test_CVE_2026_54475_temporary_destinations_are_not_taken_over(self, transport):
        owner = self.client(transport).subscribe("/temp-queue/mine", "ack:client-individual", id="/temp-queue/mine")
        other = self.client(transport, "1.2", "login:guest", "passcode:guest").subscribe("/topic/hostile.ask")
        owner.publish("/topic/hostile.ask", b"?", "reply-to:/temp-queue/mine")
        address = other.read_message()["reply-to"]
        self.assertGreaterEqual(len(address.rsplit("/", 1)[1]), 22)  # 128 bits.
        other.subscribe("/temp-queue/mine", id="/temp-queue/mine")
        other.publish(address, b"answer")
        message = owner.read_message()
        self.assertEqual(message.body, b"answer")
        self.assert_silent(other)  # A name of its own.
        for frame in (stomp("ACK", "id:" + message["ack"]), stomp("NACK", "id:" + message["ack"]),
                      stomp("SUBSCRIBE", "id:2", "destination:" + address)):
            thief = self.client(transport, "1.2", "login:guest", "passcode:guest")
            thief.send(frame)
            self.assertIn(thief.read_end()[-1]["message"], ("bad-state", "access-denied"))
        owner.ask("ACK", "id:" + message["ack"])

    @over_transports
    def test_CVE_2026_27446_no_client_makes_the_broker_connect_anywhere(self, transport):
        with socket.create_server(("127.0.0.1", 0)) as bait:
            bait.setblocking(False)
            where = "127.0.0.1:%d" % bait.getsockname()[1]
            for url in ("tcp://" + where, "stomp://" + where, "http://%s/x" % where, "failover:(tcp://%s)" % where, "//" + where):
                for lines in (["destination:" + url], ["destination:/topic/a", "reply-to:" + url], ["destination:/queue/" + url],
                              ["destination:/queue/bait", "x-dead-letter-exchange:" + url],
                              ["destination:/topic/a", "federation:" + url, "_AMQ_BRIDGE:" + url, "JMSReplyTo:" + url]):
                    for command in ("SEND", "SUBSCRIBE"):
                        peer = self.client(transport, "1.2", "host:" + url, "client-id:" + url)
                        peer.send(stomp(command, "id:1", *lines))
                        self.finish(peer)
                        peer.close()
            self.assertRaises(BlockingIOError, bait.accept)

    @each(["ws", "admin"])
    def test_CVE_2018_15756_ranges_are_ignored(self, kind):
        for count in (700, 10000):
            with socket.create_connection(self.broker.address(kind), timeout=wait_time(5)) as sock:
                ranges = ",".join("%d-%d" % (i % 10, i % 10) for i in range(count))
                request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nRange: bytes=%s\r\n\r\n" % ranges
                sock.sendall(request.encode())
                try:
                    status = int(sock.recv(65536)[9:12])
                except ConnectionResetError:  # The refusal of too large a head need not be waited for.
                    status = 431
            self.assertIn(status, (200 if kind == "admin" else 404, 431) if count == 700 else (431,))

    @each(combined(TRANSPORTS, ["SHUTDOWN", "ADMIN", "QUIT", "RESTART", "EXEC", "AUTH", "STATS", "PURGE", "DELETE"]))
    def test_CVE_2014_3576_there_are_no_administrative_commands(self, transport, command):
        peer = self.client(transport)
        peer.send(stomp(command, "receipt:r"))
        self.assert_refused(peer, "bad-frame")

    INJECTIONS = {"new_json": 'x","level":"error","event":"forged\n{"event":"forged"}', "ansi": "\x1b[31mred\x1b[0m",
                  "format": "%s%n%x{}{0}", "c1": "\u009b31m", "newline": "a\\nb\\r\\nc", "long": "y" * 3900,
                  "bidi": "\u202eevil"}

    @each(combined(TRANSPORTS, INJECTIONS))
    def test_CVE_2019_11287_log_lines_cannot_be_forged(self, transport, text):
        for line in ("login:" + text, "accept-version:" + text, "heart-beat:" + text, "host:" + text):
            peer = self.peer(transport)
            peer.send(stomp("CONNECT", line))
            self.finish(peer)
        peer = self.client(transport)
        peer.send(stomp("SEND", "destination:" + text))
        self.finish(peer)
        if transport == "ws":
            peer = self.peer("ws", upgrade=False)
            peer.raw(upgrade_request("/ws?" + text.encode("utf-8").decode("latin-1"),
                                     fields=[("Origin", text.encode().decode("latin-1"))]))
        self.assertIsNone(self.broker.event("forged"))
        raw = self.broker.log_text()
        self.assertFalse([c for c in raw if c != "\n" and (ord(c) < 32 or 0x7f <= ord(c) < 0xa0)])

    def test_NATS_2026_27_paths_that_are_not_there(self):
        # Without the token nobody learns what is there, and what is not.
        for path in ("/metrics", "/debug/pprof", "/console", "/varz", "/connz", "/readyz/../x", "/api/v1/overview"):
            self.assertEqual(self.broker.http(path)[0], 401, path)
        token = {"Authorization": "Bearer " + self.broker.admin_token()}
        for path in ("/debug/pprof", "/console", "/varz", "/connz", "/readyz/../x", "/api/v1/nothing"):
            connection = http.client.HTTPConnection(*self.broker.address("admin"), timeout=wait_time(10))
            self.addCleanup(connection.close)
            connection.request("GET", path, headers=token)
            self.assertEqual(connection.getresponse().status, 404, path)


class FailedLogins(HostileCase):
    """A broker with users and tokens, of which nothing fits."""

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        # Few enough connections that one which is still counted is missed.
        cls.config = {**cls.place.config(), "limits": {**QUICK["limits"], "connect_time": "10s", "connections": 40,
                                                       "connections_per_user": 3}}
        super().setUpClass()
        cls.addresses = itertools.count(256)

    @classmethod
    def good_client(cls):
        return GoodClient(cls.broker, login=login("anna", "hunter2-canary"))

    def connect_lines(self):
        """What is sent, and the token of the refusal. Hashing takes its time, so there are few passcodes."""
        lines = [login("anna", "guess %d" % i) for i in range(8)] + [login("nobody.%d" % i, "guess") for i in range(8)]
        lines += [login("u" * 4000, "p" * 4000), login("anna", ""), ("login:anna",), login("guest", "guest"), ()] * 4
        for i in range(40):
            bad = token(secret=b"another secret of thirty-two octets", sub="user.%d" % i)
            lines += [("passcode:" + bad,), ("Authorization:Bearer " + bad,), ("passcode:" + token(aud="other.%d" % i),),
                      ("passcode:" + token()[:-i - 1],), ("Authorization:Bearer " + "a.b.c" * (i + 1),)]
        return [(line, "auth-failed") for line in lines] + [(("passcode:" + token(lifetime=-60),), "token-expired")] * 20

    def burst(self, transport):
        """Each from an address of its own, some at a time."""
        lines = self.connect_lines()
        for start in range(0, len(lines), 16):
            peers = []
            for line, refusal in lines[start:start + 16]:
                number = next(self.addresses)
                peer = self.peer(transport, source="127.%d.%d.%d" % (number >> 16, number >> 8 & 255, number & 255))
                peer.send(stomp("CONNECT", "accept-version:1.2", *line))
                peers.append((peer, refusal))
            for peer, refusal in peers:
                self.assert_refused(peer, refusal, seconds=20)
                peer.close()

    @over_transports
    def test_CVE_2017_7651_failed_logins_leave_nothing(self, transport):
        self.check_good_client()
        descriptors = self.broker.descriptors()
        self.burst(transport)
        before = self.broker.rss()
        for _ in range(3):
            self.burst(transport)
        if JUDGES_MEMORY:
            self.assertLess(self.broker.rss() - before, 2 * MIB)
        self.assertTrue(until(lambda: self.broker.descriptors() <= descriptors, 5))
        # Neither the broker's count nor anna's has moved: one of hers is the good client.
        for _ in range(2):
            self.client(transport, "1.2", *login("anna", "hunter2-canary"))
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "hunter2-canary")))
        self.assert_refused(peer, "limit-connections", seconds=20)


if __name__ == "__main__":
    unittest.main()
