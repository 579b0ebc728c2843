"""Hostile octets: every case ends in time, others are served meanwhile, memory stays bounded (security, section 3 and 4).

Names that begin with a CVE are rows of the table in the security specification, section 4.
"""
import random
import resource
import socket
import struct
import time
import unittest

from support.broker import JUDGES_MEMORY, MIB, Broker, until, wait_time
from support.case import TRANSPORTS, BrokerCase, GoodClient, OwnBrokerCase, combined, each, over_transports, send_to, stomp
from support.faults import CLIENT_COMMANDS, lines_of
from support.peers import BINARY, CONTINUATION, PING, TEXT, upgrade_request, ws_close, ws_frame

QUICK = {"limits": {"idle_topics": 1000, "connect_time": "700ms", "upgrade_time": "500ms", "frame_time": "500ms", "close_time": "500ms",
                    "linger_time": "300ms", "frame_time_max": "1s"}}


class HostileCase(BrokerCase):
    config = QUICK
    growth_max = 32 * MIB

    def tearDown(self):
        super().tearDown()
        self.check_good_client()

    def finish(self, peer, seconds=5):
        """The peer says goodbye; the broker must end the connection. All frames that came."""
        if peer.transport == "ws":
            if not peer.sent_close:
                peer.sent_close = True
                peer.raw(ws_close(1000))
        else:
            try:
                peer.half_close()
            except OSError:
                pass
        return peer.read_end(seconds)


class WebSocket(HostileCase):
    """Beyond what the matrix plays (test_matrix.py)."""

    @each({"lead": (b"\xe2", b"\x28\xa1"), "second": (b"\xe2\x82", b"\x28"), "surrogate": (b"\xed", b"\xa0\x80"),
           "overlong": (b"\xf0", b"\x80\x80\x80"), "too_high": (b"\xf4", b"\x90\x80\x80")})
    def test_P_WS_08_invalid_utf8_across_fragments(self, one, two):
        peer = self.client("ws")
        peer.raw(ws_frame(TEXT, b"SEND\ndestination:/topic/a\n\n" + one, fin=False) + ws_frame(CONTINUATION, two))
        self.assert_closed(peer, 1007)

    @each(["ERROR", "RECEIPT"])
    def test_P_WS_15_a_close_right_behind_the_last_frame(self, answer):
        frame = stomp("DISCONNECT", "receipt:r") if answer == "RECEIPT" else stomp("ABORT", "transaction:none")
        for before in (b"", send_to("/topic/hostile", b"x" * 500000)):
            peer = self.client("ws")
            peer.sent_close = True
            begin = time.monotonic()
            peer.raw(ws_frame(BINARY, before + frame + b"\n" * 100000) + ws_close(1000))
            self.assertEqual([frame.command for frame in peer.read_end()], [answer])
            self.assertEqual(peer.close_code, 1000 if answer == "RECEIPT" else 1002)
            self.assertLess(time.monotonic() - begin, wait_time(0.25), "it waited for a close frame that had come")

    @each({"header_1": b"\x82", "header_2": b"\x82\x85", "header_5": b"\x82\xfe\x00", "mask": b"\x82\x85\x01\x02",
           "payload": ws_frame(BINARY, b"\n" * 100)[:-50], "fragment": ws_frame(TEXT, b"\n", fin=False),
           "control": ws_frame(PING, b"x" * 50)[:-1], "long_fragment": ws_frame(BINARY, b"\n", length=10000)})
    def test_P_CONN_11_cut_frames_before_connect_end_in_time(self, octets):
        peer = self.peer("ws")
        peer.raw(octets)
        peer.read_end(seconds=5)

    def test_CVE_2026_62389_endless_empty_continuations(self):
        for state in ("accepted", "connected"):
            peer = self.peer("ws")
            if state == "connected":
                peer.connect()
            peer.raw(ws_frame(BINARY, b"", fin=False) + ws_frame(CONTINUATION, b"", fin=False) * 5000)
            self.assert_closed(peer, 1008, "abuse")

    def test_S_RATE_01_endless_empty_messages(self):
        peer = self.client("ws")
        peer.raw(ws_frame(TEXT, b"") * 999)
        self.assert_lives(peer)
        peer.raw(ws_frame(TEXT, b"") * 1500)
        self.assert_closed(peer, 1008, "abuse")

    def test_S_RATE_01_a_heart_beat_is_no_barren_frame(self):
        peer = self.client("ws")
        for _ in range(20):
            peer.raw(ws_frame(TEXT, b"\n") * 100)
        self.assert_lives(peer)

    def test_CVE_2026_67232_CVE_2018_1000518_no_decompression(self):
        bomb = b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a" + b"\x00" * 50000
        peer = self.client("ws")
        before = self.broker.rss()
        peer.raw(ws_frame(BINARY, bomb, rsv=4))
        self.assert_closed(peer, 1002)
        self.assertLess(self.broker.rss() - before, 2 * MIB)


HTTP_FAULTS = {
    "junk": b"\x00\x01\x02\x03\r\n\r\n", "only_crlf": b"\r\n\r\n", "lf_only": upgrade_request().replace(b"\r\n", b"\n"),
    "no_target": b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n", "no_version": b"GET /ws\r\nHost: localhost\r\n\r\n",
    "blank_before_colon": upgrade_request(fields=[("X ", "y")]), "folded": upgrade_request().replace(
        b"Upgrade: websocket", b"Upgrade:\r\n websocket"),
    "nul_in_name": upgrade_request(fields=[("X\0Y", "z")]), "nul_in_value": upgrade_request(fields=[("X", "y\0z")]),
    "cr_in_value": upgrade_request(fields=[("X", "y\rz")]), "lf_in_value": upgrade_request(fields=[("X", "y\nInjected: z")]),
    "octet_80": upgrade_request(fields=[("X", "\x80\xff")]), "no_colon": upgrade_request().replace(b"Host: ", b"Host "),
    "empty_name": upgrade_request(fields=[("", "y")]), "long_target": upgrade_request("/" + "a" * 7000),
    "very_long_target": upgrade_request("/" + "a" * 20000), "long_method": b"A" * 5000 + b" /ws HTTP/1.1\r\n\r\n",
    "control_in_target": upgrade_request("/w\x01s"), "blank_in_target": upgrade_request("/w s"),
    "fragment_in_target": upgrade_request("/ws#x"), "authority_form": upgrade_request("localhost:80", method="CONNECT"),
    "te_and_length": upgrade_request(fields=[("Transfer-Encoding", "chunked"), ("Content-Length", "4")]) + b"0\r\n\r\n",
    "two_lengths": upgrade_request(fields=[("Content-Length", "0"), ("Content-Length", "5")]),
    "negative_length": upgrade_request(fields=[("Content-Length", "-1")]),
    "huge_length": upgrade_request(fields=[("Content-Length", "99999999999999999999")]),
    "length_list": upgrade_request(fields=[("Content-Length", "0, 0")]),
    "smuggled": upgrade_request(fields=[("Content-Length", "44")]) + b"GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two_requests": upgrade_request("/none") + upgrade_request("/ws"), "http_0_9": b"GET /ws\r\n\r\n",
    "http_2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "proxy_v1": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" +
    upgrade_request(), "proxy_v2": b"\r\n\r\n\x00\r\nQUIT\n" + b"\x21\x11\x00\x0c" + b"\0" * 12 + upgrade_request(),
    "tls_hello": bytes.fromhex("16030100050100000100"), "stomp": b"CONNECT\naccept-version:1.2\n\n\0",
    "websocket_frame": ws_frame(TEXT, b"hello"), "many_fields": upgrade_request(fields=[("X%d" % i, "y") for i in
                                                                                     range(2000)]),
    "one_huge_field": upgrade_request(fields=[("X", "y" * 200000)]), "endless_lines": b"GET /ws HTTP/1.1\r\n" + b"a:b\r\n" *
    5000, "many_hosts": upgrade_request(fields=[("Host", "localhost")] * 5), "many_keys": upgrade_request(
        fields=[("Sec-WebSocket-Key", "B" * 22 + "==")] * 5), "many_protocols": upgrade_request(
            protocols=["p%d" % i for i in range(600)]), "bad_protocols": upgrade_request(protocols=[",", "\"", "v12.stomp\r"]),
    "expect": upgrade_request(fields=[("Expect", "100-continue")]), "h2c": upgrade_request(leave_out=["Upgrade"], fields=[
        ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")]),
    "origin_controls": upgrade_request(fields=[("Origin", "http://a\tb")]), "shellshock": upgrade_request(
        fields=[("User-Agent", "() { :;}; /bin/true")]), "many_ranges": upgrade_request("/none", fields=[
            ("Range", "bytes=" + ",".join("%d-%d" % (i, i) for i in range(800)))]),
    "dot_dot": upgrade_request("/../../etc/passwd"), "encoded_dot_dot": upgrade_request("/%2e%2e/%2e%2e/etc/passwd"),
    "bad_percent": upgrade_request("/%zz%"), "backslash": upgrade_request("\\ws"), "utf16": upgrade_request().decode(
        "latin-1").encode("utf-16"),
}


class HttpMatrix(HostileCase):
    @each({name: (octets,) for name, octets in HTTP_FAULTS.items()})
    def test_S_WEB_05_faulty_requests_are_answered_or_closed(self, octets):
        peer = self.peer("ws", upgrade=False)
        peer.raw(octets)
        try:
            answer = peer.read_answer()
        except AssertionError:
            self.assertTrue(peer.ended)
            return
        self.assertIn(answer.status, (101, 400, 403, 404, 405, 408, 421, 426, 431, 505), octets[:200])
        if answer.status == 101:
            peer.read_end(seconds=5)
        else:
            while peer.receive(5):
                self.assertNotIn(b"HTTP/1.1 101", bytes(peer.buffer))
                self.assertNotIn(b"Injected", bytes(peer.buffer))

    def test_CVE_2023_46118_a_body_without_end(self):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(method="POST", fields=[("Content-Length", "1000000000")]))
        before = self.broker.rss()
        for _ in range(200):
            if not peer.raw(b"x" * 65536):
                break
        self.assertLess(self.broker.rss() - before, 4 * MIB)


class Vulnerabilities(HostileCase):
    """Rows that are reachable without accounts."""

    @over_transports
    def test_CVE_2018_1270_selectors_are_inert(self, transport):
        peer = self.client(transport)
        peer.send(stomp("SUBSCRIBE", "id:1", "destination:/topic/a",
                        "selector:T(java.lang.Runtime).getRuntime().exec('touch /tmp/x')"))
        self.assertEqual(peer.read_end()[-1].command, "ERROR")

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
    def test_CVE_2017_7651_failed_logins_leave_nothing(self, transport):
        def burst():
            for _ in range(600):
                peer = self.peer(transport)
                peer.send(stomp("CONNECT", "accept-version:1.2", "login:" + "u" * 4000, "passcode:" + "p" * 4000))
                self.assertEqual(peer.read_end()[-1]["message"], "auth-failed")
                peer.close()
        burst()
        before, descriptors = self.broker.rss(), self.broker.descriptors()
        for _ in range(3):
            burst()
        self.assertLess(self.broker.rss() - before, 4 * MIB)
        self.assertTrue(until(lambda: self.broker.descriptors() <= descriptors + 2))

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

    @over_transports
    def test_S_RATE_01_a_thousand_connections_that_come_and_go(self, transport):
        for _ in range(1000):
            peer = self.peer(transport, **({"upgrade": False} if transport == "ws" else {}))
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # Ends with a reset.
            peer.close()

    @over_transports
    def test_P_ERR_05_resets_at_every_point_of_a_conversation(self, transport):
        script = [stomp("CONNECT", "accept-version:1.2", "host:h"), stomp("SUBSCRIBE", "id:1", "destination:/queue/reset",
                                                                         "ack:client"), stomp("BEGIN", "transaction:t"),
                  send_to("/queue/reset", b"x" * 1000), send_to("/queue/reset", b"x", "transaction:t"),
                  stomp("COMMIT", "transaction:t"), stomp("DISCONNECT", "receipt:r")]
        for steps in range(len(script) + 1):
            for cut in (None, 1, 10):
                peer = self.peer(transport)
                for octets in script[:steps]:
                    peer.send(octets)
                if cut and steps < len(script):
                    peer.send(script[steps][:cut])
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()

    def test_S_WEB_07_the_health_listener_is_robust(self):
        host = self.broker.address("admin")
        for octets in (b"", b"GET", b"GET /readyz HTTP/1.1\r\n\r\n", b"POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: "
                       b"99999999\r\n\r\n", b"\0" * 100000, b"GET /" + b"a" * 100000, b"GET / HTTP/9.9\r\n\r\n",
                       b"X:" * 50000, bytes.fromhex("1603010005"), b"GET /api/v1/definitions HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(host, timeout=wait_time(5)) as sock:
                try:
                    sock.sendall(octets)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass
                except OSError:
                    pass
        self.assertEqual(self.broker.http("/healthz")[0], 200)

    def test_NATS_2026_27_paths_that_are_not_there(self):
        for path in ("/", "/metrics", "/debug/pprof", "/console", "/varz", "/connz", "/readyz/../x"):
            self.assertEqual(self.broker.http(path)[0], 404, path)
        # Without the token nobody learns what is there.
        self.assertEqual(self.broker.http("/api/v1/overview")[0], 401)


@unittest.skipUnless(JUDGES_MEMORY, "a sanitizer has an address space of its own")
class Throws(OwnBrokerCase):
    """A handler that throws costs its connection only."""

    @over_transports
    def test_S_PROC_02_without_memory_one_connection_is_closed(self, transport):
        self.broker = Broker({"limits": {"frame": "64MiB", "close_time": "500ms", "linger_time": "300ms"}})
        self.addCleanup(self.broker.kill)
        good = GoodClient(self.broker)
        peer = self.client(transport)
        with self.broker.short_of(resource.RLIMIT_AS, self.broker.rss("VmSize") + 16 * MIB):
            peer.send(b"SEND\ndestination:/queue/large\ncontent-length:60000000\n\n")
            for _ in range(60):
                if not peer.send(b"x" * 1000000):
                    break
            self.assertEqual(peer.read_end(), [])
            self.assertTrue(self.broker.wait_for(lambda: self.broker.event("handler-failed", err="std::bad_alloc")))
            good.round_trip()
        good.close()
        self.client(transport).subscribe("/topic/after").publish("/topic/after", b"x" * 1000000)
        self.assertEqual(self.broker.stop(), 0)


class Random(HostileCase):
    """Octets from a generator, the same in every run."""

    @each(combined(TRANSPORTS, ["accepted", "connected"], list(range(12))))
    def test_S_AUTH_02_noise(self, transport, state, seed):
        draw = random.Random("%s %s %s" % (transport, state, seed))
        peer = self.peer(transport)
        if state == "connected":
            peer.connect()
        for _ in range(draw.randrange(1, 30)):
            octets = draw.randbytes(draw.randrange(1, 3000))
            if not (peer.raw if draw.randrange(3) else peer.send)(octets):
                break
        self.finish(peer)

    @each(combined(TRANSPORTS, list(range(12))))
    def test_S_AUTH_02_frames_cut_and_pasted(self, transport, seed):
        draw = random.Random("%s %s" % (transport, seed))
        frames = [stomp(command, *lines_of(command)) for command in CLIENT_COMMANDS[2:]]
        peer = self.client(transport)
        for _ in range(60):
            frame = draw.choice(frames)
            if not draw.randrange(20):
                at = draw.randrange(len(frame))
                frame = frame[:at] + draw.choice(frames)[at // 2:]
            if not peer.send(frame):
                break
        self.finish(peer)


if __name__ == "__main__":
    unittest.main()
