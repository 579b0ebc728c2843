"""WebSocket conformance against the test echo, over ws and wss: the cases of the public conformance suite, by their numbers.

Framing 1.x, pings 2.x, reserved bits 3.x, opcodes 4.x, fragmentation 5.x, UTF-8 6.x, closing 7.x, sizes 9.x and 10.x.
Compression (12.x, 13.x) is not negotiated.
"""
import ssl
import unittest

from support.broker import MIB
from support.case import BrokerCase, each, make_certificate
from support.peers import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WsPeer, is_utf8, ws_close, ws_frame)


def utf8(text):
    return text.encode("utf-8", "surrogatepass")


HELLO = "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!"

# Case 6.x: octets, and whether they are UTF-8 (Kuhn's stress test and the tables of RFC 3629).
UTF8_CASES = {
    "6_5_01": utf8("\u03ba\u1f79\u03c3\u03bc\u03b5"),
    "6_6_01": b"\xce", "6_6_02": b"\xce\xba", "6_6_03": b"\xce\xba\xe1", "6_6_04": b"\xce\xba\xe1\xbd",
    "6_6_05": b"\xce\xba\xe1\xbd\xb9", "6_6_06": b"\xce\xba\xe1\xbd\xb9\xcf", "6_6_07": b"\xce\xba\xe1\xbd\xb9\xcf\x83",
    "6_6_08": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce", "6_6_09": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc",
    "6_6_10": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce", "6_6_11": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
    "6_7_01": b"\x00", "6_7_02": utf8("\u0080"), "6_7_03": utf8("\u0800"), "6_7_04": utf8("\U00010000"),
    "6_8_01": b"\xf8\x88\x80\x80\x80", "6_8_02": b"\xfc\x84\x80\x80\x80\x80",
    "6_9_01": b"\x7f", "6_9_02": utf8("\u07ff"), "6_9_03": utf8("\uffff"), "6_9_04": utf8("\U0010ffff"),
    "6_10_01": b"\xf7\xbf\xbf\xbf", "6_10_02": b"\xfb\xbf\xbf\xbf\xbf", "6_10_03": b"\xfd\xbf\xbf\xbf\xbf\xbf",
    "6_11_01": utf8("\ud7ff"), "6_11_02": utf8("\ue000"), "6_11_03": utf8("\ufffd"), "6_11_04": utf8("\U0010ffff"),
    "6_11_05": b"\xf4\x90\x80\x80",
    "6_12_01": b"\x80", "6_12_02": b"\xbf", "6_12_03": b"\x80\xbf", "6_12_04": b"\x80\xbf\x80",
    "6_12_05": b"\x80\xbf\x80\xbf", "6_12_06": b"\x80\xbf\x80\xbf\x80", "6_12_07": b"\x80\xbf\x80\xbf\x80\xbf",
    "6_12_08": bytes(range(0x80, 0xbf)),
    "6_13_01": b"".join(bytes([c, 0x20]) for c in range(0xc0, 0xe0)),
    "6_13_02": b"".join(bytes([c, 0x20]) for c in range(0xe0, 0xf0)),
    "6_13_03": b"".join(bytes([c, 0x20]) for c in range(0xf0, 0xf8)),
    "6_13_04": b"".join(bytes([c, 0x20]) for c in range(0xf8, 0xfc)), "6_13_05": b"\xfc\x20\xfd\x20",
    "6_14_01": b"\xc0", "6_14_02": b"\xe0\x80", "6_14_03": b"\xf0\x80\x80", "6_14_04": b"\xf8\x80\x80\x80",
    "6_14_05": b"\xfc\x80\x80\x80\x80", "6_14_06": b"\xdf", "6_14_07": b"\xef\xbf", "6_14_08": b"\xf7\xbf\xbf",
    "6_14_09": b"\xfb\xbf\xbf\xbf", "6_14_10": b"\xfd\xbf\xbf\xbf\xbf",
    "6_15_01": b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf\xfd",
    "6_16_01": b"\xfe", "6_16_02": b"\xff", "6_16_03": b"\xfe\xfe\xff\xff",
    "6_17_01": b"\xc0\xaf", "6_17_02": b"\xe0\x80\xaf", "6_17_03": b"\xf0\x80\x80\xaf", "6_17_04": b"\xf8\x80\x80\x80\xaf",
    "6_17_05": b"\xfc\x80\x80\x80\x80\xaf",
    "6_18_01": b"\xc1\xbf", "6_18_02": b"\xe0\x9f\xbf", "6_18_03": b"\xf0\x8f\xbf\xbf", "6_18_04": b"\xf8\x87\xbf\xbf\xbf",
    "6_18_05": b"\xfc\x83\xbf\xbf\xbf\xbf",
    "6_19_01": b"\xc0\x80", "6_19_02": b"\xe0\x80\x80", "6_19_03": b"\xf0\x80\x80\x80", "6_19_04": b"\xf8\x80\x80\x80\x80",
    "6_19_05": b"\xfc\x80\x80\x80\x80\x80",
    "6_20_01": utf8("\ud800"), "6_20_02": utf8("\udb7f"), "6_20_03": utf8("\udb80"), "6_20_04": utf8("\udbff"),
    "6_20_05": utf8("\udc00"), "6_20_06": utf8("\udf80"), "6_20_07": utf8("\udfff"),
    "6_21_01": utf8("\ud800\udc00"), "6_21_02": utf8("\ud800\udfff"), "6_21_03": utf8("\udb7f\udc00"),
    "6_21_04": utf8("\udb7f\udfff"), "6_21_05": utf8("\udb80\udc00"), "6_21_06": utf8("\udb80\udfff"),
    "6_21_07": utf8("\udbff\udc00"), "6_21_08": utf8("\udbff\udfff"),
}
UTF8_CASES.update({"6_22_%02d" % (i + 1): utf8(chr(plane * 0x10000 + low)) for i, (plane, low) in enumerate(
    (plane, low) for plane in range(17) for low in (0xfffe, 0xffff))})
UTF8_CASES.update({"6_23_%02d" % (i + 1): utf8(chr(code)) for i, code in enumerate(
    (0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff))})

BAD_TEXT = utf8("\u03ba\u1f79\u03c3\u03bc\u03b5") + b"\xed\xa0\x80" + b"edited"


def in_octets(octets):
    """A text message with a fragment for each octet."""
    return b"".join(ws_frame(TEXT if i == 0 else CONTINUATION, octets[i:i + 1], fin=i == len(octets) - 1)
                    for i in range(len(octets)))


GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)


class Echo(BrokerCase):
    config = {"limits": {"close_time": "2s"}}
    arguments = ("--test-echo", "/echo")
    growth_max = 160 * MIB  # Messages of 16 MiB are gathered, copied once, and sent.

    def echo(self):
        """A peer of the echo; subclasses add TLS."""
        peer = WsPeer(self.broker.address("ws"), path="/echo")
        self.addCleanup(peer.close)
        return peer

    def end(self, peer):
        """An orderly close from the client's side."""
        peer.sent_close = True
        peer.raw(ws_close(1000))
        self.assertEqual(peer.read_messages_to_end(), [])
        self.assertEqual(peer.close_code, 1000)
        self.assertFalse(peer.was_reset)

    def gives_back(self, *messages, pieces=None):
        """Each (opcode, payload) comes back as it was."""
        peer = self.echo()
        for opcode, payload in messages:
            octets = ws_frame(opcode, payload)
            for start in range(0, len(octets), pieces or len(octets)):
                peer.raw(octets[start:start + (pieces or len(octets))])
            self.assertEqual(peer.read_ws(seconds=20), (opcode, payload))
        self.end(peer)

    def fails(self, octets, code, before=()):
        """The octets end the connection with that code; what was right before comes back."""
        peer = self.echo()
        peer.raw(octets)
        self.assertEqual(peer.read_messages_to_end(), list(before))
        self.assertEqual(peer.close_code, code, peer.close_reason)
        self.assertFalse(peer.was_reset)

    # --- 1: framing.

    SIZES = (0, 125, 126, 127, 128, 65535, 65536)

    @each({"1_1_%d_text_of_%d" % (i + 1, size): (TEXT, size, None) for i, size in enumerate(SIZES)})
    def test_P_WS_06_framing_text(self, opcode, size, pieces):
        self.gives_back((opcode, b"*" * size), pieces=pieces)

    @each({"1_2_%d_binary_of_%d" % (i + 1, size): (BINARY, size, None) for i, size in enumerate(SIZES)})
    def test_P_WS_06_framing_binary(self, opcode, size, pieces):
        self.gives_back((opcode, b"\xfe" * size), pieces=pieces)

    @each({"1_1_8_text_in_pieces": (TEXT, 65536, 997), "1_2_8_binary_in_pieces": (BINARY, 65536, 997)})
    def test_P_WS_06_framing_in_pieces(self, opcode, size, pieces):
        self.gives_back((opcode, b"*" * size), pieces=pieces)

    # --- 2: pings and pongs.

    @each({"2_1_empty": b"", "2_2_text": b"Hello, world!", "2_3_binary": b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff",
           "2_4_of_125": b"\xfe" * 125})
    def test_P_WS_09_ping(self, payload):
        peer = self.echo()
        peer.raw(ws_frame(PING, payload))
        self.assertEqual(peer.read_control("pongs"), payload)
        self.end(peer)

    def test_P_WS_09_ping__2_5_of_126(self):
        self.fails(ws_frame(PING, b"\xfe" * 126), 1002)

    def test_P_WS_09_ping__2_6_octet_by_octet(self):
        peer = self.echo()
        for octet in ws_frame(PING, b"\xfe" * 125):
            peer.raw(bytes([octet]))
        self.assertEqual(peer.read_control("pongs"), b"\xfe" * 125)
        self.end(peer)

    @each({"2_7_empty": b"", "2_8_text": b"unsolicited"})
    def test_P_WS_09_pong_unasked(self, payload):
        peer = self.echo()
        peer.raw(ws_frame(PONG, payload))
        self.end(peer)
        self.assertEqual(peer.pongs, [])

    def test_P_WS_09_ping__2_9_after_a_pong_unasked(self):
        peer = self.echo()
        peer.raw(ws_frame(PONG, b"unsolicited") + ws_frame(PING, b"ping"))
        self.assertEqual(peer.read_control("pongs"), b"ping")
        self.end(peer)

    @each({"2_10_at_once": None, "2_11_in_pieces": 1})
    def test_P_WS_09_ten_pings(self, pieces):
        peer = self.echo()
        octets = b"".join(ws_frame(PING, b"payload-%d" % i) for i in range(10))
        for start in range(0, len(octets), pieces or len(octets)):
            peer.raw(octets[start:start + (pieces or len(octets))])
        self.assertEqual([peer.read_control("pongs") for _ in range(10)], [b"payload-%d" % i for i in range(10)])
        self.end(peer)

    # --- 3: reserved bits.

    HELLO_FRAME = ws_frame(TEXT, b"Hello, world!")
    BACK = ((TEXT, b"Hello, world!"),)

    @each({"3_1": (ws_frame(TEXT, b"Hello", rsv=1), ()),
           "3_2": (HELLO_FRAME + ws_frame(TEXT, b"Hello", rsv=2) + ws_frame(PING), BACK),
           "3_3": (HELLO_FRAME + ws_frame(TEXT, b"Hello", rsv=3) + ws_frame(PING), BACK),
           "3_4": (HELLO_FRAME + ws_frame(TEXT, b"Hello", rsv=4) + ws_frame(PING), BACK),
           "3_5": (ws_frame(BINARY, b"\x00\xff", rsv=5), ()), "3_6": (ws_frame(PING, b"Hello", rsv=6), ()),
           "3_7": (ws_frame(CLOSE, b"\x03\xe8", rsv=7), ())})
    def test_P_WS_05_reserved_bits(self, octets, before):
        self.fails(octets, 1002, before)

    def test_P_WS_05_reserved_bits__3_4_octet_by_octet(self):
        peer = self.echo()
        for octet in self.HELLO_FRAME + ws_frame(TEXT, b"Hello", rsv=4):
            peer.raw(bytes([octet]))
        self.assertEqual(peer.read_messages_to_end(), list(self.BACK))
        self.assertEqual(peer.close_code, 1002)

    # --- 4: opcodes.

    @each({"4_%d_%d_opcode_%d" % (1 + (code > 8), code - (2 if code < 8 else 10), code): (code,)
           for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)})
    def test_P_WS_05_reserved_opcodes(self, code):
        self.fails(ws_frame(code), 1002)
        self.fails(ws_frame(code, b"reserved opcode payload"), 1002)
        self.fails(self.HELLO_FRAME + ws_frame(code, b"payload") + ws_frame(PING), 1002, self.BACK)

    # --- 5: fragmentation.

    @each({"5_1_ping": ws_frame(PING, b"fragment1", fin=False) + ws_frame(CONTINUATION, b"fragment2"),
           "5_2_pong": ws_frame(PONG, b"fragment1", fin=False) + ws_frame(CONTINUATION, b"fragment2"),
           "5_9_continuation_first": ws_frame(CONTINUATION, b"x") + HELLO_FRAME,
           "5_10_the_same": ws_frame(CONTINUATION, b"non-continuation payload") + HELLO_FRAME,
           "5_12_not_final": ws_frame(CONTINUATION, b"x", fin=False) + HELLO_FRAME,
           "5_13_the_same": ws_frame(CONTINUATION, b"non-continuation payload", fin=False) + HELLO_FRAME,
           "5_18_two_beginnings": ws_frame(TEXT, b"fragment1", fin=False) + ws_frame(TEXT, b"fragment2")})
    def test_P_WS_06_bad_fragments(self, octets):
        self.fails(octets, 1002)

    @each({"5_11_octet_by_octet": ws_frame(CONTINUATION, b"non-continuation payload") + HELLO_FRAME,
           "5_14_not_final": ws_frame(CONTINUATION, b"non-continuation payload", fin=False) + HELLO_FRAME})
    def test_P_WS_06_bad_fragments_in_pieces(self, octets):
        peer = self.echo()
        for octet in octets:
            if not peer.raw(bytes([octet])):
                break
        self.assertEqual(peer.read_messages_to_end(), [])
        self.assertIn(peer.close_code, (1002, None))

    @each({"5_15_continuation_after_the_end": ws_frame(TEXT, b"fragment1", fin=False) + ws_frame(
        CONTINUATION, b"fragment2") + ws_frame(CONTINUATION, b"fragment3", fin=False) + ws_frame(TEXT, b"fragment4")})
    def test_P_WS_06_bad_fragment_after_a_message(self, octets):
        self.fails(octets, 1002, [(TEXT, b"fragment1fragment2")])

    @each({"5_16_two_rounds": False, "5_17_final": True})
    def test_P_WS_06_continuations_between(self, fin):
        octets = b"".join(ws_frame(CONTINUATION, b"fragment1", fin=fin) + ws_frame(TEXT, b"fragment2", fin=False) +
                          ws_frame(CONTINUATION, b"fragment3") for _ in range(2))
        self.fails(octets, 1002)

    def fragmented(self, *parts, opcode=TEXT, between=b"", pieces=None):
        """A message in fragments with control frames between comes back whole."""
        peer = self.echo()
        octets = b""
        for index, part in enumerate(parts):
            octets += ws_frame(opcode if index == 0 else CONTINUATION, part, fin=index == len(parts) - 1)
            octets += between if index < len(parts) - 1 else b""
        for start in range(0, len(octets), pieces or len(octets)):
            peer.raw(octets[start:start + (pieces or len(octets))])
        self.assertEqual(peer.read_ws(), (opcode, b"".join(parts)))
        self.end(peer)
        return peer

    @each({"5_3_at_once": (b"", None), "5_4_in_pieces": (b"", 7), "5_5_octet_by_octet": (b"", 1),
           "5_6_ping_between": (ws_frame(PING, b"ping payload"), None), "5_7_in_pieces": (ws_frame(PING, b"ping payload"),
                                                                                         7),
           "5_8_octet_by_octet": (ws_frame(PING, b"ping payload"), 1)})
    def test_P_WS_06_two_fragments(self, between, pieces):
        peer = self.fragmented(b"fragment1", b"fragment2", between=between, pieces=pieces)
        self.assertEqual(peer.pongs, [b"ping payload"] if between else [])

    @each({"5_19_pings_between": (TEXT, None), "5_20_in_pieces": (TEXT, 1), "5_20_binary": (BINARY, None)})
    def test_P_WS_06_five_fragments(self, opcode, pieces):
        peer = self.fragmented(*[b"fragment%d" % i for i in range(5)], opcode=opcode,
                               between=ws_frame(PING, b"pongme!"), pieces=pieces)
        self.assertEqual(peer.pongs, [b"pongme!"] * 4)

    # --- 6: UTF-8.

    @each({"6_1_1_empty": (b"",), "6_1_2_three_empty": (b"", b"", b""), "6_1_3_in_the_middle": (b"", b"middle", b""),
           "6_2_2_two": (utf8("Hello-\u00b5@\u00df\u00f6"), utf8("\u00e4\u00fc\u00e0\u00e1-UTF-8!!")),
           "6_2_3_each_octet": tuple(bytes([octet]) for octet in utf8(HELLO)),
           "6_2_4_each_octet_of_kosme": tuple(bytes([octet]) for octet in utf8("\u03ba\u1f79\u03c3\u03bc\u03b5"))})
    def test_P_WS_08_fragments(self, *parts):
        self.fragmented(*parts)

    def test_P_WS_08_one__6_2_1(self):
        self.gives_back((TEXT, utf8(HELLO)))

    @each({"6_3_1_one_frame": (ws_frame(TEXT, BAD_TEXT),),
           "6_3_2_each_octet": (in_octets(BAD_TEXT),),
           "6_4_1_three_fragments": (ws_frame(TEXT, utf8("\u03ba\u1f79\u03c3\u03bc\u03b5"), fin=False), ws_frame(
               CONTINUATION, b"\xf4\x90\x80\x80", fin=False), ws_frame(CONTINUATION, b"edited")),
           "6_4_2_cut_inside": (ws_frame(TEXT, utf8("\u03ba\u1f79\u03c3\u03bc\u03b5") + b"\xf4", fin=False), ws_frame(
               CONTINUATION, b"\x90", fin=False), ws_frame(CONTINUATION, b"\x80\x80edited"))})
    def test_P_WS_08_bad_text(self, *frames):
        self.fails(b"".join(frames), 1007)

    @each({"6_4_3_fail_fast": (b"\xf4\x90", b"\x80\x80edited"), "6_4_4_fail_faster": (b"\xf4", b"\x90\x80\x80edited")})
    def test_P_WS_08_refused_before_the_frame_is_complete(self, one, two):
        start = utf8("\u03ba\u1f79\u03c3\u03bc\u03b5")
        octets = ws_frame(TEXT, start + one + two)
        peer = self.echo()
        peer.raw(octets[:len(octets) - len(two) + (1 if one == b"\xf4" else 0)])
        self.assertEqual(peer.read_messages_to_end(), [])
        self.assertEqual(peer.close_code, 1007)

    @each({name: (octets,) for name, octets in UTF8_CASES.items()})
    def test_P_WS_08_utf8(self, octets):
        if is_utf8(octets):
            self.gives_back((TEXT, octets))
            self.fragmented(*[bytes([octet]) for octet in octets])
        else:
            self.fails(ws_frame(TEXT, octets), 1007)
            self.fails(in_octets(octets), 1007)
        self.gives_back((BINARY, octets))

    # --- 7: closing.

    def test_P_WS_15_close__7_1_1_after_a_message(self):
        self.gives_back((TEXT, b"Hello World!"))

    @each({"7_1_2_twice": ws_close(1000) * 2, "7_1_3_ping_after": ws_close(1000) + ws_frame(PING),
           "7_1_4_text_after": ws_close(1000) + ws_frame(TEXT, b"Hello World!"),
           "7_1_5_inside_a_message": ws_frame(TEXT, b"fragment1", fin=False) + ws_close(1000) +
           ws_frame(CONTINUATION, b"fragment2")})
    def test_P_WS_15_nothing_after_the_close(self, octets):
        peer = self.echo()
        peer.sent_close = True
        peer.raw(octets)
        self.assertEqual(peer.read_messages_to_end(), [])
        self.assertEqual((peer.close_code, peer.pongs), (1000, []))

    def test_P_WS_15_close__7_1_6_behind_much_data(self):
        peer = self.echo()
        peer.sent_close = True
        peer.raw(ws_frame(BINARY, b"BAsd7&jh23" * 26214) + ws_frame(TEXT, b"Hello World!") + ws_close(1000) +
                 ws_frame(PING))
        self.assertEqual(len(peer.read_messages_to_end(10)), 2)
        self.assertEqual(peer.close_code, 1000)

    @each({"7_3_1_empty": (b"", 1000), "7_3_3_code": (b"\x03\xe8", 1000), "7_3_4_reason": (b"\x03\xe8Hello", 1000),
           "7_3_5_longest": (b"\x03\xe8" + b"*" * 123, 1000)})
    def test_P_WS_15_close_payloads(self, payload, code):
        peer = self.echo()
        peer.sent_close = True
        peer.raw(ws_frame(CLOSE, payload))
        peer.read_messages_to_end()
        self.assertEqual(peer.close_code, code)

    @each({"7_3_2_one_octet": (b"a", 1002), "7_3_6_126": (b"\x03\xe8" + b"*" * 124, 1002),
           "7_5_1_bad_utf8": (b"\x03\xe8" + b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80", 1007)})
    def test_P_WS_15_bad_close_payloads(self, payload, code):
        self.fails(ws_frame(CLOSE, payload), code)

    @each({"7_7_%d_code_%d" % (i + 1, code): (code,) for i, code in enumerate(GOOD_CODES)})
    def test_P_WS_15_good_codes_are_echoed(self, code):
        peer = self.echo()
        peer.sent_close = True
        peer.raw(ws_close(code, b"reason"))
        peer.read_messages_to_end()
        self.assertEqual(peer.close_code, code)

    @each({"7_9_%d_code_%d" % (i + 1, code): (code,) for i, code in enumerate(BAD_CODES)})
    def test_P_WS_15_bad_codes(self, code):
        self.fails(ws_close(code), 1002)
        self.fails(ws_close(code, b"reason"), 1002)

    # --- 9: limits, 10: automatic fragmentation.

    @each({"9_%d_%d_%s_of_%d_KiB" % (1 if opcode == TEXT else 2, i + 1, "text" if opcode == TEXT else "binary", size): (
        opcode, size * 1024) for opcode in (TEXT, BINARY) for i, size in enumerate((64, 256, 1024, 4096, 8192, 16384))})
    def test_P_LIM_01_large_messages(self, opcode, size):
        self.gives_back((opcode, (b"*" if opcode == TEXT else b"\xfe") * size))

    @each({"9_%d_%d_%s_in_%d" % (3 if opcode == TEXT else 4, i + 1, "text" if opcode == TEXT else "binary", size): (
        opcode, size) for opcode in (TEXT, BINARY) for i, size in enumerate((
            64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304))})
    def test_P_LIM_01_4_MiB_in_fragments(self, opcode, size):
        peer = self.echo()
        count = max(1, 4 * MIB // size)
        payload = (b"*" if opcode == TEXT else b"\xfe") * size
        rest = ws_frame(CONTINUATION, payload, fin=False)
        octets = (ws_frame(opcode, payload, fin=count == 1) + rest * (count - 2) +
                  (ws_frame(CONTINUATION, payload) if count > 1 else b""))
        peer.raw(octets)
        self.assertEqual(peer.read_ws(seconds=20), (opcode, payload * count))
        self.end(peer)

    @each({"9_%d_%d_%s_chopped_by_%d" % (5 if opcode == TEXT else 6, i + 1, "text" if opcode == TEXT else "binary", size): (
        opcode, size) for opcode in (TEXT, BINARY) for i, size in enumerate((64, 128, 256, 512, 1024, 2048))})
    def test_P_FRAME_01_chopped_sends(self, opcode, size):
        self.gives_back((opcode, (b"*" if opcode == TEXT else b"\xfe") * (512 * size)), pieces=size)

    @each({"9_%d_%d_%s_of_%d" % (7 if opcode == TEXT else 8, i + 1, "texts" if opcode == TEXT else "binaries", size): (
        opcode, size) for opcode in (TEXT, BINARY) for i, size in enumerate((0, 16, 64, 256, 1024, 4096))})
    def test_P_WS_06_a_thousand_messages(self, opcode, size):
        peer = self.echo()
        payload = (b"*" if opcode == TEXT else b"\xfe") * size
        for _ in range(10):
            peer.raw(ws_frame(opcode, payload) * 100)
            self.assertEqual([peer.read_ws() for _ in range(100)], [(opcode, payload)] * 100)
        self.end(peer)

    def test_P_LIM_01_16_MiB_and_one_octet(self):
        self.fails(ws_frame(BINARY, length=16 * MIB + 1), 1009)
        self.fails(ws_frame(BINARY, b"x" * MIB, fin=False) * 1 + ws_frame(CONTINUATION, length=15 * MIB + 1), 1009)

    def test_P_WS_11_automatic_fragments__10_1_1(self):
        self.fragmented(*[b"*" * 1300] * 50 + [b"*" * 536])

    # --- What the suite does not ask.

    @each({"masks_%d" % i: (mask,) for i, mask in enumerate((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\x80\0\0\1"))})
    def test_P_WS_06_every_mask(self, mask):
        peer = self.echo()
        for size in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 65537):
            payload = bytes(i * 7 % 256 for i in range(size))
            peer.raw(ws_frame(BINARY, payload, mask=mask))
            self.assertEqual(peer.read_ws(), (BINARY, payload))
        self.end(peer)

    def test_P_FRAME_01_every_cut_of_a_small_conversation(self):
        octets = (ws_frame(TEXT, utf8("\u20ac"), fin=False) + ws_frame(PING, b"p") + ws_frame(CONTINUATION, utf8("\u00e4")) +
                  ws_frame(BINARY, b"x" * 126))
        for cut in range(1, len(octets)):
            peer = self.echo()
            peer.raw(octets[:cut])
            peer.raw(octets[cut:])
            self.assertEqual([peer.read_ws(), peer.read_ws()], [(TEXT, utf8("\u20ac\u00e4")), (BINARY, b"x" * 126)])
            self.assertEqual(peer.pongs, [b"p"])
            peer.close()

    def test_P_WS_01_the_echo_is_no_stomp_endpoint(self):
        peer = self.echo()
        frame = b"CONNECT\naccept-version:1.2\n\n\0"
        peer.message(frame)
        self.assertEqual(peer.read_ws(), (TEXT, frame))
        self.end(peer)

    def test_P_WS_03_the_echo_has_no_sub_protocol(self):
        peer = WsPeer(self.broker.address("ws"), path="/echo", protocols=["v12.stomp"])
        self.addCleanup(peer.close)
        self.assertEqual(peer.answer["Sec-WebSocket-Protocol"], [])


class EchoOverTls(Echo):
    """The same over wss."""

    @classmethod
    def setUpClass(cls):
        folder = make_certificate(cls)
        cls.config = {**Echo.config, "tls": {"certificate": folder + "/cert.pem", "key": folder + "/key.pem"},
                      "listener": [{"kind": "ws", "address": "127.0.0.1:0", "tls": True},
                                   {"kind": "tcp", "address": "127.0.0.1:0"}]}
        cls.context = ssl.create_default_context(cafile=folder + "/cert.pem")
        from support.broker import Broker  # pylint: disable=import-outside-toplevel
        cls.broker = Broker(cls.config, cls.arguments, listeners=False)
        cls.addClassCleanup(cls.broker.kill)

    def echo(self):
        peer = WsPeer(self.broker.address("ws"), path="/echo", tls=self.context)
        self.addCleanup(peer.close)
        return peer

    def test_P_WS_03_the_echo_has_no_sub_protocol(self):
        peer = WsPeer(self.broker.address("ws"), path="/echo", protocols=["v12.stomp"], tls=self.context)
        self.addCleanup(peer.close)
        self.assertEqual(peer.answer["Sec-WebSocket-Protocol"], [])


if __name__ == "__main__":
    unittest.main()
