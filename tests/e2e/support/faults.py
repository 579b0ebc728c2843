"""Faulty input as tables: STOMP frames, WebSocket frames and TLS records, each with what the specification says of it.

A fault of a frame is (octets, verdict). Verdicts are LIVES, a reason token, a set of these where the specification leaves
the choice, or ANY. What the state of the connection makes of a sound frame is `sound`; both together are `expected`.
"""
import struct

from .peers import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, send_to, stomp, upgrade_request, ws_close, ws_frame

LIVES, ENDS, SILENT, ANY = "lives", "ends", "silent", "any"
HELD = "held"  # The frame is not complete: a timer ends the connection.

CLIENT_COMMANDS = ("CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT",
                   "DISCONNECT")
SERVER_COMMANDS = ("CONNECTED", "MESSAGE", "RECEIPT", "ERROR")
OTHER_COMMANDS = SERVER_COMMANDS + ("UNKNOWN", "SHUTDOWN", "SENDX", "SEN", "")
LOGINS = ("CONNECT", "STOMP")
ACK_ID = "@ACK@"  # Stands for the delivery that is outstanding in the state `subscribed`.

LINES = {"CONNECT": ["accept-version:1.2", "host:h", "heart-beat:0,0"], "STOMP": ["accept-version:1.2", "host:h"],
         "SEND": ["destination:/topic/matrix", "content-type:text/plain"],
         "SUBSCRIBE": ["destination:/topic/matrix", "id:new", "ack:auto"], "UNSUBSCRIBE": ["id:new"],
         "ACK": ["id:" + ACK_ID, "message-id:" + ACK_ID], "NACK": ["id:" + ACK_ID, "message-id:" + ACK_ID],
         "BEGIN": ["transaction:t"], "COMMIT": ["transaction:t"], "ABORT": ["transaction:t"], "DISCONNECT": []}
REQUIRED = {"SEND": ["destination"], "SUBSCRIBE": ["destination", "id"], "UNSUBSCRIBE": ["id"], "BEGIN": ["transaction"],
            "COMMIT": ["transaction"], "ABORT": ["transaction"]}
NAMES = {"CONNECT": "client-id", "STOMP": "client-id", "SEND": "transaction", "SUBSCRIBE": "id", "UNSUBSCRIBE": "id",
         "ACK": "transaction", "NACK": "transaction", "BEGIN": "transaction", "COMMIT": "transaction",
         "ABORT": "transaction", "DISCONNECT": "receipt"}
FRAME_MAX = 64 * 1024  # What the broker under test is configured with.
BEFORE_CONNECTED = 16 * 1024
RECEIPT = "receipt:f"


def lines_of(command):
    """The header lines of a sound frame; all but CONNECT ask for the receipt `f`."""
    return LINES[command] + ([] if command in LOGINS else [RECEIPT])


# --- Faults of the grammar: what a parser sees without knowing what the frame is for.

CONTENT_LENGTHS = {
    "minus_1": ("-1", "bad-frame"), "plus_1": ("+1", "bad-frame"), "exponent": ("1e3", "bad-frame"),
    "hexadecimal": ("0x10", "bad-frame"), "blank_after": ("5 ", "bad-frame"), "tab_before": ("\t5", "bad-frame"),
    "empty": ("", "bad-frame"), "list": ("5,5", "bad-frame"), "fraction": ("1.0", "bad-frame"),
    "digits_11": ("0" * 11, "bad-frame"), "other_digits": ("\u0665", "bad-frame"), "minus_0": ("-0", "bad-frame"),
    "octal_or_not": ("0o7", "bad-frame"), "2_31": (str(1 << 31), "frame-too-large"),
    "2_31_less_1": (str((1 << 31) - 1), "frame-too-large"), "2_32": (str(1 << 32), "frame-too-large"),
    "2_32_less_1": (str((1 << 32) - 1), "frame-too-large"), "9999999999": ("9" * 10, "frame-too-large"),
    "2_63": (str(1 << 63), "bad-frame"), "2_63_less_1": (str((1 << 63) - 1), "bad-frame"),
    "2_64": (str(1 << 64), "bad-frame"), "2_64_plus_1": (str((1 << 64) + 1), "bad-frame"),
    "the_limit": (str(FRAME_MAX), "frame-too-large"),
}
BAD_UTF8 = {"ff": b"\xff", "c0_80": b"\xc0\x80", "surrogate": b"\xed\xa0\x80", "cut": b"\xe2\x82", "f5": b"\xf5\x80\x80\x80",
            "alone": b"\x80", "overlong": b"\xe0\x80\xaf", "too_high": b"\xf4\x90\x80\x80"}
BAD_ESCAPES = {"q": "\\q", "t": "\\t", "at_the_end": "x\\", "digit": "\\0", "upper": "\\N", "before_colon": "\\:"}


def command_line_faults(command):
    """{name: (octets, verdict)}: the first line, and where a frame can be cut."""
    lines = lines_of(command)
    name, rest = command.encode(), stomp("", *lines)
    return {"lower_case": (stomp(command.lower(), *lines), "bad-frame"),
            "capitalised": (stomp(command.capitalize(), *lines), "bad-frame"),
            "blank_before": (stomp(" " + command, *lines), "bad-frame"),
            "blank_after": (stomp(command + " ", *lines), "bad-frame"),
            "tab_after": (stomp(command + "\t", *lines), "bad-frame"),
            "colon_after": (stomp(command + ":", *lines), "bad-frame"),
            "cr_alone_after": (name + b"\r" + rest[1:], "bad-frame"), "nul_after": (name + b"\0" + rest, "bad-frame"),
            "cr_cr_lf": (name + b"\r\r" + rest, "bad-frame"),
            "cr_lf": (stomp(command, *lines).replace(b"\n", b"\r\n"), LIVES),
            "line_ends_before": (b"\n\r\n\n" * 20 + stomp(command, *lines), LIVES),
            "lone_cr": (name + b"\r", HELD), "cut_in_command": (name[:-1], HELD), "cut_in_headers": ((name + rest)[:-2], HELD),
            "cut_before_nul": (stomp(command, *lines, end=b""), HELD),
            "cut_in_body": (stomp(command, *lines, "content-length:10", body=b"abc", end=b""), HELD)}


def header_faults(command, version):
    """{name: (octets, verdict)}: lines of headers, their octets and their number."""
    lines = lines_of(command)
    head = stomp(command, *lines)[:-2]
    is_login = command in LOGINS
    result = {"no_colon": (stomp(command, *lines, "junk"), "bad-frame"), "only_blanks": (stomp(command, *lines, "  "), "bad-frame"),
              "empty_name": (stomp(command, *lines, ":x"), "bad-frame"), "only_colon": (stomp(command, *lines, ":"), "bad-frame"),
              "nul_in_name": (head + b"a\0b:c\n\n\0", "bad-frame"), "nul_in_value": (head + b"a:b\0c\n\n\0", "bad-frame"),
              "nul_for_the_blank_line": (head + b"\0", "bad-frame"),
              "header_line_too_long": (stomp(command, *lines, "x:" + "y" * 9000), "header-too-large"),
              "name_too_long": (stomp(command, *lines, "y" * 9000 + ":x"), "header-too-large"),
              "headers_too_many": (stomp(command, *lines, *["x%d:y" % i for i in range(65)]), "header-too-large"),
              "headers_too_large": (stomp(command, *lines, *["x%d:" % i + "y" * 3000 for i in range(6)]),
                                    {"header-too-large", "frame-too-large"}),
              "unknown_headers": (stomp(command, *lines, "x-unknown:1", "\u00e9\u20ac:\u00e9", "X Y:  z"), LIVES),
              "every_header_twice": (stomp(command, *lines, *[line.split(":")[0] + ":~" for line in lines]), LIVES),
              "headers_reversed": (stomp(command, *reversed(lines)), LIVES),
              "empty_value": (stomp(command, *lines, "x-empty:"), LIVES)}
    for text, octets in BAD_UTF8.items():
        result["utf8_in_value_" + text] = (head + b"x:a" + octets + b"\n\n\0", "bad-utf8")
        result["utf8_in_name_" + text] = (head + b"x" + octets + b":a\n\n\0", "bad-utf8")
    verdict = LIVES if is_login or version == "1.0" else "bad-frame"
    for text, escape in BAD_ESCAPES.items():
        result["escape_in_value_" + text] = (stomp(command, *lines, "x:" + escape), verdict)
        if text != "before_colon":
            result["escape_in_name_" + text] = (stomp(command, *lines, "x" + escape + ":a"), verdict)
    verdict = "bad-frame" if is_login or version == "1.2" else LIVES
    result["cr_inside_value"] = (stomp(command, *lines, "x:a\rb"), verdict)
    result["cr_at_value_start"] = (stomp(command, *lines, "x:\rb"), verdict)
    return result


def body_faults(command, version):
    """{name: (octets, verdict)}: lengths, said and true."""
    lines = lines_of(command)

    def with_lengths(*lengths, body=b"abc", end=b"\0"):
        return stomp(command, *lines, *["content-length:" + length for length in lengths], body=body, end=end)
    result = {"length_too_short": (with_lengths("1"), "bad-frame"), "length_too_long": (with_lengths("4") + b"x", "bad-frame"),
              "two_lengths_first_right": (with_lengths("3", "-1"), LIVES),
              "two_lengths_first_wrong": (with_lengths("2", "3"), "bad-frame"),
              "two_lengths_first_junk": (with_lengths("x", "3"), "bad-frame"),
              "body": (with_lengths(), LIVES), "length_0": (with_lengths("0", body=b""), LIVES),
              "body_with_nuls": (with_lengths("3", body=b"\0\0\0"), LIVES),
              "body_too_long": (with_lengths(body=b"b" * FRAME_MAX), "frame-too-large"),
              "body_too_long_as_declared": (with_lengths(str(FRAME_MAX + 1), body=b"b" * (FRAME_MAX + 1)), "frame-too-large"),
              "declared_and_not_sent": (with_lengths(str(FRAME_MAX + 1), body=b"", end=b""), "frame-too-large")}
    for text, (length, verdict) in CONTENT_LENGTHS.items():
        result["content_length_" + text] = (with_lengths(length, body=b"abcde"), verdict)
    verdict = LIVES if version == "1.0" and command not in LOGINS else "bad-frame"
    result["content_length_blank_before"] = (with_lengths(" 5", body=b"abcde"), verdict)
    return result


def grammar_faults(command, version):
    """{name: (octets, verdict)} of a client's command."""
    return {**command_line_faults(command), **header_faults(command, version), **body_faults(command, version)}


# --- Faults of meaning: sound frames that ask for what there is not.

DESTINATIONS = {
    "empty": ("", {"bad-destination", "missing-header"}), "slash": ("/", "bad-destination"), "only_prefix": ("/queue/", "bad-destination"),
    "only_topic": ("/topic/", "bad-destination"), "empty_level": ("/topic/a//b", "bad-destination"),
    "empty_level_of_dots": ("/topic/a..b", "bad-destination"), "slash_at_the_end": ("/topic/a/", "bad-destination"),
    "dot": ("/topic/a/./b", "bad-destination"), "dot_dot": ("/topic/a/../b", "bad-destination"),
    "control": ("/topic/a\x01", "bad-destination"), "delete": ("/topic/a\x7f", "bad-destination"),
    "c1": ("/topic/a\u0085", "bad-destination"), "octets_256": ("/topic/" + "a" * 249, "bad-destination"),
    "levels_17": ("/topic/" + "/".join("a" * 17), "bad-destination"), "sys": ("/sys/a", "access-denied"),
    "dollar": ("/topic/$a", "access-denied"), "dollar_inside": ("/topic/a/$b", "access-denied"),
    "dollar_queue": ("/queue/$a", "access-denied"), "headers_exchange": ("/exchange/amq.headers/x", "unsupported"),
    "wildcard_in_queue": ("/queue/a.*", "bad-destination"),
}
SEND_FAULTS = {
    "wildcard_star": ("destination:/topic/*", "bad-destination"), "wildcard_plus": ("destination:/topic/a/+", "bad-destination"),
    "wildcard_hash": ("destination:/topic/#", "bad-destination"), "wildcard_more": ("destination:/topic/a.>", "bad-destination"),
    "wildcard_double": ("destination:/topic/a/**", "bad-destination"), "user_without_name": ("destination:/user/queue/a",
                                                                                            "bad-destination"),
    "transaction_unknown": ("transaction:none", "bad-state"), "expires": ("expires:soon", "bad-header"),
    "expires_negative": ("expires:-1", "bad-header"), "ttl": ("ttl:1e9", "bad-header"), "priority": ("priority:high", "bad-header"),
    "priority_256": ("priority:256", "bad-header"), "retain": ("retain:maybe", "bad-header"), "delay": ("x-delay:x", "bad-header"),
    "delay_2_64": ("x-delay:18446744073709551616", "bad-header"), "delay_40_days": ("x-delay:3456000000", "bad-header"),
    "cron": ("AMQ_SCHEDULED_CRON:* * * * *", "unsupported"), "receipt_129": ("receipt:" + "r" * 129, "bad-frame"),
    "temporary_reply": ("reply-to:/temp-queue/", {"bad-destination", "bad-header"}),
}
SUBSCRIBE_FAULTS = {
    "ack": ("ack:maybe", "bad-header"), "ack_empty": ("ack:", "bad-header"), "ack_upper": ("ack:AUTO", "bad-header"),
    "prefetch": ("prefetch-count:x", "bad-header"), "prefetch_2_64": ("prefetch-count:18446744073709551616", "bad-header"),
    "prefetch_negative": ("prefetch-count:-5", "bad-header"), "priority": ("x-priority:1.5", "bad-header"),
    "no_local": ("no-local:2", "bad-header"),
    "selector_empty": ("selector:", "bad-selector"), "selector_open": ("selector:a = 'x", "bad-selector"),
    "selector_code": ("selector:T(java.lang.Runtime).getRuntime().exec('id')", "bad-selector"),
    "selector_long": ("selector:" + "a=1 OR " * 80 + "a=1", "bad-selector"),
    "selector_deep": ("selector:" + "(" * 20 + "a=1" + ")" * 20, "bad-selector"),
    "selector_many": ("selector:" + " OR ".join(["a=1"] * 40), "bad-selector"),
    "stream_filter": ("x-stream-filter:x", "unsupported"), "stream_offset": ("x-stream-offset:first", "unsupported"),
    "temporary_id": ("id:/temp-queue/x", "bad-header"), "reply_queue": ("destination:/reply-queue/x", "access-denied"),
}
CONNECT_FAULTS = {
    "heart_beat_word": ("heart-beat:x", "bad-header"), "heart_beat_one": ("heart-beat:1", "bad-header"),
    "heart_beat_three": ("heart-beat:1,2,3", "bad-header"), "heart_beat_negative": ("heart-beat:-1,0", "bad-header"),
    "heart_beat_11_digits": ("heart-beat:12345678901,0", "bad-header"), "heart_beat_half": ("heart-beat:1,", "bad-header"),
    "heart_beat_other_half": ("heart-beat:,1", "bad-header"), "heart_beat_semicolon": ("heart-beat:1;1", "bad-header"),
    "heart_beat_fraction": ("heart-beat:1.5,1", "bad-header"), "version_9": ("accept-version:9", "version-unsupported"),
    "version_empty": ("accept-version:", "version-unsupported"), "version_words": ("accept-version:one,two", "version-unsupported"),
    "login": ("login:x", "auth-failed"), "passcode": ("passcode:x", "auth-failed"), "bearer": ("Authorization:Bearer x", "auth-failed"),
    "host_any": ("host:../../etc/passwd", LIVES), "extensions": ("x-stampede-extensions:all", LIVES),
}


def replaced(command, line):
    """A sound frame in which the header of `line` has its value instead."""
    name = line.split(":")[0] + ":"
    rest = [old for old in lines_of(command) if not old.startswith(name)]
    return stomp(command, line, *rest)


def delivery_faults(command):
    """{name: (octets, verdict)} of ACK and NACK."""
    # An id that is no M-n may be that of a delivery in auto mode (P-ACK-03).
    result = {"id_unknown": (stomp(command, "id:nobody", "message-id:nobody", RECEIPT), ANY),
              "without_id": (stomp(command, RECEIPT), "missing-header"),
              "other_subscription": (stomp(command, *lines_of(command), "subscription:other"), "bad-state"),
              "transaction_unknown": (stomp(command, *lines_of(command), "transaction:none"), "bad-state")}
    for text, value in {"empty": "", "higher": ACK_ID + "9", "other": "0-1", "huge": ACK_ID + "9" * 20}.items():
        others = {"bad-header", "missing-header", "bad-frame"} if text in ("empty", "huge") else set()
        result["id_" + text] = (stomp(command, "id:" + value, "message-id:" + value, RECEIPT), {"bad-state"} | others)
    return result


def meaning_faults(command, version):
    """{name: (octets, verdict)} of a client's command."""
    lines = lines_of(command)
    result = {"sound": (stomp(command, *lines), LIVES)}
    required = [name for name in REQUIRED.get(command, ()) if (version, command, name) not in (
        ("1.0", "SUBSCRIBE", "id"),)]
    for name in required:
        at = [line.split(":")[0] for line in lines].index(name)
        rest = lines[:at] + lines[at + 1:]
        result["without_" + name] = (stomp(command, *rest), "missing-header")
        result["wrong_case_" + name] = (stomp(command, *rest, lines[at].capitalize()), "missing-header")
        result["blank_before_" + name] = (stomp(command, *rest, " " + lines[at]), "missing-header")
        result["blank_after_" + name] = (stomp(command, *rest, lines[at].replace(":", " :", 1)), "missing-header")
        result["empty_" + name] = (replaced(command, name + ":"), {"bad-destination", "missing-header"} if name == "destination" else ANY)
    if command in ("ACK", "NACK"):
        result.update(delivery_faults(command))
    if command != "CONNECT" and command != "STOMP":
        result["name_128"] = (replaced(command, "receipt:" + "r" * 128), LIVES)
        result["receipt_129"] = (replaced(command, "receipt:" + "r" * 129), "bad-frame")
    result["name_129"] = (replaced(command, NAMES[command] + ":" + "n" * 129), "bad-frame")
    tables = {"SEND": SEND_FAULTS, "SUBSCRIBE": SUBSCRIBE_FAULTS, "CONNECT": CONNECT_FAULTS, "STOMP": CONNECT_FAULTS}
    for text, (line, verdict) in tables.get(command, {}).items():
        result[text] = (replaced(command, line), verdict)
    once = command in LOGINS + ("BEGIN", "COMMIT", "ABORT")
    result["twice"] = (stomp(command, *lines) * 2, "bad-state" if once else LIVES)
    if command == "SEND":  # What repeats its head is not parsed again; what almost does is.
        sound, again = stomp(command, *lines, "content-length:1", body=b"x") * 3, stomp(command, *lines)[:-2]
        result["again_with_bad_length"] = (sound + again + b"content-length:-1\n\nx\0", "bad-frame")
        result["again_with_bad_utf8"] = (sound + again + b"x:\xff\n\n\0", "bad-utf8")
        result["again_with_bad_body"] = (sound + again + b"content-length:1\n\nxy\0", "bad-frame")
        result["again_elsewhere"] = (sound + stomp(command, "destination:/topic/$a", *lines[1:]), "access-denied")
    if command == "SUBSCRIBE":
        result["browser"] = (stomp(command, "destination:/queue/matrix", "id:new", "browser:perhaps", RECEIPT), "bad-header")
    if command in ("SEND", "SUBSCRIBE"):
        for text, (destination, verdict) in DESTINATIONS.items():
            result["destination_" + text] = (replaced(command, "destination:" + destination), verdict)
            result["second_destination_" + text] = (stomp(command, *lines, "destination:" + destination), LIVES)
    return result


# --- Faults of WebSocket: the code of the close frame says it all.

WEB_SOCKET_FAULTS = {
    "rsv1": (ws_frame(TEXT, b"\n", rsv=4), 1002), "rsv2": (ws_frame(TEXT, b"\n", rsv=2), 1002),
    "rsv3": (ws_frame(TEXT, b"\n", rsv=1), 1002), "rsv_on_ping": (ws_frame(PING, rsv=4), 1002),
    "rsv1_compressed": (ws_frame(BINARY, b"\x4a\xcb\x2f\x02\x00" * 20, rsv=4), 1002),
    "not_masked": (ws_frame(TEXT, b"\n", mask=None), 1002), "ping_not_masked": (ws_frame(PING, mask=None), 1002),
    "close_not_masked": (ws_frame(CLOSE, b"\x03\xe8", mask=None), 1002),
    "continuation_first": (ws_frame(CONTINUATION, b"x"), 1002),
    "final_continuation_first": (ws_frame(CONTINUATION, b"x", fin=False), 1002),
    "text_inside_text": (ws_frame(TEXT, b"\n", fin=False) + ws_frame(TEXT, b"\n"), 1002),
    "binary_inside_text": (ws_frame(TEXT, b"\n", fin=False) + ws_frame(BINARY, b"\n", fin=False), 1002),
    "fragmented_ping": (ws_frame(PING, b"x", fin=False), 1002),
    "fragmented_close": (ws_frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    "ping_126": (ws_frame(PING, b"x" * 126), 1002), "pong_126": (ws_frame(PONG, b"x" * 126), 1002),
    "close_126": (ws_frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002), "ping_64_bit": (ws_frame(PING, length=1 << 32), 1002),
    "close_1_octet": (ws_frame(CLOSE, b"\x03"), 1002), "close_bad_utf8": (ws_close(1000, b"\xff\xfe"), 1007),
    "not_shortest_16": (ws_frame(TEXT, b"\n" * 5, length_octets=2), 1002),
    "not_shortest_64": (ws_frame(TEXT, b"\n" * 5, length_octets=8), 1002),
    "not_shortest_64_of_16": (ws_frame(TEXT, b"\n" * 300, length_octets=8), 1002),
    "length_2_63": (ws_frame(BINARY, length=1 << 63), 1002), "length_2_64": (ws_frame(BINARY, length=(1 << 64) - 1), 1002),
    "length_2_63_less_1": (ws_frame(BINARY, length=(1 << 63) - 1), 1009),
    "length_2_31": (ws_frame(BINARY, length=1 << 31), 1009), "length_2_31_less_1": (ws_frame(BINARY,
                                                                                        length=(1 << 31) - 1), 1009),
    "length_2_32": (ws_frame(BINARY, length=1 << 32), 1009), "length_2_31_plus_1": (ws_frame(
        BINARY, length=(1 << 31) + 1), 1009),
    "length_2_63_rsv1": (ws_frame(BINARY, length=1 << 63, rsv=4), 1002),
    "length_2_31_rsv1": (ws_frame(BINARY, length=1 << 31, rsv=4), 1002),
    "stomp_without_websocket": (b"CONNECT\naccept-version:1.2\n\n\0", 1002),
    "http_again": (upgrade_request(), 1002), "all_zero": (b"\0" * 64, 1002), "all_ones": (b"\xff" * 64, 1002),
    "text_bad_utf8": (ws_frame(TEXT, b"\xff"), 1007), "text_cut_utf8": (ws_frame(TEXT, b"\xe2\x82"), 1007),
    "data_after_close": (ws_close(1000) + ws_frame(TEXT, send_to("/topic/hostile", b"x")), 1000),
    "pings_after_close": (ws_close(1000) + ws_frame(PING) * 10, 1000),
}
WEB_SOCKET_FAULTS.update({"opcode_%d" % code: (ws_frame(code, b"x"), 1002) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)})
WEB_SOCKET_FAULTS.update({"close_%d" % code: (ws_close(code), 1002) for code in (
    0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)})


def no_commands():
    """{name: octets}: what is no command of a client."""
    result = {}
    for command in OTHER_COMMANDS:
        result[command or "nothing"] = stomp(command, RECEIPT)
    del result["nothing"]
    result["MESSAGE complete"] = stomp("MESSAGE", "destination:/topic/a", "message-id:1", "subscription:1", body=b"x")
    result["blank"] = b" " + stomp("SEND")
    result["cr alone"] = b"\rSEND\n\n\0"
    result["byte order mark"] = b"\xef\xbb\xbf" + stomp("SEND")
    result["octet ff"] = b"\xff" * 20
    result["tls"] = bytes.fromhex("16030100050100000100")
    result["http"] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    result["very long"] = b"S" * 5000
    return result


# --- Faults of TLS. A port that speaks TLS answers them with an alert or not at all, and ends the connection.

def tls_faults(hello):
    """{name: octets} from a client's sound hello: cut everywhere, and records of other kinds, versions and lengths."""
    result = {"cut_at_%d" % at: hello[:at] for at in range(1, len(hello), 3)}
    for kind in (0, 20, 21, 22, 23, 24, 128, 255):
        for version in (0x0000, 0x0200, 0x0300, 0x0301, 0x0303, 0x0304, 0x0400, 0xffff):
            for length in (0, 1, 5, 0x4001, 0xffff):
                head = struct.pack(">BHH", kind, version, length)
                result["record_%d_%04x_%d" % (kind, version, length)] = head + b"\1" * min(length, 5)
    for version in (0x0002, 0x0300, 0x0301, 0x0302, 0xffff):  # The version that the hello itself names.
        result["hello_%04x" % version] = hello[:9] + struct.pack(">H", version) + without_versions(hello[11:])
    for command in CLIENT_COMMANDS:
        result["stomp_" + command] = stomp(command, *lines_of(command))
    result["http"] = upgrade_request()
    return result


def without_versions(octets):
    """The extension supported_versions becomes one that nobody knows."""
    return octets.replace(b"\x00\x2b\x00\x05\x04", b"\xfa\xfa\x00\x05\x04").replace(b"\x00\x2b\x00\x03\x02", b"\xfa\xfa\x00\x03\x02")
