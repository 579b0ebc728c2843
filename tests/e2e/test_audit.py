"""The audit: who came in, who was refused and why, as data and within bounds (security, S-LOG-01, S-LOG-02)."""
import json
import shutil

from support.auth import Place, login, token
from support.broker import Broker
from support.case import OwnBrokerCase, over_transports
from support.peers import TcpPeer, WsPeer, send_to, stomp, upgrade_request

FIELDS = ("reason", "limit", "destination", "remedy", "conn", "user", "remote", "listener", "traceparent")


class Audit(OwnBrokerCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        cls.broker = Broker({**cls.place.config(), "limits": {"subscriptions": 2, "wildcard_subscriptions": 1}})
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        if code != 0 or cls.broker.event("handler-failed") or cls.broker.bad_log_lines:
            raise AssertionError(cls.broker.log_text())

    def tearDown(self):
        self.assertTrue(self.broker.is_alive())

    def line(self, event, **fields):
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event(event, **fields)),
                        "no %s %s in\n%s" % (event, fields, self.broker.log_text()))
        return self.broker.event(event, **fields)

    def lines_of(self, conn):
        """Everything that is said about a connection, its end included."""
        return [record["event"] for record in self.broker.records if record.get("conn") == conn]

    def bert(self, transport, source):
        return self.client(transport, "1.2", *login("bert", "swordfish-canary"), source=source)

    @over_transports
    def test_S_LOG_02_a_login(self, transport):
        peer = self.client(transport, "1.2", "passcode:" + token(), source="127.0.1.1")
        record = self.line("auth-ok", conn=peer.connected["session"])
        self.assertEqual((record["level"], record["user"], record["remote"], record["reason"]),
                         ("info", "tina", "127.0.1.1", "token"))
        self.assertTrue(record["listener"].startswith(transport + " "))
        self.assertTrue(all(name in record for name in FIELDS))

    @over_transports
    def test_O_6_a_refusal_names_the_trace_of_its_frame(self, transport):
        peer = self.bert(transport, "127.0.1.%d" % (40 if transport == "tcp" else 41))
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        peer.send(stomp("SEND", "destination:/queue/$x", "traceparent:" + trace, "tracestate:a=b", body=b"b"))
        self.assert_refused(peer, "access-denied")
        self.line("denied", conn=peer.connected["session"], traceparent=trace)

    @over_transports
    def test_S_LOG_02_a_failed_login_leaves_one_line(self, transport):
        source = "127.0.1.%d" % (2 if transport == "tcp" else 3)
        peer = self.peer(transport, source=source)
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "guess-canary")))
        self.assert_refused(peer, "auth-failed")
        record = self.line("auth-failed", remote=source)
        self.assertEqual((record["level"], record["user"], record["reason"]), ("warn", "anna", "auth-failed"))
        self.assertTrue(record["conn"] and record["listener"].startswith(transport + " "))
        self.assertEqual(self.lines_of(record["conn"]), ["auth-failed"])
        self.assertNotIn("guess-canary", json.dumps(self.broker.records))

    @over_transports
    def test_S_LOG_02_what_is_denied(self, transport):
        source = "127.0.1.%d" % (4 if transport == "tcp" else 5)
        for frame, name in ((send_to("/topic/other"), "/topic/other"),
                            (stomp("SUBSCRIBE", "destination:/topic/secret/a", "id:1"), "/topic/secret/a"),
                            (send_to("/queue/$sys"), "/queue/$sys"),
                            (stomp("BEGIN", "transaction:t") + send_to("/topic/t", b"", "transaction:t"), "/topic/t")):
            peer = self.bert(transport, source)
            peer.send(frame)
            self.assert_refused(peer, "access-denied")
            record = self.line("denied", conn=peer.connected["session"])
            self.assertEqual((record["user"], record["remote"], record["destination"], record["reason"]),
                             ("bert", source, name, "access-denied"))
            self.assertEqual(self.lines_of(record["conn"]), ["auth-ok", "denied"])

    @over_transports
    def test_S_LOG_02_a_limit(self, transport):
        peer = self.client(transport, "1.2", "passcode:" + token(), source="127.0.1.6")
        peer.send(b"".join(stomp("SUBSCRIBE", "destination:/topic/a", "id:%d" % i) for i in range(3)))
        self.assert_refused(peer, "limit-subscriptions")
        record = self.line("limit", conn=peer.connected["session"])
        self.assertEqual((record["limit"], record["reason"]), ("limits.subscriptions", "limit-subscriptions"))

    def test_S_LOG_02_a_page_from_elsewhere(self):
        peer = WsPeer(self.broker.address("ws"), upgrade=False, source="127.0.1.7")
        peer.raw(upgrade_request(fields=[("Origin", "https://evil.example")]))
        self.assertEqual(peer.read_answer().status, 403)
        self.line("denied", remote="127.0.1.7", reason="access-denied")
        peer.close()

    # A newline, an ANSI sequence, a format and a megabyte: one line each, escaped and bounded.
    def test_CVE_2019_11287_headers_stay_data(self):
        hostile = {
            "newline": ("/topic/a\\n{\"level\":\"info\",\"event\":\"forged\"}", "bad-destination"),
            "ansi": ("/topic/\x1b[2J\x1b]0;owned\x07", "bad-destination"),
            "format": ("/topic/%n%n%s%x{}{0}", "access-denied"),
            "c1": ("/topic/\u009b31m", "bad-destination"),
            "quotes": ("/topic/\"},{\"event\":\"forged", "access-denied"),
            "long": ("/topic/" + "x" * 4000, "limit"),
        }
        for source, (name, reason) in enumerate(hostile.values(), 10):
            peer = self.bert("tcp", "127.0.2.%d" % source)
            peer.raw(b"SEND\ndestination:" + name.encode() + b"\n\n\0")
            self.assert_refused(peer, "bad-destination" if reason == "limit" else reason)
            record = self.line({"access-denied": "denied", "bad-destination": "refused", "limit": "limit"}[reason],
                               conn=peer.connected["session"])
            self.assertLess(max(len(str(value)) for key, value in record.items() if key != "msg"), 300)
            self.assertLess(len(record["msg"]), 1100)
        for megabyte in (stomp("CONNECT", "accept-version:1.2", "login:" + "l" * 1000000),
                         stomp("CONNECT", "accept-version:1.2", *login("a\\nforged\x1b[2J%n", "x"))):
            peer = self.peer("tcp", source="127.0.2.30")
            peer.raw(megabyte)
            peer.read_end(10)
        text = b"".join(self.broker._raw)  # pylint: disable=protected-access
        self.assertFalse(self.broker.bad_log_lines)
        self.assertIsNone(self.broker.event("forged"))
        self.assertFalse([octet for octet in set(text) if octet < 0x20 and octet != 0x0a])
        self.assertNotIn("\u009b".encode(), text)
        self.assertLess(max(len(line) for line in text.splitlines()), 4000)


class Flood(OwnBrokerCase):
    def test_S_LOG_02_ten_lines_a_second_then_a_summary(self):
        self.broker = Broker()
        self.addCleanup(self.broker.kill)

        def refuse(source):
            with TcpPeer(self.broker.address("tcp"), source=source) as peer:
                peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "x")))
                peer.read_end()
        for _ in range(200):
            refuse("127.0.3.1")
        refuse("127.0.3.2")
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("log-suppressed", remote="127.0.3.1"), 15))
        lines = [record for record in self.broker.records if record.get("remote") == "127.0.3.1"]
        by_second = {}
        for record in lines:
            if record["event"] == "auth-failed":
                by_second.setdefault(record["ts"][:19], []).append(record)
        self.assertTrue(by_second)
        # A second of the clock may have the end of one window and the beginning of the next.
        self.assertLessEqual(max(len(some) for some in by_second.values()), 20)
        summaries = [record for record in lines if record["event"] == "log-suppressed"]
        self.assertEqual(sum(record["count"] for record in summaries) + sum(map(len, by_second.values())), 200)
        self.assertIsNotNone(self.broker.event("auth-failed", remote="127.0.3.2"))
        self.assertEqual(self.broker.stop(), 0)
