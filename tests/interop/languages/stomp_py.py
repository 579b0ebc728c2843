"""stomp.py against the broker: stomp_py.py VERSION, with STAMPEDE_TCP, or STAMPEDE_WS for --web-socket.

Prints "ok TITLE" or "not ok TITLE: REASON" for each fact, and fails if one failed. Waits are bounded queues.
"""

import contextlib
import os
import queue
import socket
import sys
import traceback
import urllib.parse

import stomp

PATIENCE = 15
EURO = "Grüße, 世界, Ω, \U0001F418"


class Listener(stomp.ConnectionListener):
    """Puts what arrives into queues, by kind."""

    def __init__(self):
        self.connected, self.messages, self.receipts = queue.Queue(), queue.Queue(), queue.Queue()
        self.errors, self.beats, self.ends = queue.Queue(), queue.Queue(), queue.Queue()

    def on_connected(self, frame):
        self.connected.put(frame)

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.put(frame)

    def on_heartbeat(self):
        self.beats.put("beat")

    def on_heartbeat_timeout(self):
        self.beats.put("timeout")

    def on_disconnected(self):
        self.ends.put(True)


class Session:
    """One connection; what differs between the versions' interfaces is evened out here."""

    def __init__(self, version, passcode="guest", **options):
        self.version = version
        self.listener = Listener()
        self.connection = open_connection(version, options)
        self.connection.set_listener("test", self.listener)
        self.connection.connect("guest", passcode, wait=False)
        self.receipts = 0

    def connected(self):
        return self.listener.connected.get(timeout=PATIENCE).headers

    def subscribe(self, destination, ack="auto", id="s1"):
        self.connection.subscribe(destination, id=id, ack=ack, receipt=self.receipt())
        self.await_receipt()

    def send(self, destination, body, **headers):
        self.connection.send(destination, body, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def next(self):
        return self.listener.messages.get(timeout=PATIENCE)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def ack(self, message, **options):
        self._settle(self.connection.ack, message, options)

    def nack(self, message, **options):
        self._settle(self.connection.nack, message, options)

    def _settle(self, settle, message, options):
        headers = message.headers
        if self.version == "1.2":
            settle(headers["ack"], **options)
        elif self.version == "1.1":
            settle(headers["message-id"], headers["subscription"], **options)
        else:
            settle(headers["message-id"], **options)

    def receipt(self):
        self.receipts += 1
        return "receipt-%d" % self.receipts

    def await_receipt(self):
        assert self.listener.receipts.get(timeout=PATIENCE) == "receipt-%d" % self.receipts

    def disconnect(self):
        self.connection.disconnect(receipt=self.receipt())
        self.await_receipt()

    def drop(self):
        """The end of a client that crashed."""
        web_socket = getattr(self.connection.transport, "socket", None)
        if hasattr(web_socket, "sock"):
            # Its own way would leave the connection open as long as the reading thread waits.
            with contextlib.suppress(OSError, AttributeError):
                web_socket.sock.shutdown(socket.SHUT_RDWR)
        self.connection.transport.disconnect_socket()


def open_connection(version, options):
    if "--web-socket" in sys.argv:
        url = urllib.parse.urlparse(os.environ["STAMPEDE_WS"])
        return stomp.WSStompConnection([(url.hostname, url.port)], ws_path=url.path, **options)
    host, port = os.environ["STAMPEDE_TCP"].rsplit(":", 1)
    kind = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}[version]
    return kind([(host, int(port))], reconnect_attempts_max=1, **options)


@contextlib.contextmanager
def session(version, **options):
    it = Session(version, **options)
    it.connected_headers = it.connected()
    try:
        yield it
    finally:
        it.drop()


def connects(version):
    """P_VER_01 P_CONN_02 P_CONN_08 connects, with STOMP in place of CONNECT"""
    with session(version) as s:
        assert s.connected_headers["version"] == version
        assert len(s.connected_headers["session"]) == 32
        assert s.connected_headers["user-name"] == "guest"


def refused(version):
    """P_CONN_07 a wrong passcode is refused auth-failed, with a remedy"""
    s = Session(version, passcode="wrong")
    frame = s.listener.errors.get(timeout=PATIENCE)
    assert frame.headers["message"] == "auth-failed"
    assert "\n" in frame.body


def bodies(version):
    """P_FRAME_12 P_SUB_04 bodies arrive as sent"""
    with session(version) as s:
        s.subscribe("/topic/bodies")
        for body in ("hello", "", EURO, "\n", "x" * 1024, "y" * 1000 * 1024, EURO * 10000):
            s.send("/topic/bodies", body)
            assert s.next().body == body


def octets(version):
    """P_FRAME_12 P_FRAME_14 octets arrive as sent, NUL among them"""
    # Over WebSocket stomp.py sends text unless told otherwise, and text must be UTF-8 (P_WS_08).
    options = {"binary_mode": True} if "--web-socket" in sys.argv else {}
    with session(version, auto_decode=False, **options) as s:
        s.subscribe("/topic/octets")
        for body in (b"\0", bytes(range(256)), b"a\0\nb" * 100000, b"\xff"):
            s.send("/topic/octets", body)
            assert s.next().body == body


def headers(version):
    """P_FRAME_07 P_FRAME_17 headers arrive as sent, with the escapes of the version"""
    values = {"1.0": ["a:b", "back\\slash"], "1.1": ["a:b", "two\nlines", "back\\slash", ""]}
    values["1.2"] = values["1.1"] + ["cr\rcr"]
    with session(version) as s:
        s.subscribe("/topic/headers")
        for value in values[version] + [EURO, "a b"]:
            s.send("/topic/headers", "body", x_value=value)
            assert s.next().headers["x-value"] == value, value


def left_over(version, ack, settle):
    with session(version) as s:
        s.subscribe("/queue/" + ack, ack=ack)
        for body in ("first", "second", "third"):
            s.send("/queue/" + ack, body)
        settle(s, s.take(3))
        s.disconnect()
    with session(version) as heir:
        heir.subscribe("/queue/" + ack)
        heir.send("/queue/" + ack, "end")
        left = []
        while not left or left[-1].body != "end":
            left.append(heir.next())
        assert all(message.headers["redelivered"] == "true" for message in left[:-1])
        return [message.body for message in left[:-1]]


def cumulative(version):
    """P_ACK_02 P_ACK_04 ack:client settles what came before"""
    assert left_over(version, "client", lambda s, m: s.ack(m[1])) == ["third"]


def individual(version):
    """P_ACK_02 P_ACK_05 ack:client-individual settles one"""
    assert left_over(version, "client-individual", lambda s, m: s.ack(m[1])) == ["first", "third"]


def nack(version):
    """P_ACK_06 NACK brings the message again"""
    with session(version) as s:
        s.subscribe("/queue/nack", ack="client-individual")
        s.send("/queue/nack", "again")
        s.nack(s.next())
        again = s.next()
        assert (again.body, again.headers["x-delivery-count"]) == ("again", "2")
        s.ack(again)


def no_nack(version):
    """P_VER_05 NACK is no command of 1.0"""
    with session(version) as s:
        s.connection.send_frame("NACK", {"message-id": "1"})
        assert s.listener.errors.get(timeout=PATIENCE).headers["message"] == "bad-frame"


def no_id(version):
    """P_SUB_03 a subscription of 1.0 without id"""
    with session(version) as s:
        s.connection.subscribe("/topic/no-id", receipt=s.receipt())
        s.await_receipt()
        s.send("/topic/no-id", "for you")
        message = s.next()
        assert message.body == "for you" and "subscription" not in message.headers
        s.connection.unsubscribe(destination="/topic/no-id", receipt=s.receipt())
        s.await_receipt()


def redelivery(version):
    """P_ACK_08 a lost connection gives its deliveries back"""
    with session(version) as heir:
        with session(version) as doomed:
            doomed.subscribe("/queue/lost", ack="client")
            doomed.send("/queue/lost", "survivor")
            doomed.next()
        heir.subscribe("/queue/lost", ack="client")
        message = heir.next()
        assert (message.body, message.headers["redelivered"]) == ("survivor", "true")


def transactions(version):
    """P_TX_02 P_TX_04 P_TX_05 COMMIT publishes, ABORT does not"""
    with session(version) as s:
        s.subscribe("/queue/tx")
        for end in (s.connection.abort, s.connection.commit):
            transaction = s.connection.begin()
            s.send("/queue/tx", end.__name__, transaction=transaction)
            end(transaction)
        assert s.next().body == "commit"
        assert s.listener.messages.empty()


def transacted_ack(version):
    """P_TX_03 an aborted ACK leaves the message"""
    with session(version) as s:
        s.subscribe("/queue/txack", ack="client-individual")
        s.send("/queue/txack", "kept")
        transaction = s.connection.begin()
        s.ack(s.next(), transaction=transaction)
        s.connection.abort(transaction)
        s.disconnect()
    with session(version) as heir:
        heir.subscribe("/queue/txack")
        assert heir.next().body == "kept"


def competing(version):
    """P_SUB_09 consumers of a queue compete"""
    with session(version) as one, session(version) as two, session(version) as publisher:
        for consumer in (one, two):
            consumer.subscribe("/queue/work")
        for i in range(10):
            publisher.send("/queue/work", str(i))
        assert sorted(int(m.body) for m in one.take(5) + two.take(5)) == list(range(10))


def receipts(version):
    """P_RCPT_01 P_RCPT_04 receipts come in order"""
    with session(version) as s:
        asked = [s.receipt() for _ in range(50)]
        for receipt in asked:
            s.send("/queue/receipts", "x", receipt=receipt)
        assert [s.listener.receipts.get(timeout=PATIENCE) for _ in asked] == asked


def beats(version):
    """P_HB_02 P_HB_03 beats of 1000 both ways"""
    with session(version, heartbeats=(1000, 1000)) as s:
        assert s.connected_headers["heart-beat"] == "1000,1000"
        assert [s.listener.beats.get(timeout=PATIENCE) for _ in range(5)] == ["beat"] * 5
        s.send("/topic/x", "still here", receipt=s.receipt())
        s.await_receipt()


def disconnects(version):
    """P_RCPT_05 DISCONNECT is answered by a receipt, then the end"""
    with session(version) as s:
        s.send("/queue/bye", "bye")
        s.disconnect()
        assert s.listener.ends.get(timeout=PATIENCE)


FACTS = {
    "1.0": [connects, refused, bodies, octets, headers, cumulative, individual, no_nack, no_id, redelivery,
            transactions, transacted_ack, competing, receipts, disconnects],
    "1.1": [connects, refused, bodies, octets, headers, cumulative, individual, nack, redelivery, transactions,
            transacted_ack, competing, receipts, beats, disconnects],
}
FACTS["1.2"] = FACTS["1.1"]


def main():
    version = sys.argv[1]
    failures = 0
    for fact in FACTS[version]:
        try:
            fact(version)
            print("ok", fact.__doc__, flush=True)
        except Exception as error:
            failures += 1
            print("not ok %s: %s %s" % (fact.__doc__, type(error).__name__, error), flush=True)
            traceback.print_exc()
    # Threads of the client may still wait for what never comes.
    os._exit(1 if failures else 0)


main()
