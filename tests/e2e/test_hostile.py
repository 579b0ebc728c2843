"""Hostile octets: every case ends in time, others are served meanwhile, memory stays bounded (security, section 3).

The matrix of faults is in test_matrix.py, what happened to other brokers in test_vulnerabilities.py.
"""
import random
import resource
import select
import socket
import struct
import time
import unittest

from support.broker import JUDGES_MEMORY, MIB, Broker, until, wait_time
from support.case import TRANSPORTS, GoodClient, OwnBrokerCase, combined, each, over_transports, send_to, stomp
from support.faults import CLIENT_COMMANDS, lines_of
from support.hostile import HostileCase
from support.peers import BINARY, CONTINUATION, PING, TEXT, upgrade_request, ws_close, ws_frame


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
        begin = time.monotonic()
        while peer.raw(b"x" * 65536):
            self.assertLess(time.monotonic() - begin, wait_time(3), "it takes all that is sent")
        if JUDGES_MEMORY:
            self.assertLess(self.broker.rss() - before, 4 * MIB)
        try:
            self.assertIn(peer.read_answer().status, (400, 405))
            while peer.receive(5):
                pass
        except AssertionError:
            self.assertTrue(peer.was_reset)  # It overtook the answer.
        self.assertTrue(peer.ended)


class Connections(HostileCase):
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

    @over_transports
    def test_P_ERR_05_one_that_keeps_talking_is_gone_after_close_time(self, transport):
        """Neither frames nor heart-beats nor pings behind the ERROR put the end off."""
        before = self.broker.descriptors()
        peer = self.client(transport)
        if transport == "ws":
            peer.sent_close = True  # It answers no close frame.
        begin = time.monotonic()
        peer.send(stomp("ABORT", "transaction:none"))
        self.assertEqual(peer.read_frame()["message"], "bad-state")
        while peer.send(b"\n") and peer.send(send_to("/topic/late", b"x")):
            if transport == "ws" and not peer.raw(ws_frame(PING)):
                break
            self.assertLess(time.monotonic() - begin, wait_time(3), "it may talk on and on")
            select.select([peer], [], [], 0.01)
        self.assertTrue(until(lambda: self.broker.descriptors() <= before))

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
