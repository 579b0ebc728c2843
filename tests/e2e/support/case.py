"""Test cases with a broker of their own, and tables of variants that become tests."""
import itertools
import subprocess
import tempfile
import time
import unittest

from .broker import JUDGES_MEMORY, MIB, Broker, wait_time
from .peers import TcpPeer, WsPeer, send_to, stomp

TRANSPORTS = ("tcp", "ws")
VERSIONS = ("1.0", "1.1", "1.2")

CODES = {
    1002: "bad-frame bad-header missing-header bad-state version-unsupported frame-timeout",
    1007: "bad-utf8",
    1008: "auth-failed token-expired access-denied connect-timeout bad-destination bad-selector unsupported "
          "limit-subscriptions limit-transaction limit-queues abuse kicked replaced revoked",
    1009: "frame-too-large header-too-large",
    1011: "internal storage-failed",
    1012: "shutdown",
    1013: "overload disk-full queue-full storage-timeout slow-consumer heartbeat-timeout rate-limited "
          "limit-connections",
}
CODE_OF = {token: code for code, tokens in CODES.items() for token in tokens.split()}


def each(variants):
    """{label: arguments}: the method becomes one test per entry, called `name__label`."""
    if not isinstance(variants, dict):
        variants = {label(item): item for item in variants}

    def mark(method):
        method.variants = variants
        return method
    return mark


def label(item):
    text = "_".join(str(part) for part in item) if isinstance(item, tuple) else str(item)
    return "".join(c if c.isalnum() else "_" for c in text)


def combined(*tables):
    """All combinations of lists or dictionaries, each entry's arguments in a row."""
    entries = [table.items() if isinstance(table, dict) else [(label(i), i) for i in table] for table in tables]
    result = {}
    for row in itertools.product(*entries):
        arguments = ()
        for _, item in row:
            arguments += item if isinstance(item, tuple) else (item,)
        result["__".join(name for name, _ in row)] = arguments
    return result


over_transports = each(TRANSPORTS)
over_versions = each(combined(TRANSPORTS, VERSIONS))


class GoodClient:
    """A well-behaved client whose round trips are measured while others misbehave."""

    def __init__(self, broker, transport="tcp", login=()):
        self.peer = broker_peer(broker, transport).connect("1.2", *login).subscribe("/topic/good.client")
        self.count = 0

    def round_trip(self):
        """Seconds for a message to itself."""
        self.count += 1
        begin = time.monotonic()
        body = b"round trip %d" % self.count
        self.peer.send(send_to("/topic/good.client", body))
        message = self.peer.read_message(seconds=20)
        if message.body != body:
            raise AssertionError("a good client got %s" % message)
        return time.monotonic() - begin

    def close(self):
        self.peer.close()


def broker_peer(broker, transport, **options):
    kind = {"stomps": "tcp", "wss": "ws"}.get(transport, transport)
    return (TcpPeer if kind == "tcp" else WsPeer)(broker.address(kind), **options)


class BrokerCase(unittest.TestCase):
    """One broker per class, configured by `config`; it must outlive each test, stay small and end with 0."""

    config = {}
    arguments = ()
    threads = 1
    files = None
    growth_max = 48 * MIB
    answer_max = 1.0  # Seconds for a good client's round trip after each test.
    broker = None
    good = None

    def __init_subclass__(cls):
        for name, method in list(vars(cls).items()):
            variants = getattr(method, "variants", None)
            if variants is None:
                continue
            delattr(cls, name)
            for text, arguments in variants.items():
                setattr(cls, "%s__%s" % (name, text), bound(method, arguments))

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(cls.config, cls.arguments, threads=cls.threads, files=cls.files)
        cls.addClassCleanup(cls.broker.kill)
        cls.good = None

    @classmethod
    def tearDownClass(cls):
        broker = cls.broker
        if cls.good:
            cls.good.close()
        if not broker.is_alive():
            raise AssertionError("the broker has died (%s):\n%s" % (broker.process.returncode, broker.log_text()))
        client = cls.good_client()
        client.round_trip()
        client.close()
        growth = broker.rss("VmHWM") - broker.rss_at_start
        code = broker.stop()
        if code != 0:
            raise AssertionError("exit code %s after SIGTERM:\n%s" % (code, broker.log_text()))
        if JUDGES_MEMORY and growth > cls.growth_max:
            raise AssertionError("resident memory grew by %.1f MiB" % (growth / MIB))
        if broker.bad_log_lines:
            raise AssertionError("log lines that are no JSON: %s" % broker.bad_log_lines[:3])
        if broker.event("handler-failed"):
            raise AssertionError("a handler failed: %s" % broker.event("handler-failed"))

    def tearDown(self):
        if not self.broker.is_alive():
            self.fail("the broker has died (%s):\n%s" % (self.broker.process.returncode, self.broker.log_text()))

    @classmethod
    def good_client(cls):
        return GoodClient(cls.broker)

    def check_good_client(self):
        """A client that was there before and does nothing wrong is served in time."""
        cls = type(self)
        if cls.good is None:
            cls.good = cls.good_client()
        self.assertLess(cls.good.round_trip(), wait_time(self.answer_max))

    # --- Peers, closed at the end of the test.

    def peer(self, transport="tcp", **options):
        peer = broker_peer(self.broker, transport, **options)
        self.addCleanup(peer.close)
        return peer

    def client(self, transport="tcp", version="1.2", *lines, **options):
        """A connected peer."""
        return self.peer(transport, **options).connect(version, *lines)

    # --- Facts.

    def assert_refused(self, peer, token, seconds=5, before=None, **headers):
        """ERROR with `token`, the right close code, and an orderly end. Returns the ERROR."""
        frames = peer.read_end(seconds)
        self.assertTrue(frames, "closed without ERROR %s (code %s %s, reset %s)" % (
            token, peer.close_code, peer.close_reason, peer.was_reset))
        error = frames[-1]
        self.assertEqual(error.command, "ERROR")
        self.assertEqual(error["message"], token, error)
        self.assertEqual(error["content-type"], "text/plain")
        if before is not None:
            self.assertEqual([frame.command for frame in frames[:-1]], before)
        lines = error.body.decode("utf-8").splitlines()
        self.assertGreaterEqual(len(lines), 2, error)
        self.assertTrue(all(lines), error)
        for name, value in headers.items():
            name = name.replace("_", "-")
            self.assertEqual(error.get(name), value, error)
        self.assertFalse(peer.was_reset, "a reset overtook the ERROR")
        if peer.transport == "ws":
            self.assertEqual((peer.close_code, peer.close_reason.split(" ")[0]), (CODE_OF[token], token))
        return error

    def assert_closed(self, peer, code, token="", seconds=5):
        """A WebSocket close without ERROR."""
        frames = peer.read_messages_to_end(seconds)
        self.assertEqual(frames, [])
        self.assertEqual(peer.close_code, code, peer.close_reason)
        if token:
            self.assertEqual(peer.close_reason.split(" ")[0], token)

    def assert_lives(self, peer):
        """The connection still works: a frame of it is answered."""
        peer.ask("UNSUBSCRIBE", "id:none", "destination:/topic/none", receipt="still-here")

    def assert_silent(self, peer):
        """Nothing but the answer to a question comes, so nothing was on its way."""
        self.assertEqual(peer.ask("UNSUBSCRIBE", "id:none", "destination:/topic/none", receipt="silent"), [])


class OwnBrokerCase(BrokerCase):
    """Each test starts and stops brokers of its own, and says itself what must have become of them."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def tearDown(self):
        pass


def bound(method, arguments):
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)

    def test(self):
        return method(self, *arguments)
    test.__doc__ = method.__doc__
    return test


def make_certificate(case, names="DNS:localhost,IP:127.0.0.1"):
    """A folder with cert.pem and key.pem for `names`; skips the test class where openssl is missing."""
    folder = tempfile.TemporaryDirectory(prefix="stampede-e2e-")
    case.addClassCleanup(folder.cleanup)
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=" + names, "-keyout",
             folder.name + "/key.pem", "-out", folder.name + "/cert.pem"], check=True, capture_output=True)
    except FileNotFoundError:
        raise unittest.SkipTest("openssl is not installed") from None
    return folder.name


__all__ = ["BrokerCase", "GoodClient", "TRANSPORTS", "VERSIONS", "CODE_OF", "broker_peer", "combined", "each", "label",
           "make_certificate", "over_transports", "over_versions", "send_to", "stomp"]
