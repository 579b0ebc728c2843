"""Section 1 of the protocol specification on the wire: framing and parsing, in every version, over TCP and WebSocket."""
import unittest

from support.case import BrokerCase, combined, each, over_transports, over_versions, send_to, stomp, TRANSPORTS, VERSIONS
from support.peers import BINARY, ws_frame


class FramingCase(BrokerCase):
    names = 0

    def topic(self):
        FramingCase.names += 1
        return "/topic/framing.%d" % FramingCase.names

    def listener(self, transport, version="1.2"):
        """A connected peer that hears a topic of its own."""
        peer = self.client(transport, version)
        peer.topic = self.topic()
        return peer.subscribe(peer.topic)

    def echo(self, peer, *lines, body=b""):
        """SEND with these header lines, and the MESSAGE that comes back."""
        peer.send(stomp("SEND", "destination:" + peer.topic, *lines, body=body))
        return peer.read_message()


SCRIPT_HEADERS = ("plain:value", "escaped:a\\cb\\\\c\\nd", "umlaut:\u00e4\u20ac\U0001f40e", "empty:")
SCRIPT_BODY = "nul \0 inside \u20ac \U0001f40e".encode()


class Stream(FramingCase):
    """P-FRAME-01, -02: input is a stream of octets."""

    def script(self, topic):
        head = ("destination:" + topic,) + SCRIPT_HEADERS + ("content-length:%d" % len(SCRIPT_BODY),)
        return stomp("SEND", *head, body=SCRIPT_BODY) + b"\n\r\n\0\n" + stomp("SEND", "destination:" + topic, body=b"2")

    def check(self, peer):
        first, second = peer.read_frames(2)
        if peer.version != "1.0":
            self.assertEqual(first["escaped"], "a:b\\c\nd")
        else:
            self.assertEqual(first["escaped"], "a\\cb\\\\c\\nd")
        self.assertEqual(first["umlaut"], "\u00e4\u20ac\U0001f40e")
        self.assertEqual(first["empty"], "")
        self.assertEqual(first.body, SCRIPT_BODY)
        self.assertEqual(second.body, b"2")

    @over_versions
    def test_P_FRAME_01_octet_by_octet(self, transport, version):
        peer = self.listener(transport, version)
        for octet in self.script(peer.topic):
            if transport == "ws":
                peer.message(bytes([octet]), BINARY)
            else:
                peer.send(bytes([octet]))
        self.check(peer)

    @over_versions
    def test_P_FRAME_01_cut_in_two_at_every_octet(self, transport, version):
        peer = self.listener(transport, version)
        script = self.script(peer.topic)
        for cut in range(1, len(script)):
            if transport == "ws":
                peer.message(script[:cut], BINARY)
                peer.message(script[cut:], BINARY)
            else:
                peer.send(script[:cut])
                peer.send(script[cut:])
            self.check(peer)

    @over_versions
    def test_P_FRAME_01_many_frames_at_once(self, transport, version):
        peer = self.listener(transport, version)
        peer.send(b"".join(send_to(peer.topic, b"%d" % i) for i in range(500)))
        self.assertEqual([f.body for f in peer.read_frames(500)], [b"%d" % i for i in range(500)])

    @each(combined(TRANSPORTS, ["connect", "connected"]))
    def test_P_FRAME_02_line_ends_and_nuls_between_frames(self, transport, when):
        filler = b"\n\n\r\n\0\n\0\0\r\n" * 20
        peer = self.peer(transport)
        if when == "connect":
            peer.send(filler)
        peer.connect("1.2")
        peer.send(filler + stomp("BEGIN", "transaction:t", "receipt:r") + filler)
        self.assertEqual(peer.read_frame()["receipt-id"], "r")
        self.assert_lives(peer)

    @over_versions
    def test_P_FRAME_16_nothing_before_or_after_a_frame(self, transport, version):
        # The peer refuses what does not fit; here every kind of frame comes by.
        peer = self.listener(transport, version)
        self.echo(peer, body=b"x")
        peer.ask("BEGIN", "transaction:t")
        peer.send(stomp("ABORT", "transaction:unknown"))
        self.assert_refused(peer, "bad-state")


class Commands(FramingCase):
    """P-FRAME-03: the command line is exact, and refused at the first octet that fits none."""

    BAD = {"lower_case": b"send", "capitalised": b"Send", "blank_before": b" SEND", "blank_after": b"SEND ",
           "tab_before": b"\tSEND", "longer": b"SENDX", "unknown": b"SHUTDOWN", "subscription": b"SUBSCRIPTION",
           "prefix_only": b"SUB\n", "octet_ff": b"\xff", "utf8": "SEND\u00e9".encode(), "colon": b"SEND:",
           "header_first": b"destination:", "byte_order_mark": b"\xef\xbb\xbfSEND", "http": b"GET / HTTP/1.1\r\n",
           "two_cr": b"SEND\r\r", "cr_inside": b"SE\rND", "nul_inside": b"SE\0ND", "connected_": b"CONNECTEDX"}

    @each(combined(TRANSPORTS, BAD))
    def test_P_FRAME_03_unknown_commands_are_refused_at_once(self, transport, octets):
        peer = self.client(transport)
        peer.send(octets)
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, BAD))
    def test_P_FRAME_03_unknown_commands_instead_of_connect(self, transport, octets):
        peer = self.peer(transport)
        peer.send(octets)
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"], ["accepted", "connected"]))
    def test_P_FRAME_03_commands_of_servers_are_refused(self, transport, command, state):
        peer = self.client(transport) if state == "connected" else self.peer(transport)
        peer.send(stomp(command, "message:x", "receipt-id:r", "subscription:0", "message-id:1", "destination:/topic/a"))
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, VERSIONS, ["CONNECT", "STOMP"]))
    def test_P_FRAME_04_lines_may_end_with_cr_lf(self, transport, version, command):
        peer = self.peer(transport)
        topic = self.topic()
        peer.send(("%s\r\naccept-version:%s\r\nhost:localhost\r\n\r\n\0" % (command, version)).encode())
        self.assertEqual(peer.read_frame()["version"], version)
        peer.subscribe(topic)
        peer.send(("SEND\r\ndestination:%s\r\nkey:value\r\n\r\nbody\0\r\n" % topic).encode())
        message = peer.read_message()
        self.assertEqual((message["key"], message["destination"], message.body), ("value", topic, b"body"))

    @over_transports
    def test_P_FRAME_04_another_cr_is_refused_in_1_2(self, transport):
        peer = self.client(transport, "1.2")
        peer.send(b"SEND\ndestination:/topic/a\nkey:a\rb\n\nx\0")
        self.assert_refused(peer, "bad-frame")

    @over_transports
    def test_P_FRAME_04_two_cr_at_the_end_are_refused_in_1_2(self, transport):
        peer = self.client(transport, "1.2")
        peer.send(b"SEND\ndestination:/topic/a\nkey:a\r\r\n\nx\0")
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, VERSIONS))
    def test_P_FRAME_04_another_cr_is_refused_in_connect(self, transport, version):
        peer = self.peer(transport)
        peer.send(("CONNECT\naccept-version:%s\nhost:a\rb\n\n\0" % version).encode())
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, ["1.0", "1.1"]))
    def test_P_FRAME_04_another_cr_is_part_of_the_value_before_1_2(self, transport, version):
        reader = self.listener(transport, "1.2")
        peer = self.client(transport, version)
        peer.send(("SEND\ndestination:%s\nkey:a\rb\n\nx\0" % reader.topic).encode())
        self.assertEqual(reader.read_message()["key"], "a\rb")


class Headers(FramingCase):
    """P-FRAME-05 to -10, -14: header lines."""

    BAD_LINES = {"no_colon": b"key", "one_octet": b"k", "empty_name": b":value", "only_colon": b":",
                 "blank_line_of_a_blank": b" "}

    @each(combined(TRANSPORTS, VERSIONS, BAD_LINES))
    def test_P_FRAME_05_lines_without_colon_or_name_are_refused(self, transport, version, line):
        peer = self.client(transport, version)
        peer.send(b"SEND\ndestination:/topic/a\n" + line + b"\n\nx\0")
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, BAD_LINES))
    def test_P_FRAME_05_also_in_connect(self, transport, line):
        peer = self.peer(transport)
        peer.send(b"CONNECT\naccept-version:1.2\n" + line + b"\n\n\0")
        self.assert_refused(peer, "bad-frame")

    @over_versions
    def test_P_FRAME_05_empty_values_and_raw_colons_pass(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "empty:", "url:http://host:80/a:b", "colon::")
        self.assertEqual((message["empty"], message["url"], message["colon"]), ("", "http://host:80/a:b", ":"))

    @over_versions
    def test_P_FRAME_06_only_1_0_trims_and_only_the_start(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "key:  value  ", "tab:\tx", " name:v")
        self.assertEqual(message["key"], "value  " if version == "1.0" else "  value  ")
        self.assertEqual(message["tab"], "\tx")
        self.assertEqual(message[" name"], "v")

    @over_transports
    def test_P_FRAME_06_connect_without_accept_version_trims(self, transport):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "login: guest", "passcode:  guest", "request-id: 7"))
        connected = peer.read_frame()
        self.assertEqual((connected["user-name"], connected["response-id"]), ("guest", "7"))

    @over_transports
    def test_P_FRAME_06_connect_with_accept_version_does_not_trim(self, transport):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "login: guest", "passcode:guest"))
        self.assert_refused(peer, "auth-failed")

    @over_versions
    def test_P_FRAME_07_the_escapes_of_the_version(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "n:a\\nb", "c:a\\cb", "b:a\\\\b", "name\\cx:v", "all:\\n\\c\\\\")
        if version == "1.0":
            self.assertEqual([message[k] for k in ("n", "c", "b", "name\\cx", "all")],
                             ["a\\nb", "a\\cb", "a\\\\b", "v", "\\n\\c\\\\"])
        else:
            self.assertEqual([message[k] for k in ("n", "c", "b", "name:x", "all")],
                             ["a\nb", "a:b", "a\\b", "v", "\n:\\"])

    @over_transports
    def test_P_FRAME_07_escaped_cr_in_1_2(self, transport):
        peer = self.listener(transport, "1.2")
        self.assertEqual(self.echo(peer, "r:a\\rb")["r"], "a\rb")

    @each(combined(TRANSPORTS, ["1.1", "1.2"], ["CONNECT", "STOMP"]))
    def test_P_FRAME_07_connect_is_never_unescaped(self, transport, version, command):
        peer = self.peer(transport)
        peer.connect(version, "request-id:a\\cb\\n\\\\\\t", command=command)
        self.assertEqual(peer.connected["response-id"], "a\\cb\\n\\\\\\t")

    @each(combined(TRANSPORTS, {"t_1_1": ("1.1", "\\t"), "t_1_2": ("1.2", "\\t"), "r_1_1": ("1.1", "a\\rb"),
                                "end_1_1": ("1.1", "a\\"), "end_1_2": ("1.2", "a\\"), "capital_1_2": ("1.2", "\\N"),
                                "x_1_2": ("1.2", "\\x41"), "zero_1_1": ("1.1", "\\0")}, ["value", "name"]))
    def test_P_FRAME_08_undefined_escapes_are_refused(self, transport, version, text, place):
        peer = self.client(transport, version)
        peer.send(stomp("SEND", "destination:/topic/a", "key:" + text if place == "value" else text + ":value"))
        self.assert_refused(peer, "bad-frame")

    @over_versions
    def test_P_FRAME_09_the_first_of_repeated_headers_counts(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "destination:/topic/other", "key:first", "key:second", "key:third")
        self.assertEqual((message["destination"], message["key"]), (peer.topic, "first"))

    @over_versions
    def test_P_FRAME_09_also_content_length(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "content-length:3", "content-length:1", "content-length:junk", body=b"a\0b")
        self.assertEqual(message.body, b"a\0b")

    @each(combined(TRANSPORTS, VERSIONS, {"in_a_value": b"SEND\ndestination:/topic/a\nkey:a\0b\n\n\0",
                                          "in_a_name": b"SEND\ndestination:/topic/a\nk\0ey:a\n\n\0",
                                          "no_blank_line": b"SEND\ndestination:/topic/a\n\0",
                                          "after_the_command": b"BEGIN\0"}))
    def test_P_FRAME_10_nul_in_the_header_section_is_refused(self, transport, version, octets):
        peer = self.client(transport, version)
        peer.send(octets)
        self.assert_refused(peer, "bad-frame")

    @over_transports
    def test_P_FRAME_10_says_that_the_blank_line_is_missing(self, transport):
        peer = self.client(transport)
        peer.send(b"SEND\ndestination:/topic/a\n\0")
        self.assertIn(b"blank line", self.assert_refused(peer, "bad-frame").body)

    NOT_UTF8 = {"lone_continuation": b"\x80", "cut_sequence": b"a\xe2\x82", "latin_1": b"\xe4b", "overlong": b"\xc0\xaf",
                "surrogate": b"\xed\xa0\x80", "above_10ffff": b"\xf4\x90\x80\x80", "fe": b"\xfe", "ff": b"\xff"}

    @each(combined(TRANSPORTS, VERSIONS, NOT_UTF8))
    def test_P_FRAME_14_values_that_are_not_utf8_are_refused(self, transport, version, octets):
        peer = self.client(transport, version)
        peer.send(b"SEND\ndestination:/topic/a\nkey:" + octets + b"\n\nx\0")
        self.assert_refused(peer, "bad-utf8")

    @each(combined(TRANSPORTS, NOT_UTF8))
    def test_P_FRAME_14_names_that_are_not_utf8_are_refused(self, transport, octets):
        peer = self.client(transport)
        peer.send(b"SEND\ndestination:/topic/a\n" + octets + b":v\n\nx\0")
        self.assert_refused(peer, "bad-utf8")

    @each(combined(TRANSPORTS, NOT_UTF8))
    def test_P_FRAME_14_nor_in_connect(self, transport, octets):
        peer = self.peer(transport)
        peer.send(b"CONNECT\naccept-version:1.2\nx:" + octets + b"\n\n\0")
        self.assert_refused(peer, "bad-utf8")

    @each(combined(TRANSPORTS, VERSIONS, NOT_UTF8))
    def test_P_FRAME_14_bodies_are_octets(self, transport, version, octets):
        peer = self.listener(transport, version)
        self.assertEqual(self.echo(peer, body=octets).body, octets)


class Bodies(FramingCase):
    """P-FRAME-11 to -13: content-length and bodies."""

    BAD = ["-1", "+1", "1e3", "0x10", "5,5", "", "one", "1.0", "12345678901", "00000000005", "18446744073709551616", "1 ",
           "\t1", "\u0661", "NaN", "1;2"]

    @each(combined(TRANSPORTS, VERSIONS, {"%02d" % i: text for i, text in enumerate(BAD)}))
    def test_P_FRAME_11_lengths_that_are_no_number_are_refused(self, transport, version, text):
        peer = self.client(transport, version)
        peer.send(stomp("SEND", "destination:/topic/a", "content-length:" + text, body=b"x"))
        self.assert_refused(peer, "bad-frame")

    @each(combined(TRANSPORTS, ["1.1", "1.2"]))
    def test_P_FRAME_11_a_blank_before_it_is_refused_but_in_1_0(self, transport, version):
        peer = self.client(transport, version)
        peer.send(stomp("SEND", "destination:/topic/a", "content-length: 1", body=b"x"))
        self.assert_refused(peer, "bad-frame")

    @over_transports
    def test_P_FRAME_11_a_blank_before_it_is_trimmed_in_1_0(self, transport):
        peer = self.listener(transport, "1.0")
        self.assertEqual(self.echo(peer, "content-length: 3", body=b"a\0b").body, b"a\0b")

    @each(combined(TRANSPORTS, VERSIONS, ["1048577", "2147483648", "4294967295", "4294967296", "9999999999"]))
    def test_P_FRAME_11_lengths_above_the_limit_are_refused_at_the_end_of_the_headers(self, transport, version, text):
        peer = self.client(transport, version)
        peer.send(b"SEND\ndestination:/topic/a\ncontent-length:" + text.encode() + b"\n\n")
        self.assert_refused(peer, "frame-too-large")

    @over_versions
    def test_P_FRAME_11_zero_is_legal(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "content-length:0")
        self.assertEqual((message["content-length"], message.body), ("0", b""))
        self.assertEqual(self.echo(peer, "content-length:0000000003", body=b"a\0b").body, b"a\0b")

    @over_versions
    def test_P_FRAME_12_bodies_with_nul(self, transport, version):
        peer = self.listener(transport, version)
        for body in (b"\0", b"\0\0\0", b"a\0", b"\0a", bytes(range(256)) * 20, b"\n\n\0\n"):
            message = self.echo(peer, "content-length:%d" % len(body), body=body)
            self.assertEqual((message.body, message["content-length"]), (body, str(len(body))))

    @over_versions
    def test_P_FRAME_12_without_it_the_first_nul_ends_the_body(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, body=b"first")
        self.assertEqual((message.body, message["content-length"]), (b"first", "5"))

    @each(combined(TRANSPORTS, VERSIONS, {"too_short": "2", "zero": "0"}))
    def test_P_FRAME_12_no_nul_after_the_body_is_refused(self, transport, version, length):
        peer = self.client(transport, version)
        peer.send(stomp("SEND", "destination:/topic/a", "content-length:" + length, body=b"\xe2\x82\xac"))
        error = self.assert_refused(peer, "bad-frame")
        self.assertRegex(error.body.decode(), "octets|maxWebSocketFrameSize")

    @each(combined(TRANSPORTS, ["CONNECT", "STOMP"]))
    def test_P_FRAME_12_obeyed_on_connect(self, transport, command):
        peer = self.peer(transport)
        peer.send(stomp(command, "accept-version:1.2", "content-length:3", body=b"a\0b"))
        self.assertEqual(peer.read_frame().command, "CONNECTED")
        self.assert_lives(peer)

    @each(combined(TRANSPORTS, VERSIONS, ["", "content-length:4"]))
    def test_P_FRAME_13_bodies_elsewhere_are_dropped(self, transport, version, line):
        peer = self.client(transport, version)
        lines = [line] if line else []
        for command in ("BEGIN", "ABORT"):
            peer.send(stomp(command, "transaction:t", "receipt:" + command, *lines, body=b"body"))
            self.assertEqual(peer.read_frame()["receipt-id"], command)
        peer.send(stomp("SUBSCRIBE", "destination:/topic/a", "id:1", "receipt:s", *lines, body=b"body"))
        self.assertEqual(peer.read_frame()["receipt-id"], "s")
        peer.send(stomp("UNSUBSCRIBE", "id:1", "receipt:u", *lines, body=b"body"))
        self.assertEqual(peer.read_frame()["receipt-id"], "u")
        peer.send(stomp("DISCONNECT", "receipt:d", *lines, body=b"body"))
        self.assertEqual(peer.read_frame()["receipt-id"], "d")


class AcrossVersions(FramingCase):
    """P-FRAME-17, -18: what one version sends, another gets as far as it can carry it."""

    @each(combined(TRANSPORTS, VERSIONS, VERSIONS))
    def test_P_FRAME_17_values_arrive_as_they_were_meant(self, transport, sender, receiver):
        reader = self.listener(transport, receiver)
        writer = self.client(transport, sender)
        if sender == "1.0":
            lines, meant = ("k:a\\b\\nc:d",), "a\\b\\nc:d"
        else:
            lines, meant = ("k:a\\\\b\\\\nc\\cd",), "a\\b\\nc:d"
        writer.send(stomp("SEND", "destination:" + reader.topic, *lines, body=b"x"))
        self.assertEqual(reader.read_message()["k"], meant)

    @each(combined(TRANSPORTS, VERSIONS))
    def test_P_FRAME_18_what_a_version_cannot_carry_is_left_out(self, transport, receiver):
        reader = self.listener(transport, receiver)
        writer = self.client(transport, "1.2")
        writer.send(stomp("SEND", "destination:" + reader.topic, "lf:a\\nb", "cr:a\\rb", "na\\cme:v", "value:a\\cb",
                          "nl\\nname:v", "last:1"))
        message = reader.read_message()
        expected = {"1.0": {"value": "a:b", "last": "1"},
                    "1.1": {"lf": "a\nb", "na:me": "v", "value": "a:b", "nl\nname": "v", "last": "1"},
                    "1.2": {"lf": "a\nb", "cr": "a\rb", "na:me": "v", "value": "a:b", "nl\nname": "v", "last": "1"}}
        own = {"subscription", "message-id", "destination", "content-length"}
        self.assertEqual({k: v for k, v in message.headers if k not in own}, expected[receiver])

    @each(combined(TRANSPORTS, VERSIONS))
    def test_P_FRAME_19_own_headers_come_first(self, transport, version):
        peer = self.listener(transport, version)
        message = self.echo(peer, "a:1", "b:2", "c:3")
        names = [name for name, _ in message.headers]
        self.assertEqual(names[-3:], ["a", "b", "c"])
        self.assertEqual(set(names[:-3]), {"subscription", "message-id", "destination", "content-length"})


class Lenient(FramingCase):
    config = {"server": {"lenient_escapes": True}}

    @each(combined(TRANSPORTS, ["1.1", "1.2"]))
    def test_P_FRAME_08_lenient_escapes_keep_both_octets(self, transport, version):
        peer = self.listener(transport, version)
        self.assertEqual(self.echo(peer, "path:C:\\temp\\x", "end:a\\", "n:\\n")["path"], "C:\\temp\\x")


class Strict(FramingCase):
    """--strict refuses every tolerance and cites the rule."""

    arguments = ("--strict",)

    @each(combined(TRANSPORTS, {
        "P_FRAME_02_nul_between_frames": ("1.2", b"\0", "P-FRAME-02"),
        "P_FRAME_04_cr_lf_in_1_1": ("1.1", b"SEND\r\ndestination:/topic/a\r\n\r\nx\0", "P-FRAME-04"),
        "P_FRAME_05_raw_colon": ("1.2", b"SEND\ndestination:/topic/a\nk:a:b\n\nx\0", "P-FRAME-05"),
        "P_FRAME_13_body_elsewhere": ("1.2", b"BEGIN\ntransaction:t\n\nbody\0", "P-FRAME-13")}))
    def test_P_CONF_07_strict_refuses(self, transport, version, octets, rule):
        peer = self.client(transport, version)
        peer.send(octets)
        self.assertIn(rule, self.assert_refused(peer, "bad-frame").body.decode())

    @each(combined(TRANSPORTS, ["1.1", "1.2"]))
    def test_P_CONN_05_strict_requires_host(self, transport, version):
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:" + version))
        self.assertIn(b"P-CONN-05", self.assert_refused(peer, "missing-header").body)

    @each(combined(["1.2", "1.1"], ["heart-beat:0, 0", "heart-beat: 0,0"]))
    def test_P_HB_01_strict_refuses_blanks(self, version, line):
        peer = self.peer("tcp")
        peer.send(stomp("CONNECT", "accept-version:" + version, "host:x", line))
        self.assertIn(b"P-HB-01", self.assert_refused(peer, "bad-header").body)

    @each({"1.2": ("1.2", ("message-id:%s", "subscription:0")), "1.1_id": ("1.1", ("id:%s", "subscription:0")),
           "1.1_alone": ("1.1", ("message-id:%s",)), "1.0": ("1.0", ("id:%s",))})
    def test_P_ACK_02_strict_refuses_the_forms_of_other_versions(self, version, lines):
        peer = self.client("tcp", version)
        queue = self.topic().replace("/topic/", "/queue/")
        peer.subscribe(queue, "ack:client")
        peer.publish(queue, b"x")
        message = peer.read_message()
        name = message.get("ack") or message["message-id"]
        peer.send(stomp("ACK", *(line % name if "%s" in line else line for line in lines)))
        self.assertIn(b"P-ACK-02", self.assert_refused(peer, "missing-header").body)

    @over_versions
    def test_P_CONF_07_strict_takes_what_is_right(self, transport, version):
        peer = self.client(transport, version)
        topic = self.topic()
        peer.subscribe(topic, "ack:client")
        peer.publish(topic, b"x")
        message = peer.read_message()
        self.assertEqual(message.body, b"x")
        name = message.get("ack") or message["message-id"]
        peer.send(stomp("ACK", "id:" + name) if version == "1.2" else
                  stomp("ACK", "message-id:" + name, "subscription:0"))
        peer.send(b"\n\n" + stomp("DISCONNECT", "receipt:d"))
        self.assertEqual(peer.read_frame()["receipt-id"], "d")


class Mixed(FramingCase):
    """P-CONF-25: WebSocket messages have no meaning as boundaries."""

    def test_P_WS_06_text_and_binary_may_change_inside_a_frame(self):
        peer = self.listener("ws")
        script = stomp("SEND", "destination:" + peer.topic, body=b"mixed")
        for i in range(0, len(script), 5):
            peer.message(script[i:i + 5], 1 if i % 2 else 2)
        self.assertEqual(peer.read_message().body, b"mixed")

    def test_P_WS_06_empty_messages_are_ignored(self):
        peer = self.listener("ws")
        for opcode in (1, 2):
            peer.message(b"", opcode)
        self.assert_lives(peer)

    def test_P_WS_07_fragments_pings_and_frames_in_any_mixture(self):
        peer = self.listener("ws")
        one, two = send_to(peer.topic, b"one"), send_to(peer.topic, b"two")
        peer.raw(ws_frame(1, one[:9], fin=False) + ws_frame(9, b"p") + ws_frame(0, b"", fin=False) +
                 ws_frame(0, one[9:] + two[:3], fin=False) + ws_frame(0, b"") + ws_frame(2, two[3:] + b"\n"))
        self.assertEqual([peer.read_message().body for _ in range(2)], [b"one", b"two"])
        self.assertEqual(peer.pongs, [b"p"])


if __name__ == "__main__":
    unittest.main()
