"""A STOMP peer over TCP or WebSocket, plain or TLS, with every octet under control.

Sending is literal: nothing is escaped, counted or completed. Receiving is strict: whatever the broker sends is held
against the rules of its framing, so every test proves them again (P-FRAME-16, -19, P-WS-11 to -14, RFC 6455).
"""
import base64
import hashlib
import os
import select
import socket
import ssl
import struct
import time

from .broker import wait_time

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PERIOD = 5  # What answers at once has so many seconds, times the patience.
ESCAPES = {"1.0": {}, "1.1": {"n": "\n", "c": ":", "\\": "\\"}, "1.2": {"n": "\n", "c": ":", "\\": "\\", "r": "\r"}}


class BadOctets(AssertionError):
    """The broker sent what its specification forbids."""


class Frame:
    """A frame from the broker: `command`, `headers` (pairs, in order), `body`."""

    def __init__(self, command, headers, body):
        self.command, self.headers, self.body = command, headers, body

    def __getitem__(self, name):
        for key, value in self.headers:
            if key == name:
                return value
        raise KeyError("%s has no header %s" % (self, name))

    def get(self, name, default=None):
        return dict(self.headers).get(name, default)

    def __contains__(self, name):
        return any(key == name for key, _ in self.headers)

    def __repr__(self):
        return "%s%s %r" % (self.command, self.headers, self.body[:200])


def stomp(command, *lines, body=b"", end=b"\0"):
    """A frame with these header lines, as they are."""
    lines = [line if isinstance(line, bytes) else line.encode() for line in (command,) + lines]
    return b"\n".join(lines) + b"\n\n" + body + end


def send_to(destination, body=b"", *lines):
    return stomp("SEND", "destination:" + destination, "content-length:%d" % len(body), *lines, body=body)


def unescape(text, version):
    table, out, at = ESCAPES[version], [], 0
    if version == "1.0":
        return text
    while at < len(text):
        if text[at] == "\\":
            if text[at + 1:at + 2] not in table:
                raise BadOctets("undefined escape in %r" % text)
            out.append(table[text[at + 1]])
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def decode_frame(octets, version):
    """(Frame, octets used), or None while it is not complete."""
    head_end = octets.find(b"\n\n")
    if head_end < 0:
        return None
    lines = octets[:head_end].decode("utf-8").split("\n")
    if lines[0] not in ("CONNECTED", "MESSAGE", "RECEIPT", "ERROR"):
        raise BadOctets("no command of a server: %r" % octets[:80])
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or "\r" in line or "\0" in line:
            raise BadOctets("bad header line %r" % line)
        if lines[0] != "CONNECTED":
            if version != "1.0" and ":" in value:
                raise BadOctets("a colon that is not escaped in %r" % line)
            name, value = unescape(name, version), unescape(value, version)
        if any(name == key for key, _ in headers):
            raise BadOctets("repeated header %r" % name)
        headers.append((name, value))
    length = dict(headers).get("content-length")
    start = head_end + 2
    if length is None:
        if lines[0] in ("MESSAGE", "ERROR"):
            raise BadOctets("%s without content-length" % lines[0])
        end = octets.find(b"\0", start)
        if end < 0:
            return None
        if end != start:
            raise BadOctets("a body on %s" % lines[0])
    else:
        end = start + int(length)
        if len(octets) <= end:
            return None
        if octets[end] != 0:
            raise BadOctets("no NUL after the body: %r" % octets[end:end + 20])
    return Frame(lines[0], headers, bytes(octets[start:end])), end + 1


class Peer:
    """What TCP and WebSocket have in common. `take_*` looks at what has come, `read_*` waits for it."""

    transport = "tcp"

    def __init__(self, address, tls=None, source=None, receive_buffer=None, server_name="localhost"):
        self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(wait_time(PERIOD))
        try:
            self.sock.connect(address)
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname=server_name)
        except BaseException:
            self.sock.close()
            raise
        self.buffer = bytearray()
        self.early = []  # Frames that came before an awaited RECEIPT.
        self.version = "1.2"
        self.beats = 0
        self.received = 0
        self.ended = False
        self.was_reset = False
        self.connected = None
        self.close_code = None
        self.close_reason = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def fileno(self):
        return self.sock.fileno()

    # --- Octets.

    def raw(self, octets):
        """Sends as it is. An end of the connection shows when reading."""
        try:
            self.sock.settimeout(wait_time(PERIOD))
            self.sock.sendall(octets)
            return True
        except (ConnectionError, ssl.SSLError):
            return False

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def receive(self, seconds=PERIOD):
        """More octets into the buffer. False at the end; TimeoutError if nothing comes."""
        if self.ended:
            return False
        self.sock.settimeout(wait_time(seconds) if seconds else 0.0005)
        try:
            octets = self.sock.recv(262144)
        except (ssl.SSLWantReadError, BlockingIOError):
            raise TimeoutError("nothing to read") from None
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            self.was_reset = isinstance(error, ConnectionError)
            octets = b""
        self.received += len(octets)
        self.buffer += octets
        self.ended = not octets
        return not self.ended

    def receive_now(self):
        """What is there already, without waiting. False at the end."""
        while True:
            pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            if not pending and not select.select([self.sock], [], [], 0)[0]:
                return True
            try:
                if not self.receive(1):
                    return False
            except TimeoutError:
                return True

    # --- Frames.

    def send(self, octets):
        return self.raw(octets)

    def take_frame(self):
        """The next frame that is complete, or None. Heart-beats are counted."""
        while self.buffer[:1] == b"\n":
            self.beats += 1
            del self.buffer[:1]
        decoded = decode_frame(self.buffer, self.version)
        if decoded is None:
            if self.buffer and not any(c.startswith(bytes(self.buffer[:5])) or bytes(self.buffer).startswith(c[:5])
                                       for c in (b"CONNECTED", b"MESSAGE", b"RECEIPT", b"ERROR")):
                raise BadOctets("no frame: %r" % bytes(self.buffer[:80]))
            return None
        frame, used = decoded
        del self.buffer[:used]
        self._note(frame)
        return frame

    def _note(self, frame):
        if frame.command == "CONNECTED":
            self.version = frame["version"]

    def read_frame(self, seconds=PERIOD):
        """The next frame; None at the end."""
        return self.early.pop(0) if self.early else self._await_frame(seconds)

    def _await_frame(self, seconds=PERIOD):
        end = time.monotonic() + wait_time(seconds)
        while True:
            frame = self.take_frame()
            if frame is not None:
                return frame
            if time.monotonic() > end:
                raise TimeoutError("no frame within %s s" % seconds)
            if not self.receive(seconds):
                return self.take_frame()

    def read_frames(self, count, seconds=PERIOD):
        frames = []
        while len(frames) < count:
            frame = self.read_frame(seconds)
            if frame is None:
                raise AssertionError("%d of %d frames, then the end: %s" % (len(frames), count, frames[-3:]))
            frames.append(frame)
        return frames

    def read_beat(self, seconds=PERIOD):
        """Waits for a heart-beat; no frame may come before it."""
        before = self.beats
        end = time.monotonic() + wait_time(seconds)
        while True:
            frame = self.take_frame()
            if frame is not None:
                raise AssertionError("a frame instead of a beat: %s" % frame)
            if self.beats > before:
                return
            if time.monotonic() > end or not self.receive(seconds):
                raise AssertionError("no beat")

    def read_end(self, seconds=PERIOD):
        """All frames up to the end of the connection."""
        frames = []
        end = time.monotonic() + wait_time(seconds)
        while True:
            frame = self.read_frame(max(0.01, end - time.monotonic()))
            if frame is None:
                return frames
            frames.append(frame)

    # --- Conversations.

    def connect(self, version="1.2", *lines, command="CONNECT"):
        """CONNECT and its CONNECTED."""
        self.send(stomp(command, "accept-version:" + version, "host:localhost", *lines))
        frame = self.read_frame()
        if frame is None or frame.command != "CONNECTED" or frame["version"] != version:
            raise AssertionError("no CONNECTED %s: %s" % (version, frame))
        self.connected = frame
        return self

    def ask(self, command, *lines, body=b"", receipt="r"):
        """A frame with a receipt; frames that came before its RECEIPT."""
        self.send(stomp(command, *lines, "receipt:" + receipt, body=body))
        return self.read_receipt(receipt)

    def read_receipt(self, receipt="r"):
        frames, self.early = self.early, []
        while True:
            frame = self._await_frame()
            if frame is None or frame.command == "ERROR":
                raise AssertionError("instead of RECEIPT %s: %s" % (receipt, frame))
            if frame.command == "RECEIPT" and frame["receipt-id"] == receipt:
                return frames
            frames.append(frame)

    def subscribe(self, destination, *lines, id="0"):  # pylint: disable=redefined-builtin
        self.early = self.ask("SUBSCRIBE", "destination:" + destination, "id:" + id, *lines)
        return self

    def publish(self, destination, body=b"", *lines):
        """SEND with receipt; what came before the RECEIPT is read next."""
        length = "content-length:%d" % len(body)
        self.early = self.ask("SEND", "destination:" + destination, length, *lines, body=body)
        return self

    def read_message(self, seconds=PERIOD):
        frame = self.read_frame(seconds)
        if frame is None or frame.command != "MESSAGE":
            raise AssertionError("instead of MESSAGE: %s" % frame)
        return frame


class TcpPeer(Peer):
    """STOMP over TCP."""


def ws_frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x11\x22\x33\x44", length=None, length_octets=None):
    """A WebSocket frame of a client. `length` and `length_octets` (0, 2, 8) can be made to lie; mask=None: none."""
    size = len(payload) if length is None else length
    if length_octets is None:
        length_octets = 0 if size < 126 else 2 if size < 65536 else 8
    bit = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | (rsv << 4) | opcode])
    if length_octets == 0:
        head += bytes([bit | size])
    elif length_octets == 2:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    return head + (b"" if mask is None else mask + masked(payload, mask))


def masked(payload, mask):
    if not payload:
        return b""
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


def ws_close(code=None, reason=b""):
    return ws_frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def is_utf8(octets):
    try:
        octets.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


class HttpAnswer:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.version, _, rest = lines[0].partition(" ")
        self.status = int(rest[:3])
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:] if line]

    def __getitem__(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]


class WsPeer(Peer):
    """STOMP over WebSocket, or WebSocket alone. Pings are answered unless `answers_pings` is off."""

    transport = "ws"

    def __init__(self, address, path="/ws", protocols=(), upgrade=True, fields=(), **options):
        super().__init__(address, **options)
        self.address = address
        self.messages = []  # (opcode, payload) not yet read
        self.pings = []
        self.pongs = []
        self.answers_pings = True
        self.checks_stomp = True
        self.sent_close = False
        self.answer = None
        self.fragments = None
        self.wire = bytearray()
        try:
            if upgrade:
                self.upgrade(path, protocols, fields)
        except BaseException:
            self.close()
            raise

    def upgrade(self, path="/ws", protocols=(), fields=()):
        key = base64.b64encode(os.urandom(16))
        self.raw(upgrade_request(path, "%s:%d" % self.address if ":" not in self.address[0] else
                                 "[%s]:%d" % self.address[:2], key.decode(), protocols, fields))
        answer = self.read_answer()
        if answer.status != 101:
            raise AssertionError("no upgrade: %s %s" % (answer.status, answer.fields))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        if answer["Sec-WebSocket-Accept"] != [accept]:
            raise BadOctets("wrong Sec-WebSocket-Accept")
        if answer["Sec-WebSocket-Extensions"]:
            raise BadOctets("an extension was negotiated")
        return answer

    def read_answer(self, seconds=PERIOD):
        """The head of an HTTP answer."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.receive(seconds):
                raise AssertionError("the end instead of an HTTP answer: %r" % bytes(self.buffer))
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.answer = HttpAnswer(head)
        self.buffer = bytearray()
        if self.answer.status == 101:
            self.wire = bytearray(rest)
            self.buffer = bytearray()
        else:
            self.buffer = bytearray(rest)
        return self.answer

    # --- WebSocket frames.

    def message(self, payload, opcode=None):
        """One message in one frame."""
        if opcode is None:
            opcode = TEXT if is_utf8(payload) else BINARY
        return self.raw(ws_frame(opcode, payload))

    def send(self, octets):
        return self.message(octets)

    def _decode_wire(self):
        """Moves whole frames from the socket's octets into messages; every frame is held against RFC 6455."""
        if self.answer is None or self.answer.status != 101:
            return
        self.wire += self.buffer
        self.buffer = bytearray()
        at = 0
        while True:
            head = self.wire[at:at + 10]
            if len(head) < 2:
                break
            if head[0] & 0x70:
                raise BadOctets("RSV bits from the broker")
            if head[1] & 0x80:
                raise BadOctets("a masked frame from the broker")
            opcode, fin, size, start = head[0] & 15, bool(head[0] & 0x80), head[1], at + 2
            if size == 126:
                if len(head) < 4:
                    break
                size, start = struct.unpack(">H", head[2:4])[0], at + 4
                if size < 126:
                    raise BadOctets("a length not in its shortest form")
            elif size == 127:
                if len(head) < 10:
                    break
                size, start = struct.unpack(">Q", head[2:10])[0], at + 10
                if size < 65536:
                    raise BadOctets("a length not in its shortest form")
            if len(self.wire) < start + size:
                break
            payload = bytes(self.wire[start:start + size])
            at = start + size
            self._on_frame(opcode, fin, payload)
        del self.wire[:at]

    def _on_frame(self, opcode, fin, payload):
        if self.close_code is not None:
            raise BadOctets("a frame after the close frame")
        if not fin:
            raise BadOctets("the broker fragments (P-WS-11)")
        if opcode in (TEXT, BINARY):
            if opcode == TEXT and not is_utf8(payload):
                raise BadOctets("a text message that is not UTF-8")
            self.messages.append((opcode, payload))
        elif opcode == PING:
            self.pings.append(payload)
            if self.answers_pings:
                self.raw(ws_frame(PONG, payload))
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            self._on_close(payload)
        else:
            raise BadOctets("opcode %d" % opcode)

    def _on_close(self, payload):
        if len(payload) == 1 or len(payload) > 125:
            raise BadOctets("bad close frame %r" % payload)
        self.close_code = struct.unpack(">H", payload[:2])[0] if payload else 1005
        self.close_reason = payload[2:].decode("utf-8")
        if not self.sent_close:
            self.sent_close = True
            self.raw(ws_frame(CLOSE, payload[:2]))

    def take_message(self):
        self._decode_wire()
        return self.messages.pop(0) if self.messages else None

    def read_ws(self, seconds=PERIOD):
        """The next data message (opcode, payload); None at the end."""
        end = time.monotonic() + wait_time(seconds)
        while True:
            message = self.take_message()
            if message is not None:
                return message
            if time.monotonic() > end:
                raise TimeoutError("no message within %s s" % seconds)
            if not self.receive(seconds):
                return self.take_message()

    def read_control(self, what, seconds=PERIOD):
        """Waits for the next `pings` or `pongs`."""
        end = time.monotonic() + wait_time(seconds)
        while True:
            self._decode_wire()
            if getattr(self, what):
                return getattr(self, what).pop(0)
            if time.monotonic() > end or not self.receive(seconds):
                raise AssertionError("none of " + what)

    def take_frame(self):
        while True:
            message = self.take_message()
            if message is None:
                return None
            opcode, payload = message
            if payload == b"\n":
                if opcode != TEXT:
                    raise BadOctets("a beat that is no text message (P-WS-13)")
                self.beats += 1
                continue
            decoded = decode_frame(payload, self.version)
            if decoded is None or decoded[1] != len(payload):
                raise BadOctets("not exactly one frame in a message (P-WS-11): %r" % payload[:80])
            if (opcode == TEXT) != is_utf8(payload):
                raise BadOctets("wrong opcode (P-WS-12): %r" % payload[:80])
            self._note(decoded[0])
            return decoded[0]

    def read_close(self, seconds=PERIOD):
        """To the end of the connection: (code, reason) of the close frame."""
        self.read_messages_to_end(seconds)
        return self.close_code, self.close_reason

    def read_messages_to_end(self, seconds=PERIOD):
        messages = []
        end = time.monotonic() + wait_time(seconds)
        while True:
            message = self.read_ws(max(0.01, end - time.monotonic()))
            if message is None:
                return messages
            messages.append(message)


def upgrade_request(path="/ws", host="localhost", key="AAAAAAAAAAAAAAAAAAAAAA==", protocols=(), fields=(),
                    method="GET", version="HTTP/1.1", leave_out=()):
    """The request of an upgrade; `leave_out` names standard fields that are to miss."""
    standard = [("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", key)]
    if protocols:
        standard.append(("Sec-WebSocket-Protocol", ", ".join(protocols)))
    lines = ["%s %s %s" % (method, path, version)]
    lines += ["%s: %s" % pair for pair in standard if pair[0] not in leave_out]
    lines += ["%s: %s" % pair for pair in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
