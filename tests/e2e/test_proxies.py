"""Clients behind proxies: PROXY headers, forwarded fields, and who is local (security, 2.1, 2.4 and section 3)."""
import socket
import ssl
import struct
import unittest

from support.broker import Broker, run_tool, wait_time
from support.case import BrokerCase, OwnBrokerCase, combined, each, make_certificate, over_transports, stomp, TRANSPORTS
from support.peers import upgrade_request

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GUEST = stomp("CONNECT", "accept-version:1.2", "login:guest", "passcode:guest")
NOBODY = stomp("CONNECT", "accept-version:1.2")
STRANGER = "127.0.0.2"  # On this machine, but no trusted proxy.


def line(client, family=None):
    family = family or ("TCP6" if ":" in client else "TCP4")
    return ("PROXY %s %s %s 40000 61613\r\n" % (family, client, "::1" if ":" in client else "10.0.0.1")).encode()


def binary(client, command=1, extra=b""):
    """A version 2 header; no client: UNSPEC."""
    if client is None:
        family, rest = 0, b""
    elif ":" in client:
        family, rest = 0x21, socket.inet_pton(socket.AF_INET6, client) + b"\0" * 16 + b"\1\2\3\4"
    else:
        family, rest = 0x11, socket.inet_pton(socket.AF_INET, client) + b"\12\0\0\1\1\2\3\4"
    return SIGNATURE + struct.pack(">BBH", 0x20 | command, family, len(rest + extra)) + rest + extra


class ProxyCase(OwnBrokerCase):
    """One broker per class whose listeners want a PROXY header from 127.0.0.1."""

    server = {"trusted_proxies": ["127.0.0.1"]}
    listener = {"proxy_protocol": True}
    limits = {"tls_handshake_time": "500ms", "upgrade_time": "500ms", "close_time": "500ms", "linger_time": "300ms"}
    tls = {}

    @classmethod
    def setUpClass(cls):
        config = {"server": cls.server, "limits": cls.limits, "log": {"level": "debug"},
                  "listener": [{"kind": kind, "address": "127.0.0.1:0", **cls.listener} for kind in TRANSPORTS]}
        cls.broker = Broker({**config, **({"tls": cls.tls} if cls.tls else {})}, listeners=False)
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        if code != 0 or cls.broker.event("handler-failed"):
            raise AssertionError("exit code %s:\n%s" % (code, cls.broker.log_text()))

    def tearDown(self):
        BrokerCase.tearDown(self)

    def open(self, transport, header=b"", fields=(), **options):
        """A connection that sent `header`, ready for STOMP."""
        peer = self.peer(transport, **({"upgrade": False} if transport == "ws" else {}), **options)
        if transport == "ws":
            peer.raw(header + upgrade_request(fields=fields))
            self.assertEqual(peer.read_answer().status, 101)
        elif header:
            peer.raw(header)
        return peer

    def assert_remote(self, event, address):
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event(event, remote=address)), self.broker.log_text())


class ProxyHeaders(ProxyCase):
    @each(combined(TRANSPORTS, {"v1": (line,), "v2": (binary,)}, {
        "private": ("10.1.2.3",), "public": ("203.0.113.7",), "v6": ("2001:db8::7",), "almost": ("128.0.0.1",)},
        {"guest": (GUEST,), "nobody": (NOBODY,)}))
    def test_S_BIND_06_CVE_2026_57216_a_client_from_elsewhere_is_not_local(self, transport, header, client, connect):
        peer = self.open(transport, header(client))
        peer.send(connect)
        self.assert_refused(peer, "auth-failed", before=[])
        self.assert_remote("auth-failed", client)

    @each(combined(TRANSPORTS, {"v1": (line,), "v2": (binary,)}, {
        "v4": ("127.0.0.1",), "other": ("127.9.9.9",), "v6": ("::1",), "mapped": ("::ffff:127.0.0.1",)}))
    def test_S_BIND_06_a_client_of_this_machine_is_local(self, transport, header, client):
        self.open(transport, header(client)).connect()
        self.assert_remote("auth-ok", client.replace("::ffff:", ""))

    @each(combined(TRANSPORTS, {"v1": (b"PROXY UNKNOWN\r\n",), "unspecified": (binary(None),), "local": (
        binary(None, command=0),), "local_with_address": (binary("127.0.0.1", command=0),)}))
    def test_S_BIND_02_who_has_no_address_is_not_local(self, transport, header):
        peer = self.open(transport, header)
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")

    @over_transports
    def test_S_BIND_06_extensions_are_skipped(self, transport):
        self.open(transport, binary("127.0.0.1", extra=b"\x04\x01\x00" + b"\n" * 256)).connect()

    @each(combined(TRANSPORTS, {"v1": (line("127.0.0.1"),), "v2": (binary("127.0.0.1", extra=b"x" * 300),)}))
    def test_S_BIND_06_octet_by_octet(self, transport, header):
        peer = self.peer(transport, **({"upgrade": False} if transport == "ws" else {}))
        for octet in header:
            peer.raw(bytes([octet]))
        peer.raw(upgrade_request() if transport == "ws" else b"")
        if transport == "ws":
            self.assertEqual(peer.read_answer().status, 101)
        peer.connect()

    BAD = {"none": GUEST, "http": upgrade_request(), "v1_words": b"PROXY TCP4 10.0.0.1\r\n", "v1_family": line("10.0.0.1", "TCP6"),
           "v1_long": b"PROXY UNKNOWN " + b"x" * 200, "v1_lf": b"PROXY UNKNOWN\n", "v2_version": SIGNATURE + b"\x11\x11\0\0",
           "v2_short": SIGNATURE + b"\x21\x11\0\x04" + b"\0" * 4, "v2_long": SIGNATURE + b"\x21\x11\xff\xff",
           "v2_datagram": SIGNATURE + b"\x21\x12\0\x0c" + b"\0" * 12, "tls": bytes.fromhex("16030100050100000100")}

    @each(BAD)
    def test_S_BIND_06_a_bad_header_is_a_protocol_error_on_tcp(self, octets):
        peer = self.peer("tcp")
        peer.raw(octets)
        self.assert_refused(peer, "bad-frame", before=[])

    @each(BAD)
    def test_S_BIND_06_a_bad_header_is_400_on_websocket(self, octets):
        peer = self.peer("ws", upgrade=False)
        peer.raw(octets)
        self.assertEqual(peer.read_answer().status, 400)
        self.assertFalse(peer.receive())

    def test_S_BIND_06_two_headers_are_one_too_many(self):
        peer = self.peer("tcp")
        peer.raw(line("127.0.0.1") + line("127.0.0.1") + GUEST)
        self.assert_refused(peer, "bad-frame", before=[])

    @each({"good": line("127.0.0.1") + GUEST, "none": GUEST})
    def test_S_BIND_06_only_trusted_proxies_may_connect(self, octets):
        peer = self.peer("tcp", source=STRANGER)
        peer.raw(octets)
        self.assert_refused(peer, "bad-frame", before=[])
        peer = self.peer("ws", source=STRANGER, upgrade=False)
        self.assertEqual(peer.read_answer().status, 400)

    @each(combined(TRANSPORTS, {"nothing": (b"",), "half_v1": (b"PROXY TCP4",), "half_v2": (binary("10.0.0.1")[:20],)}))
    def test_S_BIND_06_the_header_has_the_time_of_the_handshake(self, transport, octets):
        peer = self.peer(transport, **({"upgrade": False} if transport == "ws" else {}))
        peer.raw(octets)
        self.assertFalse(peer.receive())

    @each({"v1": (line("127.0.0.1")), "v2": (binary("127.0.0.1"))})
    def test_S_BIND_02_a_forwarded_request_of_a_local_client_is_not_local(self, header):
        peer = self.open("ws", header, fields=[("X-Forwarded-Proto", "http")])
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")

    def test_S_BIND_06_a_client_behind_the_proxy_forwards_nothing(self):
        peer = self.open("ws", line("203.0.113.9"), fields=[("X-Forwarded-For", "127.0.0.1")])
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")
        self.assert_remote("auth-failed", "203.0.113.9")


class ProxyHeadersBeforeTls(ProxyCase):
    limits = {}

    @classmethod
    def setUpClass(cls):
        folder = make_certificate(cls)
        cls.tls = {"certificate": folder + "/cert.pem", "key": folder + "/key.pem"}
        cls.listener = {"proxy_protocol": True, "tls": True}
        cls.context = ssl.create_default_context(cafile=cls.tls["certificate"])
        super().setUpClass()

    def talk(self, header, octets, source="127.0.0.1"):
        """What the broker sends after the handshake, to its end of the connection or of a frame."""
        with socket.create_connection(self.broker.address("tcp"), wait_time(5), (source, 0)) as sock:
            sock.sendall(header)
            with self.context.wrap_socket(sock, server_hostname="localhost") as secure:
                secure.sendall(octets)
                answer = b""
                while not answer.endswith(b"\0"):
                    answer += secure.recv(4096) or b"(end)\0"
                return answer

    @each({"v1": (line,), "v2": (binary,)})
    def test_S_BIND_06_the_header_comes_before_tls(self, header):
        self.assertIn(b"CONNECTED\n", self.talk(header("127.0.0.1"), GUEST))
        self.assertIn(b"auth-failed", self.talk(header("203.0.113.7"), GUEST))

    @each({"none": (b"", "127.0.0.1"), "bad": (b"PROXY x\r\n", "127.0.0.1"), "stranger": (line("127.0.0.1"), STRANGER)})
    def test_S_BIND_06_without_it_there_is_no_handshake(self, header, source):
        with self.assertRaises(OSError):
            self.talk(header, GUEST, source)


class NoProxyHeaders(ProxyCase):
    """Trusted proxies, but listeners without proxy_protocol."""

    listener = {}

    @each({"v1": line("127.0.0.1"), "v2": binary("127.0.0.1")})
    def test_S_BIND_06_a_header_is_a_protocol_error(self, header):
        peer = self.peer("tcp")
        peer.raw(header + GUEST)
        self.assert_refused(peer, "bad-frame", before=[])
        peer = self.peer("ws", upgrade=False)
        peer.raw(header + upgrade_request())
        self.assertGreaterEqual(peer.read_answer().status, 400)


class ForwardedFields(ProxyCase):
    listener = {}

    @each({"x_for": [("X-Forwarded-For", "203.0.113.7")], "appended": [("X-Forwarded-For", "127.0.0.1, 203.0.113.7")],
           "lines": [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.7")],
           "chain": [("X-Forwarded-For", "::1, 203.0.113.7, 127.0.0.1")], "forwarded": [("Forwarded", "for=203.0.113.7")],
           "forwarded_list": [("Forwarded", 'for=127.0.0.1, for="203.0.113.7:80";proto=https')]})
    def test_S_BIND_06_a_trusted_proxy_says_who_the_client_is(self, fields):
        peer = self.open("ws", fields=fields)
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")
        self.assert_remote("auth-failed", "203.0.113.7")

    @each(["127.0.0.1", "::1", "[::1]:80", "127.0.0.1:5000"])
    def test_S_BIND_06_a_trusted_proxy_may_say_that_it_is_local(self, client):
        self.open("ws", fields=[("X-Forwarded-For", client)]).connect()

    @each({"x_for": [("X-Forwarded-For", "127.0.0.1")], "forwarded": [("Forwarded", "for=127.0.0.1")],
           "broken": [("X-Forwarded-For", "%%")]})
    def test_S_BIND_06_others_say_nothing(self, fields):
        peer = self.open("ws", fields=fields, source=STRANGER)
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")
        self.assert_remote("auth-failed", STRANGER)

    @each({"hidden": ("X-Forwarded-For", "unknown"), "proto": ("X-Forwarded-Proto", "http"), "other": (
        "X-Forwarded-Port", "80"), "host": ("X-Forwarded-Host", "localhost")})
    def test_S_BIND_02_a_request_that_was_forwarded_is_not_local(self, name, value):
        peer = self.open("ws", fields=[(name, value)])
        peer.send(GUEST)
        self.assert_refused(peer, "auth-failed")

    @each({"x_for": [("X-Forwarded-For", "203.0.113.7,")], "forwarded": [("Forwarded", "for")],
           "proto": [("X-Forwarded-Proto", "gopher")], "host": [("X-Forwarded-Host", "a@b")],
           "disagree": [("Forwarded", "for=203.0.113.7"), ("X-Forwarded-For", "203.0.113.8")]})
    def test_S_BIND_06_malformed_fields_are_400(self, fields):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(fields=fields))
        self.assertEqual(peer.read_answer().status, 400)

    def test_S_WEB_01_a_proxy_that_ends_tls_says_so(self):
        fields = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "app.example"),
                  ("Origin", "https://app.example")]
        self.open("ws", fields=fields)
        peer = self.peer("ws", upgrade=False, source=STRANGER)
        peer.raw(upgrade_request(fields=fields))
        self.assertEqual(peer.read_answer().status, 403)


    @each({"line": (True,), "lines": (False,)})
    def test_S_WEB_01_a_proxy_that_appends_leaves_the_client_no_choice(self, is_line):
        def status(protos, hosts):
            fields = [("Origin", "https://app.example"), ("X-Forwarded-For", "203.0.113.7")]
            for name, values in (("X-Forwarded-Proto", protos), ("X-Forwarded-Host", hosts)):
                fields += [(name, ", ".join(values))] if is_line else [(name, value) for value in values]
            peer = self.peer("ws", upgrade=False)
            peer.raw(upgrade_request(fields=fields))
            return peer.read_answer().status

        self.assertEqual(status(["http", "https"], ["evil.example", "app.example"]), 101)
        self.assertEqual(status(["https", "http"], ["app.example"]), 403)
        self.assertEqual(status(["https"], ["app.example", "evil.example"]), 403)


class LimitsByClient(ProxyCase):
    """Limits per address count clients, not the proxy in front of them."""

    limits = {"unauthenticated_per_ip": 2, "exempt": ["198.51.100.0/24"]}
    server = {"trusted_proxies": ["127.0.0.1"]}

    @each({"v1": (line,), "v2": (binary,)})
    def test_S_RATE_01_by_proxy_header(self, header):
        client = "203.0.113.%d" % (1 if header is line else 2)
        first = self.open("tcp", header(client))
        self.open("ws", header(client))
        peer = self.peer("tcp")
        peer.raw(header(client))
        error = peer.read_frame()
        self.assertEqual((error.command, error["message"]), ("ERROR", "limit-connections"))
        self.assertIn(b"limits.unauthenticated_per_ip", error.body)
        peer.read_end()
        self.open("ws", header("203.0.113.99"))
        first.close()
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("ended", remote=client, reason="closed")))
        self.open("ws", header(client))

    def test_S_RATE_01_exempt_clients_are_not_counted(self):
        for _ in range(5):
            self.open("ws", line("198.51.100.7"))


class LimitsByForwardedClient(ProxyCase):
    limits = LimitsByClient.limits
    listener = {}

    def test_S_RATE_01_by_forwarded_field(self):
        fields = [("X-Forwarded-For", "203.0.113.7")]
        peers = [self.open("ws", fields=fields) for _ in range(2)]
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(fields=fields))
        self.assertEqual(peer.read_answer().status, 429)
        self.open("ws", fields=[("X-Forwarded-For", "203.0.113.8")])
        self.assertEqual(len(peers), 2)


class Pages(ProxyCase):
    """Origins, hosts and anonymous access as the operator has set them."""

    server = {"allowed_origins": ["https://app.example"], "allow_missing_origin": False, "allow_loopback_origins": False,
              "external_hosts": ["broker.example"], "allow_anonymous": False}
    listener = {}

    def status(self, *fields, host="localhost"):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(host=host, fields=fields))
        return peer.read_answer().status

    def test_S_WEB_01_listed_origins_may_connect(self):
        self.assertEqual(self.status(("Origin", "https://app.example")), 101)
        self.assertEqual(self.status(("Origin", "https://other.example")), 403)

    def test_S_WEB_02_a_missing_origin_is_403(self):
        self.assertEqual(self.status(), 403)

    def test_S_WEB_03_local_pages_may_not(self):
        self.assertEqual(self.status(("Origin", "http://localhost:3000")), 403)
        self.assertEqual(self.status(("Origin", "http://localhost:3000"), host="localhost:3000"), 101)

    def test_S_WEB_04_external_hosts_are_served(self):
        self.assertEqual(self.status(("Origin", "https://app.example"), host="broker.example:443"), 101)
        self.assertEqual(self.status(("Origin", "https://app.example"), host="evil.example"), 421)

    def test_S_LOG_02_who_is_refused_is_named_with_the_key(self):
        self.assertEqual(self.status(("Origin", "https://named.example")), 403)
        self.assertEqual(self.status(("Origin", "https://app.example"), host="Named.example:80"), 421)
        for why, key in (("Origin https://named.example", "server.allowed_origins"),
                         ("Host named.example", "server.external_hosts")):
            self.assertTrue(self.broker.wait_for(lambda: self.broker.event("denied", why=why)), self.broker.log_text())
            self.assertIn(key, self.broker.event("denied", why=why)["remedy"])

    @each({"guest": GUEST, "nobody": NOBODY})
    def test_S_BIND_04_without_anonymous_access_nobody_comes_in(self, connect):
        peer = self.peer("tcp")
        peer.send(connect)
        self.assert_refused(peer, "auth-failed")


class Commands(unittest.TestCase):
    def test_S_BIND_05_a_bad_network_stops_the_start(self):
        code, _, errors = run_tool("serve", "--tcp", "off", "--ws", "off", "--admin", "off",
                                   environment={"STAMPEDE_SERVER__TRUSTED_PROXIES": "10.0.0.1/8"})
        self.assertEqual(code, 3)
        self.assertIn("10.0.0.0/8", errors)
