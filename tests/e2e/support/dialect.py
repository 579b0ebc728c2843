"""Clients as they were written for another broker: what all dialects have in common.

Nothing here knows Stampede: a conversation uses only the headers of its broker's manual.
"""
import time

from .broker import until
from .case import BrokerCase, broker_peer, stomp


class DialectCase(BrokerCase):
    """`login` are the header lines of CONNECT as clients of that broker send them."""

    login = ("login:guest", "passcode:guest", "host:localhost")
    names = 0

    def name(self, prefix="/queue/"):
        """A destination that no other test uses."""
        DialectCase.names += 1
        return "%sdialect.n%d" % (prefix, DialectCase.names)

    def connected(self, *lines, transport="tcp", version="1.2"):
        peer = broker_peer(self.broker, transport)
        self.addCleanup(peer.close)
        peer.send(stomp("CONNECT", "accept-version:" + version, *self.login, *lines))
        peer.connected = peer.read_frame()
        self.assertEqual((peer.connected.command, peer.connected.get("version")), ("CONNECTED", version), peer.connected)
        return peer

    def send_all(self, peer, destination, bodies, *lines):
        for body in bodies:
            peer.publish(destination, body.encode(), *lines)

    def bodies(self, peer, count):
        """The next `count` messages, as text."""
        return [peer.read_message().body.decode() for _ in range(count)]

    def settle(self, peer, command, message, *lines):
        """ACK or NACK as 1.2 has it, done when this returns."""
        self.step(peer, command, "id:" + message["ack"], *lines)

    def step(self, peer, command, *lines):
        """Any frame with its RECEIPT; messages that come meanwhile are read later."""
        peer.early = peer.ask(command, *lines)

    def leave(self, peer):
        """DISCONNECT, as a well-behaved client does."""
        peer.ask("DISCONNECT", receipt="bye")
        peer.close()

    def await_clock(self, milliseconds):
        """Until the clock that expiry goes by is later than `milliseconds` (since 1970)."""
        self.assertTrue(until(lambda: now_ms() > milliseconds, seconds=30))


def now_ms():
    return time.time_ns() // 1_000_000
