"""A client that was written for ActiveMQ Classic works unchanged.

Headers as in ActiveMQ's documentation, "Stomp" (activemq.apache.org/components/classic/documentation/stomp), sections
"Stomp extensions for JMS message semantics" [JMS] and "ActiveMQ Classic extensions to Stomp" [Ext], and the pages named.
The scripts also pass against ActiveMQ 5.17.2 itself, but for those marked (*), which show a rule of ours, and those
marked (+), which need the setting that is named at the test there as well.

| Header                                              | Test                                                      |
|-----------------------------------------------------|-----------------------------------------------------------|
| `>` and `*` in names                                | `wildcards`                            (page "Wildcards") |
| `activemq.prefetchSize`                             | `prefetch`                             [Ext]              |
| `client-id`, `activemq.subscriptionName`            | `durable_subscription`, `ending_it`    [Ext]              |
| `selector`                                          | `selector_on_a_queue`, `selector_on_a_topic` [JMS]        |
| `correlation-id`, `type`, `persistent` and properties of one's own | `properties`        [JMS]              |
| `reply-to`, `/temp-queue/NAME`, `/temp-topic/NAME`  | `reply_to`                             [JMS]              |
| `expires`                                           | `expires`                              [JMS]              |
| `priority`                                          | `priorities` (+)                       [JMS]              |
| `JMSXGroupID`, `JMSXGroupSeq`                       | `groups`, `end_of_a_group`             [JMS], ("Message Groups") |
| `AMQ_SCHEDULED_DELAY`, `_PERIOD`, `_REPEAT`         | `delay` (+), `repeat` (+)              ("Delay and Schedule Message Delivery") |
| `activemq.exclusive`                                | `exclusive_consumer`                   [Ext]              |
| `activemq.priority`                                 | `consumer_priority`                    [Ext]              |
| `no-local`, `activemq.noLocal`                      | `no_local`                             [JMS], [Ext]       |
| `activemq.retroactive`                              | `retroactive` (+)                      [Ext]              |
| `activemq.dispatchAsync`, `.maximumPendingMessageLimit`, `transformation` | `what_has_no_meaning_here` [Ext]    |
| `browser`                                           | `browser`                              [Ext]              |
| NACK                                                | `nack` (*)                                                |
| `transaction`                                       | `transaction`                          (STOMP)            |
| ACK by `message-id`, as in 1.0 and 1.1              | `acks_of_older_versions`               (STOMP)            |
"""
import unittest

from support.case import each, over_transports, send_to
from support.dialect import DialectCase, now_ms


class ActiveMqCase(DialectCase):
    login = ("login:guest", "passcode:guest", "host:localhost")


class ActiveMq(ActiveMqCase):
    # --- Names and headers.

    @over_transports
    def test_P_DEST_05_wildcards(self, transport):
        base = self.name("")
        consumer = self.connected(transport=transport)
        consumer.subscribe("/topic/%s.>" % base, id="all").subscribe("/topic/%s.*.ibm" % base, id="one")
        consumer.publish("/topic/%s.nyse.ibm" % base, b"x")
        self.assertEqual(sorted(consumer.read_message()["subscription"] for _ in range(2)), ["all", "one"])

    def test_P_SEND_05_properties(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue)
        consumer.publish(queue, b"x", "correlation-id:c-1", "type:order", "persistent:true", "colour:red")
        message = consumer.read_message()
        names = ("correlation-id", "type", "persistent", "colour")
        self.assertEqual([message[name] for name in names], ["c-1", "order", "true", "red"])

    def test_P_SUB_12_what_has_no_meaning_here(self):
        topic = self.name("/topic/")
        consumer = self.connected().subscribe(
            topic, "activemq.dispatchAsync:true", "activemq.maximumPendingMessageLimit:1000",
            "transformation:jms-map-json")
        consumer.publish(topic, b"x")
        self.assertEqual(self.bodies(consumer, 1), ["x"])

    @over_transports
    def test_P_TEMP_04_reply_to(self, transport):
        for kind in ("/temp-queue/", "/temp-topic/"):
            queue = self.name()
            service = self.connected(transport=transport).subscribe(queue)
            asker = self.connected(transport=transport).subscribe(kind + "answers", id="replies")
            asker.publish(queue, b"what is it?", "reply-to:" + kind + "answers", "correlation-id:7")
            question = service.read_message()
            service.publish(question["reply-to"], b"it is", "correlation-id:" + question["correlation-id"])
            answer = asker.read_message()
            self.assertEqual((answer["subscription"], answer["correlation-id"], answer.body), ("replies", "7", b"it is"))

    # --- What a consumer asks for.

    @over_transports
    def test_P_SUB_07_prefetch(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport)
        self.send_all(consumer, queue, ["1", "2"])
        consumer.subscribe(queue, "ack:client-individual", "activemq.prefetchSize:1")
        first = consumer.read_message()
        self.assert_silent(consumer)
        self.settle(consumer, "ACK", first)
        self.assertEqual((first.body, consumer.read_message().body), (b"1", b"2"))

    @over_transports
    def test_P_DUR_01_durable_subscription(self, transport):
        topic, name = self.name("/topic/"), "activemq.subscriptionName:audit"
        client = "client-id:" + self.name("")
        self.leave(self.connected(client, transport=transport).subscribe(topic, name))
        publisher = self.connected(transport=transport)
        self.send_all(publisher, topic, ["1", "2"], "persistent:true")
        back = self.connected(client, transport=transport).subscribe(topic, name)
        self.assertEqual(self.bodies(back, 2), ["1", "2"])

    def test_P_DUR_04_ending_it(self):
        topic, name = self.name("/topic/"), "activemq.subscriptionName:audit"
        client = "client-id:" + self.name("")
        self.leave(self.connected(client).subscribe(topic, name))
        ending = self.connected(client)
        self.step(ending, "UNSUBSCRIBE", "id:0", "destination:" + topic, name)
        self.leave(ending)
        self.connected().publish(topic, b"nobody has this", "persistent:true")
        back = self.connected(client).subscribe(topic, name)
        back.publish(topic, b"new")
        self.assertEqual(self.bodies(back, 1), ["new"])

    @over_transports
    def test_P_SEL_05_selector_on_a_queue(self, transport):
        queue = self.name()
        publisher = self.connected(transport=transport)
        for colour, weight in (("red", 9), ("blue", 12), ("red", 12)):
            publisher.publish(queue, b"%s %d" % (colour.encode(), weight), "colour:" + colour, "weight:%d" % weight)
        heavy = self.connected(transport=transport).subscribe(queue, "selector:colour = 'red' AND weight > 10")
        self.assertEqual(self.bodies(heavy, 1), ["red 12"])
        rest = self.connected(transport=transport).subscribe(queue)
        self.assertEqual(self.bodies(rest, 2), ["red 9", "blue 12"])

    SELECTORS = {"equal": "colour = 'red'", "like": "colour LIKE 'r_d'", "in": "colour IN ('red', 'green')",
                 "between": "weight BETWEEN 10 AND 20", "not_null": "weight IS NOT NULL AND NOT (weight < 5)",
                 "type": "JMSType = 'order'", "correlation": "JMSCorrelationID = 'c-1'", "other": "weight <> 2"}

    @each(SELECTORS)
    def test_P_SEL_01_selector_on_a_topic(self, selector):
        topic = self.name("/topic/")
        consumer = self.connected().subscribe(topic, "selector:" + selector)
        consumer.publish(topic, b"no", "colour:blue", "weight:2")
        consumer.publish(topic, b"yes", "colour:red", "weight:12", "type:order", "correlation-id:c-1")
        self.assertEqual(self.bodies(consumer, 1), ["yes"])

    def test_P_SUB_10_exclusive_consumer(self):
        queue = self.name()
        one, two = (self.connected().subscribe(queue, "activemq.exclusive:true") for _ in range(2))
        publisher = self.connected()
        self.send_all(publisher, queue, ["1", "2"])
        self.assertEqual(self.bodies(one, 2), ["1", "2"])
        self.leave(one)
        self.send_all(publisher, queue, ["3"])
        self.assertEqual(self.bodies(two, 1), ["3"])

    def test_P_SUB_09_consumer_priority(self):
        queue = self.name()
        idle = self.connected().subscribe(queue, "activemq.priority:0")
        busy = self.connected().subscribe(queue, "activemq.priority:10")
        self.send_all(self.connected(), queue, ["1", "2", "3"])
        self.assertEqual(self.bodies(busy, 3), ["1", "2", "3"])
        self.assert_silent(idle)

    @each(["no-local", "activemq.noLocal"])
    def test_P_SUB_10_no_local(self, header):
        # Both are documented; ActiveMQ 5.17.2 itself acts only on the second.
        topic = self.name("/topic/")
        consumer = self.connected().subscribe(topic, header + ":true")
        consumer.publish(topic, b"own")
        self.connected().publish(topic, b"another's")
        self.assertEqual(self.bodies(consumer, 1), ["another's"])

    @over_transports
    def test_P_SUB_12_browser(self, transport):
        queue = self.name()
        browser = self.connected(transport=transport)
        self.send_all(browser, queue, ["1", "2"])
        browser.subscribe(queue, "browser:true")
        self.assertEqual(self.bodies(browser, 2), ["1", "2"])
        self.assertEqual(browser.read_message()["browser"], "end")
        self.assertEqual(self.bodies(self.connected().subscribe(queue), 2), ["1", "2"])

    # --- What a message asks for.

    def test_P_QOS_01_expires(self):
        queue = self.name()
        consumer = self.connected()
        soon = now_ms() + 50
        consumer.publish(queue, b"short", "expires:%d" % soon)
        consumer.publish(queue, b"long", "expires:%d" % (soon + 600_000))
        consumer.publish(queue, b"never", "expires:0")
        self.await_clock(soon + 10)
        consumer.subscribe(queue)
        message = consumer.read_message()
        self.assertEqual((message.body, message["expires"]), (b"long", str(soon + 600_000)))
        self.assertEqual(self.bodies(consumer, 1), ["never"])

    def test_P_QOS_05_groups(self):
        queue = self.name()
        workers = [self.connected().subscribe(queue, id=str(i)) for i in range(2)]
        publisher = self.connected()
        for body in ("a1", "b1", "a2", "b2", "a3", "b3"):
            publisher.publish(queue, body.encode(), "JMSXGroupID:" + body[0])
        self.assertEqual(sorted(self.bodies(worker, 3) for worker in workers), [["a1", "a2", "a3"], ["b1", "b2", "b3"]])

    def test_P_QOS_05_end_of_a_group(self):
        queue = self.name()
        publisher = self.connected()
        first = self.connected().subscribe(queue)
        publisher.publish(queue, b"a1", "JMSXGroupID:a", "JMSXGroupSeq:1")
        self.assertEqual(self.bodies(first, 1), ["a1"])
        second = self.connected().subscribe(queue, "activemq.priority:5")
        publisher.publish(queue, b"a2", "JMSXGroupID:a", "JMSXGroupSeq:-1")
        self.assertEqual(self.bodies(first, 1), ["a2"])
        publisher.publish(queue, b"a3", "JMSXGroupID:a", "JMSXGroupSeq:1")
        self.assertEqual(self.bodies(second, 1), ["a3"])

    # --- ACK, NACK, transactions.

    @each(["1.0", "1.1"])
    def test_P_ACK_02_acks_of_older_versions(self, version):
        queue = self.name()
        consumer = self.connected(version=version).subscribe(queue, "ack:client")
        self.send_all(consumer, queue, ["1", "2"])
        _, second = consumer.read_message(), consumer.read_message()
        lines = ("message-id:" + second["message-id"],)
        self.step(consumer, "ACK", *lines, *(("subscription:0",) if version == "1.1" else ()))
        consumer.publish(queue, b"3")
        self.leave(consumer)
        again = self.connected().subscribe(queue)
        message = again.read_message()
        self.assertEqual(message.body, b"3")

    def test_P_ACK_06_nack(self):
        # There NACK sends to the dead-letter queue at once; here it requeues unless it says `requeue:false`, or unless
        # `server.nack_requeues` is off (P-DIFF-04).
        queue = self.name()
        consumer = self.connected().subscribe(queue, "ack:client-individual")
        consumer.publish(queue, b"x", "persistent:true")
        self.settle(consumer, "NACK", consumer.read_message())
        self.settle(consumer, "NACK", consumer.read_message(), "requeue:false")
        letters = self.connected().subscribe("/queue/DLQ." + queue[len("/queue/"):])
        self.assertEqual(self.bodies(letters, 1), ["x"])

    @over_transports
    def test_P_TX_04_transaction(self, transport):
        queue, results = self.name(), self.name()
        reader = self.connected(transport=transport).subscribe(results)
        worker = self.connected(transport=transport).subscribe(queue, "ack:client")
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


class Settings(ActiveMqCase):
    """What ActiveMQ, too, does only where its configuration says so."""

    config = {"policy": [{"match": "/queue/prioritized.**", "max_priority": 9},      # prioritizedMessages="true"
                         {"match": "/topic/recovered.**", "history_messages": 100},  # <subscriptionRecoveryPolicy>
                         {"match": "/queue/letters.**", "dead_letter": "/queue/ActiveMQ.DLQ", "deliveries": 7}]}

    def test_P_QOS_04_priorities(self):
        queue = self.name("/queue/prioritized.")
        publisher = self.connected()
        for body in ("1", "9", "5"):
            publisher.publish(queue, body.encode(), "priority:" + body)
        publisher.publish(queue, b"none")
        self.assertEqual(self.bodies(self.connected().subscribe(queue), 4), ["9", "5", "none", "1"])

    def test_P_ACK_11_the_one_dead_letter_queue(self):
        queue = self.name("/queue/letters.")
        consumer = self.connected().subscribe(queue, "ack:client-individual")
        consumer.publish(queue, b"poison", "persistent:true")
        self.settle(consumer, "NACK", consumer.read_message(), "requeue:false")
        self.assertEqual(self.bodies(self.connected().subscribe("/queue/ActiveMQ.DLQ"), 1), ["poison"])

    def test_P_QOS_11_retroactive(self):
        topic = self.name("/topic/recovered.")
        self.send_all(self.connected(), topic, ["1", "2"])
        late = self.connected().subscribe(topic, "activemq.retroactive:true")
        late.publish(topic, b"3")
        self.assertEqual(self.bodies(late, 3), ["1", "2", "3"])


class Schedule(ActiveMqCase):
    """ActiveMQ needs `schedulerSupport="true"` for these."""

    @over_transports
    def test_P_QOS_03_delay(self, transport):
        queue = self.name()
        consumer = self.connected(transport=transport).subscribe(queue)
        consumer.publish(queue, b"later", "AMQ_SCHEDULED_DELAY:200")
        consumer.publish(queue, b"now")
        self.assertEqual(self.bodies(consumer, 2), ["now", "later"])

    def test_P_QOS_03_repeat(self):
        queue = self.name()
        consumer = self.connected().subscribe(queue)
        consumer.publish(queue, b"x", "AMQ_SCHEDULED_DELAY:100", "AMQ_SCHEDULED_PERIOD:1000", "AMQ_SCHEDULED_REPEAT:2")
        self.assertEqual(self.bodies(consumer, 3), ["x", "x", "x"])


if __name__ == "__main__":
    unittest.main()
