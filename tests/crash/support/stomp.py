"""A STOMP 1.2 client over asyncio for loads: every octet to the broker is preceded by the history's flush.

Frames come to `on_message`; receipts are matched in the order in which they were asked for, which is itself a promise.
"""
import asyncio
import collections

ESCAPES = {"\\": "\\\\", "\n": "\\n", ":": "\\c", "\r": "\\r"}
INDETERMINATE = ("storage-failed", "storage-timeout")  # What the disk has of it is known after a restart only.
UNESCAPES = {"\\\\": "\\", "\\n": "\n", "\\c": ":", "\\r": "\r"}


class Gone(Exception):
    """The connection has ended."""


def escape(text):
    return "".join(ESCAPES.get(c, c) for c in text)


def unescape(text):
    if "\\" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        pair = text[at:at + 2]
        out.append(UNESCAPES.get(pair, text[at]))
        at += 2 if pair in UNESCAPES else 1
    return "".join(out)


def frame(command, headers, body=b""):
    """`headers`: pairs; content-length is added to what has a body."""
    lines = [command]
    lines += ["%s:%s" % (escape(name), escape(str(value))) for name, value in headers]
    if body:
        lines.append("content-length:%d" % len(body))
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


class Peer(asyncio.Protocol):
    """One connection. `label` is unique in the history."""

    def __init__(self, history, label, on_message=None, on_batch=None):
        self.history, self.label = history, label
        self.on_message = on_message  # (headers, body), for each MESSAGE.
        self.on_batch = on_batch      # (), after all MESSAGEs of a read.
        self.connected = False
        self.closed = False
        self.error = None             # Headers of the ERROR, and its body.
        self.error_text = ""
        self.receipts = collections.deque()  # (id, what to do when it comes), in order.
        self.on_refused = {}          # Receipt id -> what to do if the ERROR names it.
        self._counter = 0
        self._buffer = bytearray()
        self._out = []
        self._waiter = None
        self._transport = None
        self._paused = False

    # --- Sending.

    def send(self, command, headers, body=b"", receipt=None, refused=None):
        """`receipt`: called when the RECEIPT comes; `refused`: when the ERROR names this frame."""
        if receipt is not None:
            self._counter += 1
            name = "%s-%d" % (self.label, self._counter)
            headers = [*headers, ("receipt", name)]
            self.receipts.append((name, receipt))
            if refused is not None:
                self.on_refused[name] = refused
        self._out.append(frame(command, headers, body))

    def push(self):
        """History first, then the octets."""
        self.history.flush()
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def pause_writing(self):
        self._paused = True

    def resume_writing(self):
        self._paused = False
        self._wake()

    def abort(self):
        if self._transport is not None:
            self._transport.abort()

    # --- Receiving.

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._buffer += data
        self._take_frames()
        if self.on_batch is not None:
            self.on_batch()
        self.push()
        self._wake()

    def connection_lost(self, exc):
        self.closed = True
        self.history.flush()
        self._wake()

    def _wake(self):
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take_frames(self):
        buffer, at = self._buffer, 0
        while True:
            while at < len(buffer) and buffer[at] in b"\r\n":
                at += 1
            head_end = buffer.find(b"\n\n", at)
            if head_end < 0:
                break
            lines = buffer[at:head_end].decode("utf-8").split("\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers.setdefault(unescape(name), unescape(value))
            length = headers.get("content-length")
            if length is None:
                end = buffer.find(b"\0", head_end + 2)
                if end < 0:
                    break
            else:
                end = head_end + 2 + int(length)
                if len(buffer) <= end:
                    break
                if buffer[end] != 0:
                    self.history.add("W", "no NUL behind the body of", lines[0])
            body = bytes(buffer[head_end + 2:end])
            at = end + 1
            self._on_frame(lines[0], headers, body)
        del buffer[:at]

    def _on_frame(self, command, headers, body):
        if command == "MESSAGE":
            self.on_message(headers, body)
        elif command == "RECEIPT":
            self._on_receipt(headers.get("receipt-id"))
        elif command == "CONNECTED":
            self.connected = True
        elif command == "ERROR":
            self.error, self.error_text = headers, body.decode("utf-8", "replace")
            self.history.add("E", self.label, headers.get("message", "-").replace(" ", "-"))
            refused = self.on_refused.get(headers.get("receipt-id"))
            if refused is not None and headers.get("message") not in INDETERMINATE:
                refused()

    def _on_receipt(self, name):
        if not self.receipts or self.receipts[0][0] != name:
            expected = self.receipts[0][0] if self.receipts else "none"
            self.history.add("W", "receipt", name, "where", expected, "was due")
            while self.receipts and self.receipts[0][0] != name:
                self.receipts.popleft()
            if not self.receipts:
                return
        _, done = self.receipts.popleft()
        self.on_refused.pop(name, None)
        done()

    # --- Waiting.

    async def progress(self):
        """Until something has come. Raises Gone at the end of the connection."""
        if self.closed:
            raise Gone
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
        if self.closed:
            raise Gone

    async def until(self, condition):
        while not condition():
            await self.progress()

    async def settled(self, outstanding=0):
        """Until no more than so many receipts are outstanding and the socket takes more."""
        await self.until(lambda: len(self.receipts) <= outstanding and not self._paused)

    async def ended(self):
        """Until the connection has ended, whoever ends it."""
        try:
            while True:
                await self.progress()
        except Gone:
            pass

    async def disconnect(self, done=None):
        """DISCONNECT, its RECEIPT, and the end."""
        came = []
        self.send("DISCONNECT", [], receipt=lambda: came.append(1))
        self.push()
        await self.until(lambda: came)
        if done is not None:
            done()
        self.history.flush()
        self.abort()


async def connect(address, history, label, headers=(), on_message=None, on_batch=None):
    """A connected Peer, or None if nobody listens there, or it ends before CONNECTED."""
    loop = asyncio.get_running_loop()
    peer = Peer(history, label, on_message, on_batch)
    try:
        await loop.create_connection(lambda: peer, *address)
    except OSError:
        return None
    peer.send("CONNECT", [("accept-version", "1.2"), ("host", "localhost"), ("heart-beat", "0,0"), *headers])
    peer.push()
    try:
        await peer.until(lambda: peer.connected or peer.error)
    except Gone:
        return None
    return peer if peer.connected else None
