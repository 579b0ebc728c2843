"""stomp.py's own parser: base64 pieces from standard input, one a line, to frames in JSON.

No connection is made: the transport gets its octets from the pieces.
"""

import base64
import json
import sys

import stomp
from stomp.transport import BaseTransport


class Pieces(BaseTransport):
    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces
        self.running = True

    def receive(self):
        return self.pieces.pop(0) if self.pieces else b""

    def frames(self):
        try:
            while True:
                yield from self._BaseTransport__read()
        except stomp.exception.ConnectionClosedException:
            pass


pieces = [base64.b64decode(line) for line in sys.stdin]
found = []
for octets in Pieces(pieces).frames():
    frame = stomp.utils.parse_frame(octets)
    if frame and frame.cmd != "heartbeat":
        body = frame.body if isinstance(frame.body, bytes) else (frame.body or "").encode()
        found.append({"command": frame.cmd, "headers": frame.headers, "body": body.decode(errors="replace")})
json.dump(found, sys.stdout)
