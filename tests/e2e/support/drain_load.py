"""A crowd of clients and publishers while the broker drains: who is told what and when, and what is confirmed.

One thread: a selector reads whoever has something. Publishers send durable messages in windows until they are told to
leave; the crowd listens to a topic that a few of them write to.
"""
import selectors
import socket
import time

from .broker import wait_time
from .case import TRANSPORTS, broker_peer
from .peers import send_to

QUEUE, TOPIC = "/queue/drained", "/topic/drained"


class Publisher:
    """Numbers its messages; `confirmed` are those whose RECEIPT has come."""

    def __init__(self, broker, name, window, transport):
        self.peer = broker_peer(broker, transport).connect()
        self.name, self.window = name, window
        self.sent = 0
        self.confirmed = set()
        self.is_refused = False

    def fill(self):
        """Sends until the window is full."""
        octets = []
        while self.sent - len(self.confirmed) < self.window:
            body = b"%d.%d" % (self.name, self.sent)
            octets.append(send_to(QUEUE, body, "persistent:true", "receipt:%d" % self.sent))
            self.sent += 1
        if self.peer.transport == "tcp" and octets:
            octets = [b"".join(octets)]
        for frame in octets:
            self.is_refused = self.is_refused or not self.peer.send(frame)

    def on_frame(self, frame):
        if frame.command == "RECEIPT":
            self.confirmed.add(int(frame["receipt-id"]))

    def bodies(self):
        """What must not be lost."""
        return {"%d.%d" % (self.name, number) for number in self.confirmed}


class Listener:
    def __init__(self, broker, transport):
        self.peer = broker_peer(broker, transport).connect().subscribe(TOPIC)
        self.heard = 0

    def on_frame(self, frame):
        self.heard += frame.command == "MESSAGE"

    def fill(self):
        pass


class DrainLoad:
    """`ends`: seconds from the signal at which each client was told to leave; `untold`: clients that were not."""

    def __init__(self, broker, connections, publishers=8, window=50):
        self.broker = broker
        self.publishers = [Publisher(broker, name, window, TRANSPORTS[name % 2]) for name in range(publishers)]
        self.clients = [Listener(broker, TRANSPORTS[i % 2]) for i in range(connections - publishers)]
        self.clients += self.publishers
        self.selector = selectors.DefaultSelector()
        for client in self.clients:
            self.selector.register(client.peer.sock, selectors.EVENT_READ, client)
        self.begin = None
        self.ends = []
        self.untold = []

    def confirmed(self):
        return sum(len(publisher.confirmed) for publisher in self.publishers)

    def run(self, is_done, seconds):
        """Until `is_done()`; False if the time is over before."""
        end = time.monotonic() + wait_time(seconds)
        while not is_done():
            if time.monotonic() > end:
                return False
            for client in self.publishers:
                if client.peer.sock.fileno() >= 0 and not client.is_refused:
                    client.fill()
            for key, _ in self.selector.select(0.05):
                self._read(key.data)
        return True

    def drain(self, signal_broker, seconds):
        """Sends the signal and goes on until nobody is connected."""
        signal_broker()
        self.begin = time.monotonic()
        return self.run(lambda: not self.selector.get_map(), seconds)

    def _read(self, client):
        peer = client.peer
        goes_on = peer.receive(1)
        while (frame := peer.take_frame()) is not None:
            if frame.command == "ERROR" and frame["message"] == "shutdown":
                return self._leave(client, True)
            client.on_frame(frame)
        if peer.transport == "ws" and getattr(peer, "close_code", None) is not None:
            return self._leave(client, (peer.close_code, peer.close_reason) == (1012, "shutdown"))
        if not goes_on:
            self._leave(client, False)
        return None

    def _leave(self, client, was_told):
        if self.begin is not None and was_told:
            self.ends.append(time.monotonic() - self.begin)
        else:
            self.untold.append(client)
        self.selector.unregister(client.peer.sock)
        try:
            client.peer.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        client.peer.close()

    def tenths(self):
        """How many left in each tenth of the time from the first to the last."""
        counts = [0] * 10
        first, last = min(self.ends), max(self.ends)
        for moment in self.ends:
            counts[min(9, int((moment - first) / max(last - first, 1e-9) * 10))] += 1
        return counts

    def must_be_kept(self):
        return set().union(*(publisher.bodies() for publisher in self.publishers))

    def close(self):
        for client in self.clients:
            client.peer.close()
        self.selector.close()


def kept_in(broker):
    """The bodies that the queue has, all of them consumed."""
    with broker_peer(broker, "tcp").connect().subscribe(QUEUE) as peer:
        peer.publish(QUEUE, b"the last")
        bodies = set()
        while (message := peer.read_message(20)).body != b"the last":
            bodies.add(message.body.decode())
        return bodies
