"""The matrix of bad input: commands x states x faults x transports, each with the outcome that the specification demands.

A client in a process of its own is served all the while, and at the end nothing is left of them. STAMPEDE_MATRIX=TEXT
plays only the cases whose name contains TEXT.
"""
import os
import re
import socketserver
import ssl
import sys
import tempfile
import threading
import time
import unittest

from support import faults
from support.broker import Broker, until, wait_time
from support.case import TRANSPORTS, BrokerCase, GoodClient, make_certificate
from support.faults import ANY, BEFORE_CONNECTED, ENDS, FRAME_MAX, LIVES
from support.matrix import STATES, VERSIONS_OF, WITNESS, Case, Crowd, expected
from support.peers import BadOctets, TcpPeer, WsPeer
from support.pulse import Pulse

LIMITS = {"frame": "%dB" % FRAME_MAX, "before_connected": "%dB" % BEFORE_CONNECTED, "connect_time": "2s", "frame_time": "1s",
          "frame_time_max": "2s", "close_time": "1s", "linger_time": "1s", "tls_handshake_time": "1s", "idle_topics": 1000}
ALERT, HANDSHAKE = 21, 22
RIGHT = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"  # bcrypt of `right`, of the lowest cost.
ROUND_TRIP_MAX = 0.25
LEFT_MAX = 4  # Descriptors more than before, of what is not part of the matrix.


def chosen(cases):
    return [case for case in cases if os.environ.get("STAMPEDE_MATRIX", "") in str(case)]


def stomp_cases(transports=TRANSPORTS, states=STATES):
    """Commands x states x faults."""
    cases = []
    for state in states:
        version = VERSIONS_OF.get(state, "1.2")
        for command in faults.CLIENT_COMMANDS:
            tables = ((faults.grammar_faults(command, version), True), (faults.meaning_faults(command, version), False))
            for table, is_grammar in tables:
                for fault, (octets, verdict) in table.items():
                    allowed = expected(state, command, verdict, is_grammar)
                    cases += [Case("%s with %s" % (command, fault), transport, state, octets, allowed)
                              for transport in transports]
        for name, octets in faults.no_commands().items():
            allowed = expected(state, "", "bad-frame", True)
            cases += [Case("%s, no command" % name, transport, state, octets, allowed) for transport in transports]
    return chosen(cases)


def web_socket_cases():
    """States x faults of RFC 6455."""
    return chosen([Case("WebSocket with " + fault, "ws", state, octets, {"close-%d" % code}, raw=True)
                   for state in ("accepted", "connected", "transaction", "subscribed")
                   for fault, (octets, code) in faults.WEB_SOCKET_FAULTS.items()])


class MatrixCase(BrokerCase):
    config = {"limits": LIMITS}
    login = ()

    def play(self, cases, least, broker=None, **options):
        """Plays them beside a client that is served in time; nothing of them is left."""
        watcher = self.client("tcp", "1.2", *self.login).subscribe(WITNESS)
        broker = broker or self.broker
        pulse = Pulse(self.broker, *self.login)
        descriptors = broker.descriptors()
        begin = time.monotonic()
        crowd = Crowd(broker, **options).play(cases, watcher)
        seconds = time.monotonic() - begin
        count, slowest = pulse.stop()
        print("\n%s: %d cases in %.1f s, the slowest end after %.0f ms (%s); %d round trips beside them, the slowest %.0f ms"
              % (self.id().rsplit(".", 1)[-1], len(cases), seconds, crowd.slowest[0] * 1000, crowd.slowest[1], count,
                 slowest * 1000), file=sys.stderr)
        if crowd.complaints:
            self.fail("%d complaints about %d cases:\n%s" % (len(crowd.complaints), len(cases), "\n".join(crowd.complaints[:40])))
        if "STAMPEDE_MATRIX" not in os.environ:
            self.assertGreaterEqual(len(cases), least)
        self.assertLess(slowest, wait_time(ROUND_TRIP_MAX), "others waited")
        self.assertTrue(until(lambda: broker.descriptors() < descriptors + LEFT_MAX), "descriptors are left: %d, %d" % (
            broker.descriptors(), descriptors))


class StompMatrix(MatrixCase):
    def test_S_AUTH_02_CVE_2026_26449_any_fault_in_any_state(self):
        self.play(stomp_cases(), 20000)

    def test_P_WS_05_CVE_2026_27889_any_fault_of_websocket_in_any_state(self):
        self.play(web_socket_cases(), 200)


class WhileCredentialsAreChecked(MatrixCase):
    """The fault lies behind a CONNECT whose passcode is being hashed: the state Connecting of S-AUTH-01."""

    login = ("login:good", "passcode:right")

    @classmethod
    def good_client(cls):
        return GoodClient(cls.broker, login=cls.login)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="stampede-e2e-")
        cls.addClassCleanup(folder.cleanup)
        path = os.path.join(folder.name, "users")
        with open(path, "w", encoding="ascii") as users:  # A user for each case: what was hashed once is remembered.
            users.writelines("%s:%s\n" % (name, RIGHT) for name in ["good"] + ["good%d" % i for i in range(2000)])
        os.chmod(path, 0o640)
        cls.config = {"limits": LIMITS, "auth": {"users_file": path, "failed_logins": 100, "hash_queue": 1024},
                      "acl": [{"who": ["authenticated"], "allow": ["publish", "subscribe", "create", "browse"],
                               "on": ["/topic/#", "/queue/#"]}]}
        super().setUpClass()

    def test_S_AUTH_01_behind_a_login_that_succeeds_it_is_as_if_connected(self):
        self.play(stomp_cases(states=["pending"])[::3], 500, login=lambda case, index: (
            "login:good%d" % index, "passcode:right"))

    def test_S_AUTH_01_behind_a_login_that_fails_nothing_counts(self):
        """An address each, since failures of one are counted and held back."""
        def open_peer(case, index):
            kind = TcpPeer if case.transport == "tcp" else WsPeer
            return kind(self.broker.address(case.transport), source="127.1.%d.%d" % (index // 250, index % 250 + 1))
        self.play(stomp_cases(states=["denied"])[::5], 500, open_peer=open_peer, login=lambda case, index: (
            "login:good", "passcode:wrong%d" % index))


class Records(TcpPeer):
    """Speaks TCP to a port that speaks TLS: nothing but records may come back."""

    def send(self, octets):
        return self.raw(octets)

    def raw(self, octets):
        super().raw(octets)
        try:
            self.half_close()
        except OSError:
            pass

    def take_frame(self):
        if self.buffer and self.buffer[0] not in (ALERT, HANDSHAKE):
            raise BadOctets("no record of TLS: %r" % bytes(self.buffer[:80]))


class TlsMatrix(MatrixCase):
    """Faults below STOMP on ports that speak TLS."""

    @classmethod
    def setUpClass(cls):
        folder = make_certificate(cls)
        cls.tls = Broker({"limits": LIMITS, "tls": {"certificate": folder + "/cert.pem", "key": folder + "/key.pem"},
                          "listener": [{"kind": kind, "address": "127.0.0.1:0", "tls": True} for kind in ("tcp", "ws")]},
                         listeners=False)
        cls.addClassCleanup(cls.tls.kill)
        cls.context = ssl.create_default_context(cafile=folder + "/cert.pem")
        super().setUpClass()

    def hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            self.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        return outgoing.read()

    def test_S_TLS_01_any_octets_on_a_port_that_speaks_tls(self):
        cases = chosen([Case("TLS with " + fault, transport, "accepted", octets, {"closed"}, raw=True)
                        for fault, octets in faults.tls_faults(self.hello()).items() for transport in TRANSPORTS])
        self.play(cases, 1000, broker=self.tls, open_peer=lambda case, index: Records(self.tls.address(case.transport)))


class AcceptsEverything(socketserver.StreamRequestHandler):
    """A broker without any rule: CONNECTED to what comes first, a RECEIPT to whoever asks, and it delivers nothing."""

    def handle(self):
        version, buffer = b"", b""
        while True:
            octets = self.request.recv(65536)
            if not octets:
                return
            *frames, buffer = (buffer + octets).split(b"\0")
            for frame in frames:
                found = re.search(rb"^receipt:(.*)$", frame, re.MULTILINE)
                if not version:
                    version = (re.findall(rb"accept-version:(1\.[012])$", frame, re.MULTILINE) or [b"1.2"])[0]
                    self.wfile.write(b"CONNECTED\nversion:" + version + b"\n\n\0")
                elif found:
                    self.wfile.write(b"RECEIPT\nreceipt-id:" + found[1].rstrip(b"\r") + b"\n\n\0")


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that has gone is no error."""


class TheOracleItself(MatrixCase):
    """What the matrix is worth: whoever does not refuse is found out, and so is a wrong expectation."""

    def test_S_AUTH_02_a_broker_that_accepts_everything_is_found_out(self):
        cases = [case for case in stomp_cases(["tcp"], ["connected"])
                 if not case.allowed & {LIVES, ENDS, ANY} and not case.is_held]
        with Server(("127.0.0.1", 0), AcceptsEverything) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            crowd = Crowd(None, open_peer=lambda case, index: TcpPeer(server.server_address), late=0.2).play(cases)
            server.shutdown()
        self.assertGreater(len(cases), 500)
        self.assertEqual(len(crowd.wrong), len(cases))

    def test_S_AUTH_02_wrong_expectations_are_found_out(self):
        cases = [case for case in stomp_cases(states=["connected", "closing"])[::5] if ANY not in case.allowed]
        for case in cases:
            case.allowed = frozenset({LIVES, "bad-frame", "disk-full"} - case.allowed)
        crowd = Crowd(self.broker).play(cases)
        self.assertEqual(len(crowd.wrong), len(cases))


if __name__ == "__main__":
    unittest.main()
