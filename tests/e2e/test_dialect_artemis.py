"""A client that was written for ActiveMQ Artemis works unchanged.

Headers as in Artemis's User Manual, chapter "STOMP" (its sections in brackets) and the chapters named. The acceptor that
such a client comes from has `anycastPrefix=/queue/;multicastPrefix=/topic/`, as the manual advises [Prefixes]. The scripts
also pass against Artemis 2.42.0 itself, but for those marked (*), where a remark at the test says what differs.

| Header                                                | Test                                                   |
|-------------------------------------------------------|--------------------------------------------------------|
| `destination-type`, `subscription-type`               | `routing_types`               [Routing Semantics]      |
| `consumer-window-size`                                | `one_at_a_time`, `window_in_octets` (*), `no_flow_control` [Flow Control] |
| `client-id`, `durable-subscription-name`, `durable-subscriber-name`, `activemq.subscriptionName` | `durable_subscription`, `ending_it` (*) [Durable Subscriptions] |
| `selector`                                            | `filters`                     [Selector/Filter expressions] |
| `expires`                                             | `expires`                     ("Message Expiry")       |
| `AMQ_SCHEDULED_TIME`, `AMQ_SCHEDULED_DELAY`           | `scheduled`                   ("Scheduled Messages")   |
| `priority`                                            | `priorities`                  (by policy; always on there) |
| `JMSXGroupID`                                         | `groups`                      ("Message Grouping")     |
| `_AMQ_LVQ_NAME`                                       | `last_value`                  ("Last-Value Queues": by configuration there, too) |
| `_AMQ_DUPL_ID`                                        | `duplicates`                  ("Duplicate Message Detection") |
| `no-local`                                            | `no_local`                                             |
| exclusive queues                                      | `exclusive_queue` (*)         ("Exclusive Queues": by configuration there, too) |
| `reply-to` and a queue of one's own                   | `reply_to`                                             |
| `ack`, NACK, `transaction` on SEND                    | `nack` (*), `transaction`     [Limitations]            |
"""
import unittest

from support.case import each, over_transports, send_to
from support.dialect import DialectCase, now_ms


class ArtemisCase(DialectCase):
    login = ("login:guest", "passcode:guest", "host:0.0.0.0")


class Artemis(ArtemisCase):
    @over_transports
    def test_P_DEST_01_routing_types(self, transport):
        queue, topic = self.name(), self.name("/topic/")
        workers = [self.connected(transport=transport) for _ in range(2)]
        for worker in workers:
            worker.subscribe(queue, "subscription-type:ANYCAST", id="q").subscribe(topic, "subscription-type:MULTICAST", id="t")
        self.send_all(workers[0], queue, ["1", "2"], "destination-type:ANYCAST", "persistent:true")
        self.assertEqual(sorted(worker.read_message().body for worker in workers), [b"1", b"2"])
        workers[0].publish(topic, b"all", "destination-type:MULTICAST")
        self.assertEqual([worker.read_message().body for worker in workers], [b"all", b"all"])

    # --- Flow control.

    @over_transports
    def test_P_SUB_07_one_at_a_time(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport)
        self.send_all(consumer, queue, ["1", "2"])
        consumer.subscribe(queue, "ack:client-individual", "consumer-window-size:0")
        first = consumer.read_message()
        self.assert_silent(consumer)
        self.settle(consumer, "ACK", first)
        self.assertEqual(self.bodies(consumer, 1), ["2"])

    def test_P_SUB_07_window_in_octets(self):
        # There the message that crosses the line is sent, too.
        queue = self.name()
        consumer = self.connected()
        self.send_all(consumer, queue, ["a" * 4000, "b" * 4000, "c" * 4000])
        consumer.subscribe(queue, "ack:client", "consumer-window-size:10240")
        self.assertEqual(self.bodies(consumer, 2), ["a" * 4000, "b" * 4000])
        self.assert_silent(consumer)

    def test_P_SUB_07_no_flow_control(self):
        queue = self.name()
        consumer = self.connected()
        self.send_all(consumer, queue, ["%d" % i for i in range(20)])
        consumer.subscribe(queue, "ack:client", "consumer-window-size:-1")
        self.assertEqual(self.bodies(consumer, 20), ["%d" % i for i in range(20)])

    # --- Durable subscriptions.

    NAMES = ["durable-subscription-name", "durable-subscriber-name", "activemq.subscriptionName"]

    @each(NAMES)
    def test_P_DUR_01_durable_subscription(self, header):
        topic, name = self.name("/topic/"), header + ":audit"
        client = "client-id:" + self.name("")
        self.leave(self.connected(client).subscribe(topic, name))
        publisher = self.connected()
        self.send_all(publisher, topic, ["1", "2"], "persistent:true")
        back = self.connected(client).subscribe(topic, name)
        self.assertEqual(self.bodies(back, 2), ["1", "2"])

    @each(NAMES)
    def test_P_DUR_04_ending_it(self, header):
        # There not by the deprecated durable-subscriber-name, if `id` comes with it.
        topic, name = self.name("/topic/"), header + ":audit"
        client = "client-id:" + self.name("")
        self.leave(self.connected(client).subscribe(topic, name))
        ending = self.connected(client)
        self.step(ending, "UNSUBSCRIBE", "id:0", name)
        self.leave(ending)
        self.connected().publish(topic, b"nobody has this", "persistent:true")
        back = self.connected(client).subscribe(topic, name)
        back.publish(topic, b"new")
        self.assertEqual(self.bodies(back, 1), ["new"])

    def test_P_SUB_10_no_local(self):
        topic = self.name("/topic/")
        consumer = self.connected().subscribe(topic, "no-local:true")
        consumer.publish(topic, b"own")
        self.connected().publish(topic, b"another's")
        self.assertEqual(self.bodies(consumer, 1), ["another's"])

    # --- What a message asks for.

    @over_transports
    def test_P_SEL_05_filters(self, transport):
        queue = self.name()
        publisher = self.connected(transport=transport)
        publisher.publish(queue, b"blue", "color:blue")
        publisher.publish(queue, b"red", "color:red")
        red = self.connected(transport=transport).subscribe(queue, "selector:color = 'red'")
        self.assertEqual(self.bodies(red, 1), ["red"])
        odd = self.connected(transport=transport).subscribe(queue, "selector:\"color\" <> 'red'")
        self.assertEqual(self.bodies(odd, 1), ["blue"])

    def test_P_QOS_01_expires(self):
        queue = self.name()
        consumer = self.connected()
        soon = now_ms() + 50
        consumer.publish(queue, b"short", "expires:%d" % soon)
        consumer.publish(queue, b"long", "expires:%d" % (soon + 600_000))
        self.await_clock(soon + 10)
        consumer.subscribe(queue)
        self.assertEqual(self.bodies(consumer, 1), ["long"])

    def test_P_QOS_05_groups(self):
        queue = self.name()
        workers = [self.connected().subscribe(queue, id=str(i)) for i in range(2)]
        publisher = self.connected()
        for body in ("a1", "b1", "a2", "b2", "a3", "b3"):
            publisher.publish(queue, body.encode(), "JMSXGroupID:" + body[0])
        self.assertEqual(sorted(self.bodies(worker, 3) for worker in workers), [["a1", "a2", "a3"], ["b1", "b2", "b3"]])

    # --- Request and reply, NACK, transactions.

    @over_transports
    def test_P_SEND_05_reply_to(self, transport):
        queue, replies = self.name(), self.name("/queue/replies.")
        service = self.connected(transport=transport).subscribe(queue)
        asker = self.connected(transport=transport).subscribe(replies)
        asker.publish(queue, b"what is it?", "reply-to:" + replies, "correlation-id:7")
        question = service.read_message()
        service.publish(question["reply-to"], b"it is", "correlation-id:" + question["correlation-id"])
        self.assertEqual(asker.read_message()["correlation-id"], "7")

    def test_P_ACK_06_nack(self):
        # There NACK settles the message for good; here it comes back: NACK must not lose messages (P-DIFF-04).
        queue = self.name()
        consumer = self.connected().subscribe(queue, "ack:client-individual")
        consumer.publish(queue, b"x", "persistent:true")
        self.settle(consumer, "NACK", consumer.read_message())
        message = consumer.read_message()
        self.assertEqual(message["redelivered"], "true")
        self.settle(consumer, "ACK", message)

    @over_transports
    def test_P_TX_04_transaction(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport).subscribe(queue)
        self.step(consumer, "BEGIN", "transaction:tx1")
        consumer.send(send_to(queue, b"half", "transaction:tx1"))
        self.step(consumer, "ABORT", "transaction:tx1")
        self.step(consumer, "BEGIN", "transaction:tx2")
        for body in (b"1", b"2"):
            consumer.send(send_to(queue, body, "transaction:tx2"))
        self.assert_silent(consumer)
        self.step(consumer, "COMMIT", "transaction:tx2")
        self.assertEqual(self.bodies(consumer, 2), ["1", "2"])


class Settings(ArtemisCase):
    """What Artemis, too, does where its address settings say so, and priorities, which it always has."""

    config = {"policy": [{"match": "/queue/prices.**", "last_value": True},            # default-last-value-queue
                         {"match": "/queue/exclusive.**", "single_active_consumer": True},  # default-exclusive-queue
                         {"match": "/queue/ranked.**", "max_priority": 9},
                         {"match": "/queue/letters.**", "dead_letter": "/queue/DLA", "deliveries": 10}]}

    def test_P_QOS_04_priorities(self):
        queue = self.name("/queue/ranked.")
        publisher = self.connected()
        for body in ("1", "9", "5"):
            publisher.publish(queue, body.encode(), "priority:" + body)
        publisher.publish(queue, b"none")
        self.assertEqual(self.bodies(self.connected().subscribe(queue), 4), ["9", "5", "none", "1"])

    def test_P_QOS_07_last_value(self):
        queue = self.name("/queue/prices.")
        publisher = self.connected()
        for key, body in (("IBM", b"1"), ("SUN", b"2"), ("IBM", b"3")):
            publisher.publish(queue, body, "_AMQ_LVQ_NAME:" + key)
        self.assertEqual(sorted(self.bodies(self.connected().subscribe(queue), 2)), ["2", "3"])

    def test_P_SUB_10_exclusive_queue(self):
        # There it need not be the first that gets all.
        queue = self.name("/queue/exclusive.")
        one, two = (self.connected().subscribe(queue) for _ in range(2))
        publisher = self.connected()
        self.send_all(publisher, queue, ["1", "2"])
        self.assertEqual(self.bodies(one, 2), ["1", "2"])
        self.leave(one)
        self.send_all(publisher, queue, ["3"])
        self.assertEqual(self.bodies(two, 1), ["3"])

    def test_P_ACK_11_dead_letter_address(self):
        # There only what a lost connection returns is delivered again, and so often.
        queue = self.name("/queue/letters.")
        consumer = self.connected().subscribe(queue, "ack:client-individual")
        consumer.publish(queue, b"poison")
        for _ in range(10):
            self.settle(consumer, "NACK", consumer.read_message())
        self.assertEqual(self.bodies(self.connected().subscribe("/queue/DLA"), 1), ["poison"])


class Schedule(ArtemisCase):
    def test_P_QOS_03_scheduled(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue)
        consumer.publish(queue, b"third", "AMQ_SCHEDULED_TIME:%d" % (now_ms() + 400))
        consumer.publish(queue, b"second", "AMQ_SCHEDULED_DELAY:100")
        consumer.publish(queue, b"first")
        self.assertEqual(self.bodies(consumer, 3), ["first", "second", "third"])

    def test_P_QOS_06_duplicates(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue)
        consumer.publish(queue, b"1", "_AMQ_DUPL_ID:a")
        consumer.publish(queue, b"1 again", "_AMQ_DUPL_ID:a")
        consumer.publish(queue, b"2", "_AMQ_DUPL_ID:b")
        self.assertEqual(self.bodies(consumer, 2), ["1", "2"])


if __name__ == "__main__":
    unittest.main()
