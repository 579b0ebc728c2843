"""The trace of a connection over the admin API: each direction, what is masked, and its ends (O-6)."""
import http.client
import json
import threading

from support.broker import Broker, wait_time
from support.case import OwnBrokerCase, over_transports
from support.peers import send_to, stomp


class Trace(OwnBrokerCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(threads=2)
        cls.addClassCleanup(cls.broker.kill)
        cls.token = cls.broker.admin_token()

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        if code != 0 or cls.broker.event("handler-failed"):
            raise AssertionError(cls.broker.log_text())

    def tearDown(self):
        self.assertTrue(self.broker.is_alive())

    def request(self, session, query=""):
        connection = http.client.HTTPConnection(*self.broker.address("admin"), timeout=wait_time(15))
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/connections/%s/trace%s" % (session, query),
                           headers={"Authorization": "Bearer " + self.token})
        return connection.getresponse()

    def trace(self, peer, query=""):
        """The stream, once the tap is there."""
        answer = self.request(peer.connected["session"], query)
        self.assertEqual((answer.status, answer.getheader("content-type")), (200, "text/event-stream"))
        self.assertEqual(self.block(answer), ": frames follow")
        return answer

    def block(self, answer):
        lines = []
        while True:
            line = answer.readline().decode().rstrip("\n")
            if not line:
                return "\n".join(lines)
            lines.append(line)

    def event(self, answer):
        name, data = self.block(answer).split("\n")
        self.assertTrue(name.startswith("event: ") and data.startswith("data: "))
        name, data = name[7:], data[6:]
        return (name, json.loads(data)) if name == "frame" else (name, data)

    def frame(self, answer, command):
        while True:
            name, frame = self.event(answer)
            self.assertEqual(name, "frame", frame)
            if frame["command"] == command:
                return frame

    @over_transports
    def test_O_6_both_directions(self, transport):
        peer = self.client(transport)
        answer = self.trace(peer, "?bodies=true")
        peer.subscribe("/topic/trace." + transport)
        peer.send(send_to("/topic/trace." + transport, b"hello", "kind:x"))
        peer.read_message()
        frames = [self.event(answer)[1] for _ in range(4)]
        self.assertEqual([(frame["direction"], frame["command"]) for frame in frames[:2]],
                         [("in", "SUBSCRIBE"), ("out", "RECEIPT")])
        self.assertEqual({(frame["direction"], frame["command"], frame.get("body")) for frame in frames[2:]},
                         {("in", "SEND", "hello"), ("out", "MESSAGE", "hello")})
        self.assertTrue(all(["kind", "x"] in frame["headers"] and frame["size"] == 5 for frame in frames[2:]))
        peer.send(send_to("/queue/$refused", b""))
        peer.read_end()
        self.frame(answer, "ERROR")
        self.assertEqual(self.event(answer), ("end", "The connection has ended."))
        self.assertEqual(answer.read(), b"")

    def test_O_6_secrets_are_masked(self):
        peer = self.client()
        answer = self.trace(peer)
        peer.send(send_to("/topic/a", b"body-canary", "passcode:canary", "Authorization:Bearer canary", "plain:shown"))
        frame = self.frame(answer, "SEND")
        self.assertNotIn("canary", json.dumps(frame))
        self.assertIn(["plain", "shown"], frame["headers"])
        self.assertIn(["passcode", "***"], frame["headers"])
        self.assertNotIn("body", frame)

    def test_O_6_its_time_ends_it(self):
        answer = self.trace(self.client(), "?seconds=1")
        self.assertEqual(self.event(answer), ("end", "The time is over."))

    def test_O_6_who_is_not_there(self):
        self.assertEqual(self.request("none").status, 404)
        peer = self.client()
        self.assertEqual(self.request(peer.connected["session"], "?seconds=301").status, 400)
        self.assertEqual(self.request(peer.connected["session"], "?x=1").status, 400)
        self.trace(peer)
        self.assertEqual(self.request(peer.connected["session"]).status, 503)

    def test_O_6_at_most_eight(self):
        answers = [self.trace(self.client(), "?seconds=2") for _ in range(4)]
        peers = [self.client() for _ in range(9)]
        statuses = [self.request(peer.connected["session"], "?seconds=2").status for peer in peers]
        self.assertIn(503, statuses)
        self.assertLessEqual(statuses.count(200), 4)
        for answer in answers:
            self.assertEqual(self.event(answer)[0], "end")

    def test_O_6_a_reader_that_goes_while_traffic_flows(self):
        peer = self.client()
        session = peer.connected["session"]
        answer = self.trace(peer, "?bodies=true")
        is_over = threading.Event()

        def send():
            while not is_over.is_set():
                peer.send(send_to("/topic/flow", b"x" * 4000) * 10)
        sender = threading.Thread(target=send)
        sender.start()
        try:
            self.frame(answer, "SEND")
            answer.close()
            # 10 MiB, or the reader's absence, end it: then another may look.
            again = None
            for _ in range(int(wait_time(400))):
                again = self.request(session)
                if again.status == 200:
                    break
                again.read()
            self.assertEqual(again.status, 200)
        finally:
            is_over.set()
            sender.join()
        self.assert_lives(peer)
