"""A client that was written for RabbitMQ's STOMP plugin works unchanged.

Headers as in RabbitMQ's manual, "STOMP Plugin" (rabbitmq.com/docs/stomp), section in brackets. Every script also passes
against RabbitMQ 3.10.8 itself, but for those marked (*), which need a plugin, a newer version, or show a rule of ours.

| Header                                             | Test                                                       |
|----------------------------------------------------|------------------------------------------------------------|
| `/queue`, `/amq/queue`, `/topic`, `/exchange`      | `names`, `patterns`                            [Destinations] |
| `prefetch-count`                                   | `prefetch`                                     [Prefetch]     |
| `durable`, `persistent`, `auto-delete:false`, `id` | `durable_subscription`, `ending_it`            [Durable Topic Subscriptions] |
| `persistent:true` on SEND                          | `names`                                        [Message Persistence] |
| `x-queue-name`                                     | `named_queue_behind_a_topic`                   [User generated queue names] |
| `reply-to:/temp-queue/NAME`                        | `reply_to`                                     [Temp Queue Destinations] |
| `auto-delete`, `exclusive`                         | `auto_delete`, `exclusive`                     [Queue Parameters] |
| `x-message-ttl`, `expiration`                      | `message_ttl`, `expiration`                    [Queue Parameters, Queue Properties] |
| `x-expires`                                        | `idle_queue`                                   [Queue Parameters] |
| `x-max-length`, `x-max-length-bytes`, `x-overflow` | `longest`, `largest`, `reject_publish` (*)     [Queue Parameters] |
| `x-max-priority`, `priority`                       | `priorities`                                   [Queue Parameters, Queue Properties] |
| `x-dead-letter-exchange`, `-routing-key`           | `dead_letters`, `message_ttl`, `longest`       [Queue Parameters] |
| `x-queue-type`                                     | `queue_type`                                   [Queue Parameters] |
| `x-queue-type:stream`, `x-max-age`, `x-stream-offset` | `stream`, `stream_from_the_middle`, `a_stream_wants_history` (*) [Stream Support] |
| `requeue` on NACK                                  | `dead_letters`, `nack`                         [ACK and NACK] |
| `x-priority`                                       | `consumer_priority` (*)                        (RabbitMQ 4.0) |
| `x-delay`                                          | `delayed_exchange` (*)                         (plugin x-delayed-message) |
| `transaction` on SEND and ACK                      | `transaction`                                  |
"""
import unittest

from support.case import over_transports, send_to, stomp
from support.dialect import DialectCase, now_ms


class RabbitMqCase(DialectCase):
    login = ("login:guest", "passcode:guest", "host:/")


class RabbitMq(RabbitMqCase):
    # --- Names.

    @over_transports
    def test_P_DEST_01_names(self, transport):
        name = self.name("")
        consumer = self.connected(transport=transport).subscribe("/queue/" + name, "ack:auto")
        consumer.publish("/amq/queue/" + name, b"job", "persistent:true", "content-type:text/plain")
        message = consumer.read_message()
        self.assertEqual((message.body, message["persistent"], message["content-type"]), (b"job", "true", "text/plain"))
        self.assertEqual(message["subscription"], "0")

    @over_transports
    def test_P_DEST_05_patterns(self, transport):
        base = self.name("")
        consumer = self.connected(transport=transport)
        consumer.subscribe("/topic/%s.*.error" % base, id="one").subscribe("/exchange/amq.topic/%s.#" % base, id="all")
        consumer.publish("/topic/%s.disk.error" % base, b"x")
        self.assertEqual(sorted(consumer.read_message()["subscription"] for _ in range(2)), ["all", "one"])
        consumer.publish("/exchange/amq.topic/%s.disk" % base, b"y")
        self.assertEqual(consumer.read_message()["subscription"], "all")

    # --- What a consumer asks for.

    @over_transports
    def test_P_SUB_07_prefetch(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport)
        self.send_all(consumer, queue, ["1", "2", "3"])
        consumer.subscribe(queue, "ack:client-individual", "prefetch-count:2")
        first, second = consumer.read_message(), consumer.read_message()
        self.assert_silent(consumer)
        self.settle(consumer, "ACK", first)
        third = consumer.read_message()
        self.assertEqual([m.body for m in (first, second, third)], [b"1", b"2", b"3"])

    @over_transports
    def test_P_DUR_01_durable_subscription(self, transport):
        topic, lines = self.name("/topic/"), ("durable:true", "auto-delete:false")
        self.leave(self.connected(transport=transport).subscribe(topic, *lines, id="1234"))
        publisher = self.connected(transport=transport)
        self.send_all(publisher, topic, ["1", "2"], "persistent:true")
        back = self.connected(transport=transport).subscribe(topic, *lines, id="1234")
        self.assertEqual(self.bodies(back, 2), ["1", "2"])
        self.step(back, "UNSUBSCRIBE", "id:1234", *lines)

    def test_P_DUR_04_ending_it(self):
        topic, lines = self.name("/topic/"), ("persistent:true", "auto-delete:false")
        consumer = self.connected().subscribe(topic, *lines, id="1234")
        self.step(consumer, "UNSUBSCRIBE", "id:1234", *lines)
        consumer.publish(topic, b"nobody has this")
        consumer.subscribe(topic, *lines, id="1234").publish(topic, b"kept")
        self.assertEqual(consumer.read_message().body, b"kept")
        self.step(consumer, "UNSUBSCRIBE", "id:1234", *lines)

    def test_P_DUR_07_named_queue_behind_a_topic(self):
        topic, queue = self.name("/topic/"), "x-queue-name:" + self.name("alarms")
        workers = [self.connected().subscribe(topic, queue) for _ in range(2)]
        self.send_all(self.connected(), topic, ["1", "2"])
        self.assertEqual(sorted(worker.read_message().body for worker in workers), [b"1", b"2"])

    def test_P_SUB_09_consumer_priority(self):
        queue = self.name()
        idle = self.connected().subscribe(queue, "x-priority:0")
        busy = self.connected().subscribe(queue, "x-priority:10")
        self.send_all(self.connected(), queue, ["1", "2", "3"])
        self.assertEqual(self.bodies(busy, 3), ["1", "2", "3"])
        self.assert_silent(idle)

    # --- Request and reply.

    @over_transports
    def test_P_TEMP_02_reply_to(self, transport):
        queue = self.name()
        service = self.connected(transport=transport).subscribe(queue)
        asker = self.connected(transport=transport)
        asker.publish(queue, b"what is it?", "reply-to:/temp-queue/foo", "correlation-id:7")
        question = service.read_message()
        service.publish(question["reply-to"], b"it is", "correlation-id:" + question["correlation-id"])
        answer = asker.read_message()
        self.assertEqual((answer["subscription"], answer["correlation-id"], answer.body),
                         ("/temp-queue/foo", "7", b"it is"))

    # --- Parameters of queues.

    def test_P_SUB_14_auto_delete(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue, "auto-delete:true", "durable:false", "ack:client")
        consumer.publish(queue, b"unsettled", "auto-delete:true", "durable:false")
        consumer.read_message()
        self.leave(consumer)
        back = self.connected().subscribe(queue, "auto-delete:true", "durable:false")
        back.publish(queue, b"new", "auto-delete:true", "durable:false")
        self.assertEqual(back.read_message().body, b"new")

    def test_P_SUB_10_exclusive(self):
        queue, lines = self.name(), ("exclusive:true", "auto-delete:true", "durable:false")
        owner = self.connected().subscribe(queue, *lines)
        stranger = self.connected()
        stranger.send(b"SUBSCRIBE\nid:1\ndestination:%s\nexclusive:true\nauto-delete:true\ndurable:false\n\n\0" % queue.encode())
        self.assertEqual(stranger.read_frame().command, "ERROR")
        owner.publish(queue, b"mine", *lines)
        self.assertEqual(owner.read_message().body, b"mine")

    def test_P_QOS_01_message_ttl(self):
        queue, dead = self.name(), self.name()
        lines = ("x-message-ttl:100", "x-dead-letter-exchange:", "x-dead-letter-routing-key:" + dead[len("/queue/"):])
        letters = self.connected().subscribe(dead)
        letters.publish(queue, b"too late", *lines)
        self.assertEqual(letters.read_message(seconds=10).body, b"too late")

    def test_P_QOS_02_expiration(self):
        queue = self.name()
        consumer = self.connected()
        consumer.publish(queue, b"short", "expiration:20")
        consumer.publish(queue, b"long", "expiration:600000")
        self.await_clock(now_ms() + 50)
        self.assertEqual(self.bodies(consumer.subscribe(queue), 1), ["long"])

    def test_P_SUB_14_idle_queue(self):
        queue, dead = self.name(), self.name()
        lines = ("x-expires:50", "durable:false", "auto-delete:false")
        publisher = self.connected()
        publisher.publish(queue, b"goes with its queue", *lines)
        # A witness: what it holds becomes a dead letter later than the idle queue goes.
        letters = self.connected().subscribe(dead)
        letters.publish(self.name(), b"later", "x-message-ttl:500", "x-dead-letter-exchange:",
                        "x-dead-letter-routing-key:" + dead[len("/queue/"):])
        self.assertEqual(letters.read_message(seconds=10).body, b"later")
        consumer = self.connected().subscribe(queue, *lines)
        consumer.publish(queue, b"new", *lines)
        self.assertEqual(consumer.read_message().body, b"new")

    def test_P_SEND_08_longest(self):
        queue, dead = self.name(), self.name()
        lines = ("x-max-length:2", "x-dead-letter-exchange:", "x-dead-letter-routing-key:" + dead[len("/queue/"):])
        letters = self.connected().subscribe(dead)
        publisher = self.connected()
        self.send_all(publisher, queue, ["1", "2", "3"], *lines)
        self.assertEqual(letters.read_message().body, b"1")
        self.assertEqual(self.bodies(self.connected().subscribe(queue, *lines), 2), ["2", "3"])

    def test_P_SEND_08_largest(self):
        # Octets of bodies there, of whole messages here: leave some room for headers.
        queue, lines = self.name(), ("x-max-length-bytes:2900", "x-overflow:drop-head")
        self.send_all(self.connected(), queue, ["a" * 1000, "b" * 1000, "c" * 1000], *lines)
        self.assertEqual(self.bodies(self.connected().subscribe(queue, *lines), 2), ["b" * 1000, "c" * 1000])

    def test_P_SEND_08_reject_publish(self):
        # RabbitMQ drops what it rejects without a word to a STOMP client; here the publisher learns it (P-SEND-07).
        queue, lines = self.name(), ("x-max-length:1", "x-overflow:reject-publish")
        publisher = self.connected()
        publisher.publish(queue, b"1", *lines)
        publisher.send(b"SEND\ndestination:%s\n\n2\0" % queue.encode())
        self.assert_refused(publisher, "queue-full")
        self.assertEqual(self.bodies(self.connected().subscribe(queue, *lines), 1), ["1"])

    def test_P_QOS_04_priorities(self):
        queue = self.name()
        publisher = self.connected()
        for body in ("1", "9", "5", "0"):
            publisher.publish(queue, body.encode(), "x-max-priority:10", "priority:" + body)
        publisher.publish(queue, b"none", "x-max-priority:10")
        consumer = self.connected().subscribe(queue, "x-max-priority:10")
        self.assertEqual(self.bodies(consumer, 5), ["9", "5", "1", "0", "none"])

    @over_transports
    def test_P_ACK_11_dead_letters(self, transport):
        queue, key = self.name(), self.name("")
        lines = ("x-dead-letter-exchange:amq.topic", "x-dead-letter-routing-key:" + key)
        letters = self.connected(transport=transport).subscribe("/topic/" + key)
        consumer = self.connected(transport=transport).subscribe(queue, "ack:client-individual", *lines)
        consumer.publish(queue, b"poison", *lines)
        self.settle(consumer, "NACK", consumer.read_message(), "requeue:false")
        self.assertEqual(letters.read_message().body, b"poison")

    def test_P_ACK_06_nack(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue, "ack:client-individual")
        consumer.publish(queue, b"again")
        self.settle(consumer, "NACK", consumer.read_message())
        message = consumer.read_message()
        self.assertEqual((message.body, message["redelivered"]), (b"again", "true"))
        self.settle(consumer, "NACK", message, "requeue:true")
        self.settle(consumer, "ACK", consumer.read_message())

    def test_P_SUB_14_queue_type(self):
        for kind in ("classic", "quorum"):
            queue, lines = self.name(), ("x-queue-type:" + kind, "durable:true", "auto-delete:false")
            consumer = self.connected().subscribe(queue, "ack:client-individual", *lines)
            consumer.publish(queue, b"x", *lines)
            self.settle(consumer, "ACK", consumer.read_message())

    # --- Delay and transactions.

    def test_P_QOS_03_delayed_exchange(self):
        consumer = self.connected().subscribe("/exchange/delayed/" + self.name(""))
        destination = "/exchange/delayed/dialect.n%d" % DialectCase.names
        consumer.publish(destination, b"later", "x-delay:200")
        consumer.publish(destination, b"now", "x-delay:0")
        self.assertEqual(self.bodies(consumer, 2), ["now", "later"])

    @over_transports
    def test_P_TX_04_transaction(self, transport):
        queue, results = self.name(), self.name()
        reader = self.connected(transport=transport).subscribe(results)
        worker = self.connected(transport=transport).subscribe(queue, "ack:client-individual")
        worker.publish(queue, b"job")
        job = worker.read_message()
        self.step(worker, "BEGIN", "transaction:tx1")
        worker.send(send_to(results, b"half", "transaction:tx1"))
        self.step(worker, "ABORT", "transaction:tx1")
        self.step(worker, "BEGIN", "transaction:tx2")
        worker.send(send_to(results, b"whole", "transaction:tx2"))
        self.settle(worker, "ACK", job, "transaction:tx2")
        self.step(worker, "COMMIT", "transaction:tx2")
        self.assertEqual(self.bodies(reader, 1), ["whole"])
        self.leave(worker)
        again = self.connected(transport=transport).subscribe(queue, "ack:client-individual")
        again.publish(queue, b"next")
        self.assertEqual(self.bodies(again, 1), ["next"])


class Streams(RabbitMqCase):
    """The operator says once which topics keep their messages; clients are as they were."""

    config = {"policy": [{"match": "/topic/stream.**", "history_messages": 100}]}

    STREAM = ("x-queue-type:stream", "durable:true", "auto-delete:false", "ack:client", "prefetch-count:10")

    def reader(self, topic, offset, transport="tcp"):
        return self.connected(transport=transport).subscribe(topic, *self.STREAM, "x-stream-offset:" + offset, id="1234")

    @over_transports
    def test_P_QOS_11_stream(self, transport):
        topic = self.name("/topic/stream.")
        self.leave(self.reader(topic, "next", transport))  # There this creates the stream.
        publisher = self.connected(transport=transport)
        self.send_all(publisher, topic, ["1", "2"])
        reader = self.reader(topic, "first", transport)
        publisher.publish(topic, b"3")
        messages = [reader.read_message() for _ in range(3)]
        self.assertEqual([message.body for message in messages], [b"1", b"2", b"3"])
        offsets = [int(message["x-stream-offset"]) for message in messages]
        self.assertEqual(offsets, list(range(offsets[0], offsets[0] + 3)))

    def test_P_SUB_14_a_stream_wants_history(self):
        for lines in (("x-queue-type:stream", "durable:true"), ("x-max-age:10h",), ("x-stream-offset:next",)):
            with self.subTest(lines):
                reader = self.connected()
                reader.send(stomp("SUBSCRIBE", "id:1", "destination:" + self.name("/topic/plain."), *lines))
                self.assert_refused(reader, "unsupported")

    def test_P_QOS_11_stream_from_the_middle(self):
        topic = self.name("/topic/stream.")
        self.leave(self.reader(topic, "next"))
        publisher = self.connected()
        self.send_all(publisher, topic, ["1", "2", "3"])
        all_of_it = self.reader(topic, "first")
        second = [all_of_it.read_message() for _ in range(3)][1]
        hour_ago = now_ms() // 1000 - 3600
        for offset, first in (("offset=" + second["x-stream-offset"], "2"), ("timestamp=%d" % hour_ago, "1"), ("next", "new")):
            with self.subTest(offset):
                reader = self.reader(topic, offset)
                publisher.publish(topic, b"new")
                self.assertEqual(self.bodies(reader, 1), [first])


if __name__ == "__main__":
    unittest.main()
