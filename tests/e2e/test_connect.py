"""Sections 2 to 6 of the protocol specification on the wire: versions, CONNECT, WebSocket upgrade, TCP, heart-beats."""
import socket
import unittest

from support.broker import until, wait_time
from support.case import BrokerCase, TRANSPORTS, VERSIONS, combined, each, over_transports, over_versions, send_to, stomp
from support.peers import BINARY, PING, PONG, TEXT, upgrade_request, ws_close, ws_frame


class Versions(BrokerCase):
    CHOICES = {"only_1_0": ("1.0", "1.0"), "only_1_1": ("1.1", "1.1"), "only_1_2": ("1.2", "1.2"),
               "all": ("1.0,1.1,1.2", "1.2"), "descending": ("1.2,1.1,1.0", "1.2"), "blanks": (" 1.0 ,  1.1 ", "1.1"),
               "unknown_items": ("2.0,1.1,foo,,9", "1.1"), "repeated": ("1.0,1.0", "1.0"), "gap": ("1.0,1.2", "1.2"),
               "tabs": ("1.0,\t1.1", "1.1")}

    @each(combined(TRANSPORTS, CHOICES, ["CONNECT", "STOMP"]))
    def test_P_VER_01_the_highest_common_version(self, transport, offered, chosen, command):
        peer = self.peer(transport)
        peer.send(stomp(command, "accept-version:" + offered, "host:h"))
        self.assertEqual(peer.read_frame()["version"], chosen)

    @each(combined(TRANSPORTS, ["CONNECT", "STOMP"], {"nothing": (), "v12": ("v12.stomp",)}))
    def test_P_VER_02_no_accept_version_is_1_0(self, transport, command, *protocols):
        peer = self.peer(transport, **({"protocols": protocols} if transport == "ws" else {}))
        peer.send(stomp(command, "host:h", "heart-beat:1000,1000"))
        connected = peer.read_frame()
        self.assertEqual((connected["version"], connected["heart-beat"]), ("1.0", "0,0"))

    @each(combined(TRANSPORTS, {"empty": "", "future": "2.0", "prefix": "1", "suffix": "1.20", "words": "one",
                                "wrong_separator": "1.1;1.2", "blank": "   ", "commas": ",,,"}))
    def test_P_VER_03_no_common_version(self, transport, offered):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:" + offered, "host:h"))
        error = self.assert_refused(peer, "version-unsupported", version="1.0,1.1,1.2")
        for version in (b"1.0", b"1.1", b"1.2"):
            self.assertIn(version, error.body)

    @each(combined({"v10": "1.0", "v11": "1.1", "v12": "1.2"}))
    def test_P_VER_04_the_sub_protocol_decides(self, version):
        peer = self.peer("ws", protocols=["v%s.stomp" % version.replace(".", "")])
        peer.send(stomp("CONNECT", "accept-version:1.0,1.1,1.2", "host:h"))
        self.assertEqual(peer.read_frame()["version"], version)

    def test_P_VER_04_unless_it_is_not_in_accept_version(self):
        peer = self.peer("ws", protocols=["v11.stomp"])
        peer.send(stomp("CONNECT", "accept-version:1.0,1.2", "host:h"))
        self.assertEqual(peer.read_frame()["version"], "1.2")

    @over_transports
    def test_P_VER_05_no_nack_in_1_0(self, transport):
        peer = self.client(transport, "1.0")
        peer.send(stomp("NACK", "message-id:1", "receipt:r"))
        self.assert_refused(peer, "bad-frame", receipt_id="r")

    @each(combined(TRANSPORTS, ["1.1", "1.2"]))
    def test_P_VER_05_subscribe_needs_an_id_from_1_1_on(self, transport, version):
        peer = self.client(transport, version)
        peer.send(stomp("SUBSCRIBE", "destination:/topic/a"))
        self.assert_refused(peer, "missing-header")

    @over_transports
    def test_P_VER_05_1_0_without_id_has_no_subscription_header(self, transport):
        peer = self.client(transport, "1.0")
        peer.ask("SUBSCRIBE", "destination:/topic/versions.no.id")
        peer.publish("/topic/versions.no.id", b"x")
        self.assertNotIn("subscription", peer.read_message())
        peer.ask("UNSUBSCRIBE", "destination:/topic/versions.no.id")
        peer.publish("/topic/versions.no.id", b"x")
        self.assert_silent(peer)


class Connect(BrokerCase):
    @each(combined(TRANSPORTS, ["SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT",
                                "DISCONNECT"]))
    def test_P_CONN_01_only_connect_comes_first(self, transport, command):
        peer = self.peer(transport)
        peer.send(stomp(command, "destination:/topic/a", "id:1", "message-id:1", "transaction:t", "receipt:r"))
        self.assert_refused(peer, "bad-state", receipt_id="r", before=[])

    @each(combined(TRANSPORTS, VERSIONS, ["CONNECT", "STOMP"], ["CONNECT", "STOMP"]))
    def test_P_CONN_03_a_second_connect_is_refused(self, transport, version, first, second):
        peer = self.peer(transport).connect(version, command=first)
        peer.send(stomp(second, "accept-version:" + version, "host:h"))
        self.assert_refused(peer, "bad-state", before=[])

    @over_transports
    def test_P_CONN_04_receipt_earns_nothing(self, transport):
        peer = self.client(transport, "1.2", "receipt:r", "unknown:header", "x-stampede-extensions:all")
        self.assert_silent(peer)

    @over_versions
    def test_P_CONN_05_host_may_be_missing_or_anything(self, transport, version):
        for lines in ((), ("host:",), ("host:no such host / at all",)):
            peer = self.peer(transport)
            peer.send(stomp("CONNECT", "accept-version:" + version, *lines))
            self.assertEqual(peer.read_frame()["version"], version)

    @each(combined(TRANSPORTS, {
        "neither": ((), "anonymous"), "guest": (("login:guest", "passcode:guest"), "guest")}))
    def test_P_CONN_06_who_may_come_in(self, transport, lines, user):
        self.assertEqual(self.client(transport, "1.2", *lines).connected["user-name"], user)

    @each(combined(TRANSPORTS, {
        "wrong_passcode": ("login:guest", "passcode:wrong"), "unknown": ("login:nobody", "passcode:guest"),
        "no_passcode": ("login:guest",), "no_login": ("passcode:guest",), "empty": ("login:", "passcode:"),
        "capital": ("login:Guest", "passcode:guest"), "bearer": ("Authorization:Bearer x",),
        "bearer_and_guest": ("login:guest", "passcode:guest", "Authorization:Basic Z3Vlc3Q6Z3Vlc3Q=")}))
    def test_P_CONN_06_who_may_not(self, transport, *lines):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "host:h", *lines))
        self.assert_refused(peer, "auth-failed", before=[])

    def test_P_CONN_06_an_authorization_of_the_upgrade_counts(self):
        peer = self.peer("ws", fields=[("Authorization", "Bearer token")])
        peer.send(stomp("CONNECT", "accept-version:1.2", "login:guest", "passcode:guest"))
        self.assert_refused(peer, "auth-failed")

    @each(["Forwarded", "X-Forwarded-For", "x-forwarded-host"])
    def test_S_BIND_02_what_came_through_a_proxy_is_not_local(self, field):
        peer = self.peer("ws", fields=[(field, "for=10.0.0.1")])
        peer.send(stomp("CONNECT", "accept-version:1.2"))
        self.assert_refused(peer, "auth-failed")

    @over_transports
    def test_P_CONN_07_the_same_text_for_unknown_user_and_wrong_passcode(self, transport):
        bodies = []
        for login, passcode in (("guest", "secret-a"), ("stranger", "secret-b")):
            peer = self.peer(transport)
            peer.send(stomp("CONNECT", "accept-version:1.2", "login:" + login, "passcode:" + passcode))
            bodies.append(self.assert_refused(peer, "auth-failed").body)
        self.assertEqual(bodies[0], bodies[1])
        self.assertNotIn(b"secret", bodies[0])

    @over_versions
    def test_P_CONN_08_what_connected_carries(self, transport, version):
        peer = self.client(transport, version, "request-id:req-7", "login:guest", "passcode:guest")
        headers = dict(peer.connected.headers)
        self.assertEqual(set(headers), {"version", "session", "server", "heart-beat", "user-name", "response-id"})
        self.assertEqual(headers["response-id"], "req-7")
        self.assertRegex(headers["session"], "^[0-9a-f]{32}$")
        self.assertRegex(headers["server"], "^stampede/[0-9.]+$")
        for value in headers.values():
            self.assertRegex(value, "^[!-9;-~]+$")
        self.assertEqual(peer.connected.body, b"")

    @each(combined(TRANSPORTS, {"blank": "a b", "colon": "a:b", "empty": "", "umlaut": "\u00e4", "tab": "a\tb"}))
    def test_P_CONN_09_values_that_do_not_fit_are_left_out(self, transport, value):
        self.assertNotIn("response-id", self.client(transport, "1.2", "request-id:" + value).connected)

    def test_P_CONN_09_sessions_differ(self):
        sessions = {self.client(transport).connected["session"] for transport in TRANSPORTS for _ in range(50)}
        self.assertEqual(len(sessions), 100)

    @over_versions
    def test_P_CONN_10_pipelined_frames_take_effect_after_connected(self, transport, version):
        peer = self.peer(transport)
        topic = "/topic/pipelined.%s.%s" % (transport, version)
        peer.send(stomp("CONNECT", "accept-version:" + version, "host:h") +
                  stomp("SUBSCRIBE", "destination:" + topic, "id:1") + send_to(topic, b"x"))
        self.assertEqual([peer.read_frame().command for _ in range(2)], ["CONNECTED", "MESSAGE"])

    @over_transports
    def test_P_CONN_10_and_none_if_connect_fails(self, transport):
        watcher = self.client("tcp").subscribe("/topic/pipelined.never")
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "login:evil", "passcode:x") +
                  send_to("/topic/pipelined.never", b"x") + stomp("SUBSCRIBE", "destination:/topic/a", "id:1"))
        self.assert_refused(peer, "auth-failed", before=[])
        self.assert_silent(watcher)


class HiddenVersion(BrokerCase):
    config = {"server": {"hide_version": True}}

    @over_transports
    def test_P_CONN_09_hide_version(self, transport):
        self.assertEqual(self.client(transport).connected["server"], "stampede")


class Upgrade(BrokerCase):
    """P-WS-01 to -05: the HTTP side."""

    @each({"ws": "/ws", "stomp": "/stomp", "ws_websocket": "/ws/websocket", "stomp_websocket": "/stomp/websocket",
           "query": "/ws?token=secret&x=%2F", "empty_query": "/stomp?"})
    def test_P_WS_01_paths(self, path):
        self.peer("ws", path=path).connect()

    def refused(self, request, status):
        peer = self.peer("ws", upgrade=False)
        peer.raw(request)
        answer = peer.read_answer()
        self.assertEqual(answer.status, status, answer.fields)
        while peer.receive():
            pass
        self.assertFalse(peer.was_reset)
        return answer

    @each({"root": "/", "other": "/other", "trailing_slash": "/ws/", "prefix": "/w", "longer": "/wsx", "case": "/WS",
           "below": "/ws/websocket/x", "info": "/ws/info", "sockjs_session": "/ws/000/abc/websocket", "encoded": "/%77s",
           "double_slash": "//ws", "dots": "/x/../ws", "echo_is_off": "/echo", "console": "/console", "api": "/api/v1",
           "metrics": "/metrics", "health": "/healthz", "asterisk": "*", "absolute": "http://localhost/ws",
           "auth": "/auth", "nats": "/leafnode", "mqtt": "/mqtt"})
    def test_P_WS_01_other_paths_are_404(self, path):
        self.refused(upgrade_request(path), 404)

    @each(["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get"])
    def test_P_WS_01_other_methods(self, method):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(method=method))
        self.assertIn(peer.read_answer().status, (405, 400))

    def test_P_WS_01_another_method_is_405(self):
        self.assertEqual(self.refused(upgrade_request(method="POST"), 405)["Allow"], ["GET"])

    @each(["8", "0", "12", "14", "", "13, 8", "x"])
    def test_P_WS_01_another_version_is_426(self, version):
        request = upgrade_request(leave_out=["Sec-WebSocket-Version"], fields=[("Sec-WebSocket-Version", version)])
        self.assertEqual(self.refused(request, 426)["Sec-WebSocket-Version"], ["13"])

    @each(["Upgrade", "Connection", "Sec-WebSocket-Version"])
    def test_P_WS_01_no_upgrade_is_426_with_a_hint(self, missing):
        self.assertEqual(self.refused(upgrade_request(leave_out=[missing]), 426)["Sec-WebSocket-Version"], ["13"])

    @each({"missing": (["Sec-WebSocket-Key"], []), "empty": (["Sec-WebSocket-Key"], [("Sec-WebSocket-Key", "")]),
           "short": (["Sec-WebSocket-Key"], [("Sec-WebSocket-Key", "AAAA")]),
           "long": (["Sec-WebSocket-Key"], [("Sec-WebSocket-Key", "A" * 25 + "==")]),
           "not_base64": (["Sec-WebSocket-Key"], [("Sec-WebSocket-Key", "!" * 22 + "==")]),
           "two": ([], [("Sec-WebSocket-Key", "B" * 22 + "==")])})
    def test_P_WS_01_bad_keys_are_400(self, leave_out, fields):
        self.refused(upgrade_request(leave_out=leave_out, fields=fields), 400)

    @each(["13", "8"])
    def test_P_WS_01_two_versions_are_400(self, second):
        self.refused(upgrade_request(fields=[("Sec-WebSocket-Version", second)]), 400)

    @each({"other": ("Basic Z3Vlc3Q6Z3Vlc3Q=", "Bearer x"), "same": ("Bearer x", "Bearer x"), "empty": ("Bearer x", "")})
    def test_S_AUTH_03_two_authorizations_are_400(self, first, second):
        self.refused(upgrade_request(fields=[("Authorization", first), ("authorization", second)]), 400)

    @each({"connection_list": ("Connection", "keep-alive, Upgrade"), "upgrade_case": ("Upgrade", "WebSocket"),
           "connection_case": ("Connection", "UPGRADE")})
    def test_P_WS_01_forms_of_the_fields(self, name, value):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(leave_out=[name], fields=[(name, value)]))
        self.assertEqual(peer.read_answer().status, 101)

    @each({"all": (["v10.stomp", "v11.stomp", "v12.stomp"], "v12.stomp"), "descending": (
        ["v12.stomp", "v11.stomp", "v10.stomp"], "v12.stomp"), "two": (["v10.stomp", "v11.stomp"], "v11.stomp"),
           "one": (["v10.stomp"], "v10.stomp"), "among_others": (["mqtt", "v11.stomp", "foo"], "v11.stomp")})
    def test_P_WS_02_the_highest_sub_protocol_is_echoed(self, offered, chosen):
        self.assertEqual(self.peer("ws", protocols=offered).answer["Sec-WebSocket-Protocol"], [chosen])

    def test_P_WS_02_several_header_lines_are_one_list(self):
        peer = self.peer("ws", fields=[("Sec-WebSocket-Protocol", "v10.stomp"), ("Sec-WebSocket-Protocol", "v11.stomp")])
        self.assertEqual(peer.answer["Sec-WebSocket-Protocol"], ["v11.stomp"])

    @each({"nothing": (), "unknown": ("mqtt", "foo"), "case": ("V12.STOMP",), "prefix": ("v12.stomp.x",)})
    def test_P_WS_03_nothing_is_echoed_that_was_not_offered(self, *offered):
        peer = self.peer("ws", protocols=offered)
        self.assertEqual(peer.answer["Sec-WebSocket-Protocol"], [])
        peer.connect()

    def test_P_WS_04_a_warning_without_tokens(self):
        token = "bearer.eyJhbGciOiJIUzI1NiJ9.secret-part.signature"
        self.peer("ws", protocols=["strange-one", token]).connect()
        offered = "strange-one, (redacted)"  # Other tests of this broker log the same event.
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("sub-protocol-unknown", offered=offered)))
        record = self.broker.event("sub-protocol-unknown", offered=offered)
        self.assertEqual(record["level"], "warn")
        self.assertNotIn("secret-part", str(record))

    @each({"deflate": "permessage-deflate; client_max_window_bits", "several": "x-webkit-deflate-frame, permessage-bzip2"})
    def test_P_WS_05_no_extension_is_negotiated(self, extensions):
        self.peer("ws", fields=[("Sec-WebSocket-Extensions", extensions)]).connect()  # The peer checks the answer.

    GOOD_ORIGINS = ["http://localhost", "http://localhost:8080", "http://127.0.0.1:3000", "http://[::1]:5173",
                    "https://localhost:8443"]
    BAD_ORIGINS = ["null", "http://evil.example", "http://localhost.evil.example", "http://evil.example:80@localhost",
                   "localhost", "http://", "http:///", "file://", "ftp://localhost", "http://localhost/path",
                   "http://localhost#", "http://localhost?x", "http://127.0.0.1.evil.example", "http://localhost:x@evil",
                   "javascript:alert(1)", "http://[::1", "http://evil.example#localhost", "//localhost", "*",
                   "http://localhost http://evil.example", "http://notlocalhost", "http://evillocalhost",
                   "chrome-extension://localhost", "", "https://192.168.0.1", "http://0.0.0.0", "http://2130706433"]

    @each({"%02d" % i: origin for i, origin in enumerate(GOOD_ORIGINS)})
    def test_S_WEB_03_local_pages_may_connect(self, origin):
        self.peer("ws", fields=[("Origin", origin)]).connect()

    def test_S_WEB_01_the_same_origin_may_connect(self):
        host = "%s:%d" % self.broker.address("ws")
        self.peer("ws", fields=[("Origin", "http://" + host)]).connect()

    @each({"%02d" % i: origin for i, origin in enumerate(BAD_ORIGINS)})
    def test_S_WEB_01_other_origins_are_403(self, origin):
        self.refused(upgrade_request(fields=[("Origin", origin)]), 403)

    def test_S_WEB_01_two_origins_are_403(self):
        self.refused(upgrade_request(fields=[("Origin", "http://localhost"), ("Origin", "http://localhost")]), 403)

    @each({"other": "evil.example", "rebinding": "evil.example:15674", "suffix": "localhost.evil.example",
           "loopback": "127.0.0.2", "v6": "[::2]"})
    def test_S_WEB_04_other_hosts_are_421(self, host):
        self.refused(upgrade_request(host=host), 421)

    @each({"missing": upgrade_request(leave_out=["Host"]), "two": upgrade_request(fields=[("Host", "localhost")]),
           "empty": upgrade_request(host=""), "user": upgrade_request(host="localhost@evil.example"),
           "list": upgrade_request(host="localhost, localhost"), "port": upgrade_request(host="localhost:0")})
    def test_S_WEB_04_not_exactly_one_well_formed_host_is_400(self, request):
        self.refused(request, 400)

    @each({"transfer_encoding": ("Transfer-Encoding", "chunked"), "te_identity": ("Transfer-Encoding", "identity"),
           "trailer": ("Trailer", "X"), "content_length": ("Content-Length", "5")})
    def test_S_WEB_05_requests_with_a_body_are_400(self, name, value):
        self.refused(upgrade_request(fields=[(name, value)]), 400)

    @each({"zero_length": ("Content-Length", "0"), "range": ("Range", "bytes=" + ",".join("%d-" % i for i in range(900)))})
    def test_S_WEB_05_harmless_fields_are_ignored(self, name, value):
        self.peer("ws", fields=[(name, value)]).connect()

    @each({"http_1_0": ("HTTP/1.0", (505, 400)), "http_2_0": ("HTTP/2.0", (505, 400)), "none": ("", (400, 505)),
           "junk": ("XTTP/1.1", (400, 505))})
    def test_S_WEB_05_only_http_1_1(self, version, statuses):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(version=version))
        self.assertIn(peer.read_answer().status, statuses)

    def test_S_RATE_01_the_head_just_below_and_above_8_KiB(self):
        for size, status in ((8192, 101), (8193, 431)):
            request = upgrade_request(fields=[("X-Filler", "")])
            request = upgrade_request(fields=[("X-Filler", "a" * (size - len(request)))])
            self.assertEqual(len(request), size)
            peer = self.peer("ws", upgrade=False)
            peer.raw(request)
            self.assertEqual(peer.read_answer().status, status)

    def test_S_RATE_01_fields_just_below_and_above_64(self):
        for count, status in ((59, 101), (60, 431)):
            peer = self.peer("ws", upgrade=False)
            peer.raw(upgrade_request(fields=[("X-%d" % i, "") for i in range(count)]))
            self.assertEqual(peer.read_answer().status, status)

    def test_S_RATE_01_an_endless_head_is_cut_at_8_KiB(self):
        peer = self.peer("ws", upgrade=False)
        peer.raw(b"GET /ws HTTP/1.1\r\nX: " + b"a" * 9000)
        self.assertEqual(peer.read_answer().status, 431)

    def test_P_FRAME_01_the_request_octet_by_octet_and_frames_behind_it(self):
        peer = self.peer("ws", upgrade=False)
        for octet in upgrade_request(host="localhost"):
            peer.raw(bytes([octet]))
        self.assertEqual(peer.read_answer().status, 101)
        peer.connect()

    def test_P_CONN_10_a_frame_in_the_same_segment_as_the_request(self):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request(host="localhost") +
                 ws_frame(TEXT, stomp("CONNECT", "accept-version:1.2", "host:h") + stomp("BEGIN", "transaction:t",
                                                                                         "receipt:r")))
        self.assertEqual(peer.read_answer().status, 101)
        self.assertEqual([frame.command for frame in peer.read_frames(2)], ["CONNECTED", "RECEIPT"])


class WebSocket(BrokerCase):
    """P-WS-08 to -16: frames."""

    def test_P_WS_08_invalid_utf8_in_a_text_message(self):
        peer = self.client("ws")
        peer.message(b"SEND\ndestination:/topic/a\n\n\xff\0", TEXT)
        self.assert_closed(peer, 1007)

    def test_P_WS_08_a_text_message_that_ends_inside_a_sequence(self):
        peer = self.client("ws")
        peer.message(b"SEND\ndestination:/topic/a\n\n\xe2\x82", TEXT)
        self.assert_closed(peer, 1007)

    def test_P_WS_08_a_fragment_or_binary_message_may(self):
        peer = self.client("ws").subscribe("/topic/ws.cut")
        frame = send_to("/topic/ws.cut", "\u20ac".encode())
        peer.raw(ws_frame(TEXT, frame[:-2], fin=False) + ws_frame(0, frame[-2:]))
        peer.message(frame[:-2], BINARY)
        peer.message(frame[-2:], BINARY)
        self.assertEqual([peer.read_message().body for _ in range(2)], ["\u20ac".encode()] * 2)

    @each({"empty": b"", "text": b"hello", "octets": bytes(range(125))})
    def test_P_WS_09_ping_is_answered_with_the_same_payload(self, payload):
        for peer in (self.peer("ws"), self.client("ws")):
            peer.raw(ws_frame(PING, payload))
            self.assertEqual(peer.read_control("pongs"), payload)

    def test_P_WS_09_pongs_unasked_are_ignored(self):
        peer = self.client("ws")
        peer.raw(ws_frame(PONG, b"x") * 3)
        self.assert_lives(peer)

    @each({"pings": PING, "pongs": PONG})
    def test_P_WS_09_more_than_20_control_frames_a_second(self, opcode):
        peer = self.client("ws")
        peer.raw(ws_frame(opcode) * 21)
        self.assert_closed(peer, 1008, "abuse")

    def test_P_WS_09_twenty_are_allowed(self):
        peer = self.client("ws")
        peer.raw(ws_frame(PING) * 20)
        for _ in range(20):
            peer.read_control("pongs")
        self.assert_lives(peer)

    def test_P_WS_10_connect_without_nul(self):
        peer = self.peer("ws")
        peer.message(b"CONNECT\naccept-version:1.2\nhost:h\n\n")
        error = self.assert_refused(peer, "bad-frame")
        self.assertIn(b"forceBinaryWSFrames", error.body)
        self.assertIn(b"appendMissingNULLonIncoming", error.body)

    def test_P_WS_10_unless_the_nul_follows(self):
        peer = self.peer("ws")
        peer.message(b"CONNECT\naccept-version:1.2\nhost:h\n\n")
        peer.message(b"\0")
        self.assertEqual(peer.read_frame().command, "CONNECTED")

    @each({"all_octets": bytes(range(256)), "text": b"plain", "utf8": "\u20ac".encode(), "cut": b"\xe2\x82",
           "nul": b"\0", "large_text": b"a" * 200000, "large_binary": b"\xff" * 200000, "last_octet": b"a" * 70000 + b"\xff"})
    def test_P_WS_12_text_or_binary_by_the_body(self, body):
        peer = self.client("ws").subscribe("/topic/ws.opcode")
        peer.send(send_to("/topic/ws.opcode", body))
        self.assertEqual(peer.read_message().body, body)  # The peer checks opcode and framing.

    @each({"nothing": None, "normal": 1000, "going_away": 1001, "protocol": 1002, "private": 4999, "registered": 3000,
           "restart": 1012})
    def test_P_WS_15_a_close_without_disconnect_is_normal(self, code):
        peer = self.client("ws").subscribe("/topic/ws.close")
        peer.sent_close = True
        peer.raw(ws_close(code))
        self.assertEqual(peer.read_close()[0], code or 1000)
        self.assertFalse(peer.was_reset)

    def test_P_WS_15_disconnect_followed_by_close(self):
        peer = self.client("ws")
        peer.send(stomp("DISCONNECT", "receipt:bye"))
        peer.sent_close = True
        peer.raw(ws_close(1000))
        self.assertEqual([frame["receipt-id"] for frame in peer.read_end()], ["bye"])
        self.assertEqual(peer.close_code, 1000)

    def test_P_WS_15_an_end_without_close_frame_is_no_matter(self):
        self.client("ws").subscribe("/topic/ws.gone").close()
        self.check_good_client()

    def test_P_WS_16_reasons_are_short(self):
        peer = self.client("ws")
        peer.send(stomp("SEND", "destination:/topic/" + "a/" * 100))
        self.assert_refused(peer, "bad-destination")
        self.assertLessEqual(len(peer.close_reason.encode()), 123)


class MissingNul(BrokerCase):
    config = {"server": {"tolerate_missing_nul": True}}

    def test_P_WS_10_tolerated(self):
        peer = self.peer("ws")
        peer.message(b"CONNECT\naccept-version:1.2\nhost:h\n\n")
        self.assertEqual(peer.read_frame().command, "CONNECTED")
        self.assert_lives(peer)

    def test_P_WS_10_for_connect_only(self):
        peer = self.client("ws")
        peer.message(b"BEGIN\ntransaction:t\nreceipt:r\n\n")
        peer.message(b"\0")
        self.assertEqual(peer.read_frame()["receipt-id"], "r")


class Tcp(BrokerCase):
    config = {"limits": {"linger_time": "300ms"}}

    def test_P_TCP_01_nothing_follows_the_nul(self):
        peer = self.client("tcp", "1.2").subscribe("/topic/tcp.lf")
        peer.publish("/topic/tcp.lf", b"x")
        peer.read_message()
        self.assertEqual((peer.beats, bytes(peer.buffer)), (0, b""))

    def test_P_TCP_03_half_close_ends_the_input_only(self):
        peer = self.client("tcp").subscribe("/topic/tcp.half")
        bodies = [b"%d" % i * 1000 for i in range(300)]
        peer.raw(b"".join(send_to("/topic/tcp.half", body) for body in bodies) +
                 stomp("SEND", "destination:/topic/tcp.half", "receipt:last", body=b"end"))
        peer.half_close()
        frames = peer.read_end()
        self.assertEqual([f.body for f in frames if f.command == "MESSAGE"], bodies + [b"end"])
        self.assertEqual([f["receipt-id"] for f in frames if f.command == "RECEIPT"], ["last"])

    def test_P_TCP_03_half_close_after_disconnect(self):
        peer = self.client("tcp")
        peer.raw(stomp("BEGIN", "transaction:t", "receipt:1") + stomp("DISCONNECT", "receipt:2"))
        peer.half_close()
        self.assertEqual([frame["receipt-id"] for frame in peer.read_end()], ["1", "2"])

    def test_P_TCP_03_half_close_before_connect(self):
        peer = self.peer("tcp")
        peer.half_close()
        self.assertEqual(peer.read_end(), [])

    def test_P_TCP_03_a_reset_does_not_overtake_the_error(self):
        # The peer goes on sending what nobody reads any more.
        peer = self.client("tcp")
        peer.raw(stomp("ABORT", "transaction:none") + send_to("/topic/a", b"x" * 10000) * 100)
        self.assert_refused(peer, "bad-state")

    @each({"http": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP"), "post": (b"POST /ws HTTP/1.1\r\n", "HTTP"),
           "tls": (bytes.fromhex("16030100a1010000"), "TLS")})
    def test_P_TCP_04_http_and_tls_on_a_tcp_listener(self, octets, name):
        peer = self.peer("tcp")
        peer.raw(octets)
        self.assert_refused(peer, "bad-frame")
        self.assertTrue(self.broker.wait_for(lambda: any(
            name.lower() in str(record).lower() for record in self.broker.records if record.get("event") == "refused")))


class HeartBeatHeader(BrokerCase):
    """P-HB-01, -02 with the defaults."""

    ANSWERS = {"10000,10000": "10000,10000", "0,0": "10000,10000", "1000,0": "10000,1000", "0,1000": "1000,10000",
               "4000,4000": "4000,10000", "500,500": "1000,1000", "120000,0": "10000,0", "60000,0": "10000,10000",
               "60001,0": "10000,0", "0,120000": "10000,10000", "2000,0": "10000,2000", "2001,0": "10000,10000",
               "0,1": "1000,10000", "1,0": "10000,1000", "9999999999,9999999999": "10000,0", " 0 , 0 ": "10000,10000",
               "00000,00000": "10000,10000"}

    @each(combined(TRANSPORTS, ["1.1", "1.2"], {"%02d" % i: pair for i, pair in enumerate(ANSWERS.items())}))
    def test_P_HB_02_the_answer(self, transport, version, sent, answer):
        self.assertEqual(self.client(transport, version, "heart-beat:" + sent).connected["heart-beat"], answer)

    @over_versions
    def test_P_HB_01_missing_is_0_0(self, transport, version):
        beats = self.client(transport, version).connected["heart-beat"]
        self.assertEqual(beats, "0,0" if version == "1.0" else "10000,10000")

    @over_transports
    def test_P_HB_02_none_in_1_0(self, transport):
        self.assertEqual(self.client(transport, "1.0", "heart-beat:1000,1000").connected["heart-beat"], "0,0")

    BAD = ["", ",", "1000", "1000,", ",1000", "a,b", "-1,0", "0,-1", "1.5,0", "1000,1000,1000", "12345678901,0", "0x10,0",
           "+1,0", "1 0,0", "1;0"]

    @each(combined(TRANSPORTS, VERSIONS, {"%02d" % i: text for i, text in enumerate(BAD)}))
    def test_P_HB_01_anything_else_is_refused(self, transport, version, text):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:" + version, "host:h", "heart-beat:" + text))
        self.assert_refused(peer, "bad-header")


class Deadlines(BrokerCase):
    """Times from accept to CONNECTED, and of partial frames."""

    config = {"limits": {"connect_time": "400ms", "upgrade_time": "200ms", "frame_time": "300ms", "close_time": "300ms",
                         "linger_time": "200ms", "frame_time_max": "2s"}}

    def test_P_CONN_11_silence_on_tcp(self):
        self.assert_refused(self.peer("tcp"), "connect-timeout")

    def test_P_CONN_11_silence_after_the_upgrade(self):
        self.assert_refused(self.peer("ws"), "connect-timeout")

    def test_P_CONN_11_silence_before_the_upgrade_is_408(self):
        peer = self.peer("ws", upgrade=False)
        self.assertEqual(peer.read_answer().status, 408)

    def test_P_CONN_11_half_a_request_is_408(self):
        peer = self.peer("ws", upgrade=False)
        peer.raw(upgrade_request()[:-2])
        self.assertEqual(peer.read_answer().status, 408)

    @over_transports
    def test_P_CONN_11_trickling_does_not_help(self, transport):
        peer = self.peer(transport)
        peer.send(b"CONNECT\naccept-version:1.2\n")
        while not peer.ended and peer.received < 20 and not peer.buffer:
            peer.send(b"a")
            try:
                peer.receive(0.02)
            except TimeoutError:
                pass
        frames = peer.read_end()
        self.assertIn(frames[-1]["message"], ("connect-timeout", "frame-timeout"))

    def test_P_CONN_11_pings_do_not_help(self):
        peer = self.peer("ws")
        for _ in range(15):
            peer.raw(ws_frame(PING))
        self.assert_refused(peer, "connect-timeout")

    @over_transports
    def test_P_LIM_01_a_partial_frame_ages(self, transport):
        peer = self.client(transport)
        peer.send(b"SEND\ndestination:/topic/a\n\nhalf")
        self.assert_refused(peer, "frame-timeout", seconds=10)

    def test_P_LIM_01_a_partial_websocket_message_ages(self):
        peer = self.client("ws")
        peer.raw(ws_frame(TEXT, b"\n", fin=False))
        self.assert_refused(peer, "frame-timeout", seconds=10)

    @over_transports
    def test_P_RCPT_06_after_disconnect_the_broker_closes(self, transport):
        peer = self.client(transport)
        peer.send(stomp("DISCONNECT", "receipt:bye"))
        self.assertEqual([frame["receipt-id"] for frame in peer.read_end()], ["bye"])
        if transport == "ws":
            self.assertEqual(peer.close_code, 1000)

    @over_transports
    def test_P_RCPT_06_without_receipt_too(self, transport):
        peer = self.client(transport)
        peer.send(stomp("DISCONNECT"))
        self.assertEqual(peer.read_end(), [])
        if transport == "ws":
            self.assertEqual(peer.close_code, 1000)

    def test_P_ERR_05_a_peer_that_does_not_answer_the_close_frame(self):
        peer = self.client("ws")
        peer.sent_close = True  # So it sends none.
        peer.send(stomp("ABORT", "transaction:none"))
        self.assert_refused(peer, "bad-state")

    def test_P_ERR_05_a_peer_that_does_not_read(self):
        peer = self.client("tcp", receive_buffer=4096)
        peer.subscribe("/topic/never.read")
        writer = self.client("tcp")
        for _ in range(6):
            writer.publish("/topic/never.read", b"x" * 500000)
        before = self.broker.descriptors()
        peer.raw(stomp("ABORT", "transaction:none"))
        self.assertTrue(until(lambda: self.broker.descriptors() < before))

    def test_P_HB_08_a_connected_session_has_no_other_idle_timer(self):
        # Owing no beats on TCP it outlives every deadline above.
        peer = self.client("tcp")
        peer.sock.settimeout(wait_time(1.5))
        with self.assertRaises(socket.timeout):
            peer.sock.recv(1)
        self.assert_lives(peer)


if __name__ == "__main__":
    unittest.main()
