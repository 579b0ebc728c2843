"""A client that was written for ActiveMQ Apollo works unchanged.

Headers as in Apollo's last "STOMP Protocol Manual", section in brackets. Apollo is retired, its names live on in clients.

| Header                                | Test                                                          |
|---------------------------------------|---------------------------------------------------------------|
| `credit`                              | `credit`                        [Flow Control]                |
| `ttl`                                 | `ttl`                           [Message Expiration]          |
| `message_group`                       | `groups`                        [Message Groups]              |
| `retain:set`, `retain:remove`         | `retained`                      [Retained messages of topics] |
| `from-seq`, `include-seq`             | `replay`                        [Message Sequences]           |
| `exclusive:true`                      | `exclusive` (Apollo: exclusive consumer; the queue goes with it here) |
| `reply-to:/temp-queue/NAME`           | `reply_to`                      [Temporary Destinations]      |
| `browser:true`                        | `browser`                       [Browsing Subscriptions]      |
"""
import unittest

from support.case import over_transports
from support.dialect import DialectCase, now_ms


class ApolloCase(DialectCase):
    login = ("login:guest", "passcode:guest")


class Apollo(ApolloCase):
    @over_transports
    def test_P_SUB_07_credit(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport)
        self.send_all(consumer, queue, ["1", "2", "3"])
        consumer.subscribe(queue, "ack:client-individual", "credit:2,1048576")
        first = consumer.read_message()
        self.assertEqual(self.bodies(consumer, 1), ["2"])
        self.assert_silent(consumer)
        self.settle(consumer, "ACK", first)
        self.assertEqual(self.bodies(consumer, 1), ["3"])

    def test_P_QOS_01_ttl(self):
        queue = self.name()
        consumer = self.connected()
        consumer.publish(queue, b"short", "ttl:20")
        consumer.publish(queue, b"long", "ttl:600000")
        self.await_clock(now_ms() + 50)
        self.assertEqual(self.bodies(consumer.subscribe(queue), 1), ["long"])

    def test_P_QOS_05_groups(self):
        queue = self.name()
        workers = [self.connected().subscribe(queue) for _ in range(2)]
        publisher = self.connected()
        for body in ("a1", "b1", "a2", "b2"):
            publisher.publish(queue, body.encode(), "message_group:" + body[0])
        self.assertEqual(sorted(self.bodies(worker, 2) for worker in workers), [["a1", "a2"], ["b1", "b2"]])

    @over_transports
    def test_P_TEMP_02_reply_to(self, transport):
        queue = self.name()
        service = self.connected(transport=transport).subscribe(queue)
        asker = self.connected(transport=transport).subscribe("/temp-queue/example", id="mine")
        asker.publish(queue, b"what is it?", "reply-to:/temp-queue/example")
        service.publish(service.read_message()["reply-to"], b"it is")
        self.assertEqual(asker.read_message()["subscription"], "mine")

    def test_P_SUB_12_browser(self):
        queue = self.name()
        browser = self.connected()
        self.send_all(browser, queue, ["1"])
        browser.subscribe(queue, "browser:true")
        self.assertEqual(self.bodies(browser, 1), ["1"])
        self.assertEqual(browser.read_message()["browser"], "end")

    def test_P_SUB_10_exclusive(self):
        queue = self.name()
        owner = self.connected().subscribe(queue, "exclusive:true")
        owner.publish(queue, b"x")
        self.assertEqual(self.bodies(owner, 1), ["x"])


class Topics(ApolloCase):
    config = {"policy": [{"match": "/topic/kept.**", "history_messages": 100}]}

    @over_transports
    def test_P_QOS_08_retained(self, transport):
        topic = self.name("/topic/")
        publisher = self.connected(transport=transport)
        publisher.publish(topic, b"21.5", "retain:set")
        late = self.connected(transport=transport).subscribe(topic)
        message = late.read_message()
        self.assertEqual((message.body, message["retained"]), (b"21.5", "true"))
        publisher.publish(topic, b"", "retain:remove")
        later = self.connected(transport=transport).subscribe(topic)
        later.publish(topic, b"live")
        self.assertEqual(self.bodies(later, 1), ["live"])

    def test_P_QOS_11_replay(self):
        topic = self.name("/topic/kept.")
        publisher = self.connected()
        self.send_all(publisher, topic, ["1", "2"])
        reader = self.connected().subscribe(topic, "from-seq:0", "include-seq:seq")
        first, second = reader.read_message(), reader.read_message()
        self.assertEqual([first.body, second.body], [b"1", b"2"])
        self.assertEqual(int(second["seq"]), int(first["seq"]) + 1)
        tail = self.connected().subscribe(topic, "from-seq:" + second["seq"])
        self.assertEqual(self.bodies(tail, 1), ["2"])


if __name__ == "__main__":
    unittest.main()
