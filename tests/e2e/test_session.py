"""Sections 7 to 13, 17 and 18 of the protocol specification on the wire, with one event loop."""
import unittest

from support.broker import until, wait_time
from support.case import BrokerCase, TRANSPORTS, VERSIONS, combined, each, over_transports, over_versions, send_to, stomp


class SessionCase(BrokerCase):
    names = 0

    def name(self, prefix="/topic/"):
        """A destination that no other test uses."""
        SessionCase.names += 1
        return "%ssession.n%d" % (prefix, SessionCase.names)

    def settle(self, peer, command, message, *lines):
        """ACK or NACK in the form of the peer's version, with a receipt."""
        if peer.version == "1.2":
            lines += ("id:" + message["ack"],)
        elif peer.version == "1.1":
            lines += ("message-id:" + message["message-id"], "subscription:" + message["subscription"])
        else:
            lines += ("message-id:" + message["message-id"],)
        peer.early = peer.ask(command, *lines)


class Destinations(SessionCase):
    ALIASES = {"queue": ("/queue/%s", "/amq/queue/%s"), "bare": ("/queue/%s", "%s"),
               "topic": ("/topic/%s", "/exchange/amq.topic/%s"), "fanout": ("/exchange/amq.fanout",
                                                                            "/exchange/amq.fanout/%s")}

    @each(combined(TRANSPORTS, ALIASES))
    def test_P_DEST_02_names_of_one_destination(self, transport, one, other):
        name = self.name("")
        one, other = (form % name if "%s" in form else form for form in (one, other))
        for subscribed, sent in ((one, other), (other, one)):
            peer = self.client(transport).subscribe(subscribed)
            peer.publish(sent, b"x")
            self.assertEqual(peer.read_message()["destination"], sent)
            peer.close()

    BAD = ["/queue/", "/topic/", "/exchange/", "/queue//a", "/topic/a//b", "/topic/a..b", "/topic/a/./b", "/topic/a/../b",
           "/topic/a/", "/topic/a.", "/topic/.a", "/", "//", "/topic/" + "a/" * 16 + "a", "/topic/" + ".".join("a" * 17),
           "/topic/" + "a" * 249, "/topic/a\u0085b", "/topic/a\x01b", "/topic/a\x7fb", "/topic/a\tb"]

    @each(combined(TRANSPORTS, ["SEND", "SUBSCRIBE"], {"%02d" % i: name for i, name in enumerate(BAD)}))
    def test_P_DEST_03_bad_destinations_are_refused(self, transport, command, name):
        peer = self.client(transport)
        peer.send(stomp(command, "destination:" + name, "id:1", "receipt:r"))
        self.assert_refused(peer, "bad-destination", receipt_id="r")

    @each(combined(TRANSPORTS, {"longest": "/topic/" + "a" * 248, "deepest": "/topic/" + "/".join("a" * 16),
                                "umlaut": "/topic/\u00e4\u20ac\U0001f40e", "blank": "/topic/a b", "percent": "/topic/%41",
                                "quotes": "/topic/'\"<script>", "other": "/foo/bar", "comma": "/queue/a,/queue/b"}))
    def test_P_DEST_03_good_ones_work(self, transport, name):
        peer = self.client(transport).subscribe(name)
        peer.publish(name, b"x")
        self.assertEqual(peer.read_message()["destination"], name)

    @over_transports
    def test_P_DEST_04_names_are_compared_octet_by_octet(self, transport):
        peer = self.client(transport).subscribe("/topic/Case.A")
        for name in ("/topic/case.a", "/topic/Case%2EA", "/topic/Case.A ", "/topic/Case/A", "/queue/Case.A"):
            peer.publish(name, b"x")
        self.assert_silent(peer)

    MATCHES = {"star": ("a.*", ["a.b"], ["a", "a.b.c", "b.b"]), "plus": ("a/+", ["a/b"], ["a", "a/b/c"]),
               "hash": ("a.#", ["a", "a.b", "a.b.c"], ["b", "ab"]), "double": ("a/**", ["a", "a/b/c"], ["b/a"]),
               "greater": ("a.>", ["a.b", "a.b.c"], ["b.a"]), "inside": ("a.#.z", ["a.z", "a.b.z", "a.b.c.z"], ["a.b"]),
               "literal": ("a*", ["a*"], []), "one_level": ("*", ["a"], ["a.b", "a/b"]),
               "dollar": ("#", ["a"], []), "slash_wins": ("a.b/*", ["a.b/c"], ["a/b/c"])}

    @each(combined(TRANSPORTS, MATCHES))
    def test_P_DEST_05_wildcards(self, transport, pattern, good, bad):
        prefix = self.name("/exchange/") + "/"
        peer = self.client(transport).subscribe(prefix + pattern)
        for name in bad:
            if "*" not in name:
                peer.publish(prefix + name, b"bad")
        self.assert_silent(peer)
        for name in good:
            if "*" in name:
                continue
            peer.publish(prefix + name, b"good")
            self.assertEqual(peer.read_message()["destination"], prefix + name)

    @each(combined(TRANSPORTS, ["/topic/a.*", "/queue/a.*", "/topic/#", "/queue/>", "/temp-queue/*", "/exchange/x/+"]))
    def test_P_DEST_07_no_wildcards_in_send(self, transport, name):
        peer = self.client(transport)
        peer.send(send_to(name, b"x"))
        self.assert_refused(peer, "bad-destination")

    @each(combined(TRANSPORTS, ["/queue/a.*", "/queue/#", "/temp-queue/**", "/temp-topic/a/*"]))
    def test_P_DEST_07_no_wildcards_in_queues(self, transport, name):
        peer = self.client(transport)
        peer.send(stomp("SUBSCRIBE", "id:1", "destination:" + name))
        self.assert_refused(peer, "bad-destination")

    @over_transports
    def test_P_DEST_09_one_copy_per_subscription(self, transport):
        base = self.name()
        peer = self.client(transport)
        peer.subscribe(base + ".#.#", id="1").subscribe(base + ".*", id="2").subscribe(base + ".x", id="3")
        peer.publish(base + ".x", b"x")
        self.assertEqual(sorted(peer.read_message()["subscription"] for _ in range(3)), ["1", "2", "3"])
        self.assert_silent(peer)

    @each(combined(TRANSPORTS, ["SEND", "SUBSCRIBE"], ["/sys/x", "/topic/$SYS.stats", "/topic/a.$b", "/queue/$x", "/sys",
                                                       "/exchange/$x/y"]))
    def test_S_ACL_08_reserved_names_are_refused(self, transport, command, name):
        peer = self.client(transport)
        peer.send(stomp(command, "id:1", "destination:" + name))
        error = peer.read_end()[-1]
        self.assertEqual(error.command, "ERROR")
        self.assertIn(error["message"], ("access-denied", "bad-destination"))

    @over_transports
    def test_P_SUB_12_what_is_not_offered_is_refused_not_ignored(self, transport):
        for frame in (stomp("SUBSCRIBE", "id:1", "destination:/topic/a", "x-stream-filter:a"),
                      stomp("SUBSCRIBE", "id:1", "destination:/topic/a", "from-seq:1"),
                      stomp("SUBSCRIBE", "id:1", "destination:/queue/a", "x-stream-offset:first"),
                      stomp("SUBSCRIBE", "id:1", "destination:/temp-queue/a", "browser:true"),
                      stomp("SEND", "destination:/queue/a", "AMQ_SCHEDULED_CRON:* * * * *")):
            peer = self.client(transport)
            peer.send(frame)
            self.assert_refused(peer, "unsupported")


class Messages(SessionCase):
    @over_versions
    def test_P_SEND_01_destination_is_required(self, transport, version):
        for frame in (stomp("SEND", body=b"x"), stomp("SEND", "destination:", body=b"x")):
            peer = self.client(transport, version)
            peer.send(frame)
            self.assert_refused(peer, "missing-header")

    @over_versions
    def test_P_SEND_02_order(self, transport, version):
        name = self.name()
        reader = self.client(transport, version).subscribe(name)
        writer = self.client(transport, version)
        writer.send(b"".join(send_to(name, b"%d" % i) for i in range(2000)))
        self.assertEqual([f.body for f in reader.read_frames(2000)], [b"%d" % i for i in range(2000)])

    @over_versions
    def test_P_SEND_03_facts_of_the_broker_cannot_be_forged(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name)
        forged = ["message-id:forged", "subscription:forged", "ack:forged", "redelivered:true", "retained:true",
                  "x-delivery-count:9", "x-stream-offset:9", "x-death-reason:x", "x-death-foo:x", "user-id:admin",
                  "JMSXUserID:admin", "message-id:again"]
        if version != "1.0":
            forged.append("message-id\\c:x")
        peer.send(stomp("SEND", "destination:" + name, *forged, "kept:1", body=b"x"))
        message = peer.read_message()
        self.assertNotIn("forged", [value for _, value in message.headers])
        for header in ("ack", "redelivered", "retained", "x-delivery-count", "x-stream-offset", "x-death-reason",
                       "x-death-foo", "user-id", "JMSXUserID"):
            self.assertNotIn(header, message)
        self.assertEqual(message["kept"], "1")

    @over_transports
    def test_P_SEND_03_the_own_user_id_passes(self, transport):
        name = self.name()
        peer = self.client(transport, "1.2", "login:guest", "passcode:guest").subscribe(name)
        peer.send(stomp("SEND", "destination:" + name, "user-id:guest"))
        self.assertEqual(peer.read_message()["user-id"], "guest")

    @over_versions
    def test_P_SEND_05_every_other_header_passes_in_order(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name)
        sent = [("content-type", "text/plain"), ("correlation-id", "7"), ("type", "t"), ("persistent", "true"),
                ("priority", "4"), ("JMSType", "x"), ("traceparent", "00-ab-cd-01"), ("empty", ""), ("activemq.x", "y"),
                ("Content-Type", "case"), ("\u00fc", "\u20ac"), ("reply-to", "/queue/somewhere")]
        peer.send(stomp("SEND", "destination:" + name, *("%s:%s" % pair for pair in sent), body=b"x"))
        self.assertEqual([pair for pair in peer.read_message().headers if pair in sent], sent)

    @over_versions
    def test_P_MSG_01_nothing_is_added(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name)
        peer.send(stomp("SEND", "destination:" + name, body=b"x"))
        message = peer.read_message()
        self.assertEqual({key for key, _ in message.headers}, {"subscription", "message-id", "destination",
                                                               "content-length"})
        self.assertRegex(message["message-id"], "^[0-9A-Za-z]{1,64}$")

    @each(combined(TRANSPORTS, VERSIONS, ["client", "client-individual"]))
    def test_P_MSG_03_ids_in_client_modes(self, transport, version, mode):
        name = self.name()
        peer = self.client(transport, version).subscribe(name, "ack:" + mode, id="1").subscribe(name, "ack:" + mode,
                                                                                                 id="2")
        peer.publish(name, b"x")
        one, two = peer.read_frames(2)
        self.assertRegex(one["message-id"], "^[0-9A-Za-z]+-[0-9]+$")
        self.assertEqual(one["ack"], one["message-id"])
        self.assertNotEqual(one["message-id"], two["message-id"])
        self.assertEqual(one["message-id"].split("-")[0], two["message-id"].split("-")[0])
        self.assertNotIn("redelivered", one)

    @over_versions
    def test_P_SEND_07_a_topic_without_subscribers_is_success(self, transport, version):
        self.client(transport, version).publish(self.name(), b"x")


class Subscriptions(SessionCase):
    @over_versions
    def test_P_SUB_01_required_headers_and_modes(self, transport, version):
        for lines, token in ((("id:1",), "missing-header"), (("id:1", "destination:"), "missing-header"),
                             (("id:1", "destination:/topic/a", "ack:Auto"), "bad-header"),
                             (("id:1", "destination:/topic/a", "ack:"), "bad-header"),
                             (("id:1", "destination:/topic/a", "ack:client_individual"), "bad-header")):
            peer = self.client(transport, version)
            peer.send(stomp("SUBSCRIBE", *lines, "receipt:r"))
            self.assert_refused(peer, token, receipt_id="r")

    @over_versions
    def test_P_SUB_02_the_same_again_is_idempotent(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name).subscribe(name)
        peer.publish(name, b"x")
        self.assertEqual(peer.read_message().body, b"x")
        self.assert_silent(peer)

    @over_versions
    def test_P_SUB_02_another_destination_is_refused(self, transport, version):
        peer = self.client(transport, version).subscribe(self.name())
        peer.send(stomp("SUBSCRIBE", "id:0", "destination:" + self.name(), "receipt:r"))
        self.assert_refused(peer, "bad-state", receipt_id="r")

    @over_transports
    def test_P_SUB_02_a_change_takes_the_old_ones_place(self, transport):
        for prefix in ("/topic/", "/queue/"):
            name = self.name(prefix)
            peer = self.client(transport).subscribe(name)
            writer = self.client(transport)
            for i in range(200):
                writer.send(send_to(name, b"%d" % i))
                if i % 20 == 10:
                    peer.send(stomp("SUBSCRIBE", "id:0", "destination:" + name, "ack:auto", "x-priority:%d" % i))
            numbers = [int(peer.read_message().body) for _ in range(200)]
            if prefix == "/queue/" and self.threads > 1:
                numbers.sort()  # What was on its way between event loops may be overtaken.
            self.assertEqual(numbers, list(range(200)))
            self.assert_silent(peer)

    @each(combined(TRANSPORTS, {"as_destination": "/topic/session.id", "umlaut": "\u00e4", "blank": " x ", "longest":
                                "i" * 128, "markup": "<b>'\"&"}))
    def test_P_SUB_02_any_text_is_an_id(self, transport, text):
        peer = self.client(transport).subscribe("/topic/session.id", id=text)
        peer.publish("/topic/session.id", b"x")
        self.assertEqual(peer.read_message()["subscription"], text)

    @over_versions
    def test_P_SUB_04_the_receipt_comes_before_the_first_message(self, transport, version):
        name = self.name("/queue/")
        self.client(transport).publish(name, b"waiting")
        peer = self.client(transport, version)
        self.assertEqual(peer.ask("SUBSCRIBE", "id:1", "destination:" + name), [])
        self.assertEqual(peer.read_message().body, b"waiting")

    @over_versions
    def test_P_SUB_05_unsubscribe(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name)
        peer.ask("UNSUBSCRIBE", "id:unknown")
        peer.ask("UNSUBSCRIBE", "id:0")
        peer.publish(name, b"x")
        self.assert_silent(peer)
        peer.send(stomp("UNSUBSCRIBE", "receipt:r"))
        self.assert_refused(peer, "missing-header", receipt_id="r")

    @over_versions
    def test_P_SUB_06_outstanding_deliveries_can_still_be_settled(self, transport, version):
        name = self.name("/queue/")
        peer = self.client(transport, version).subscribe(name, "ack:client-individual")
        self.client().publish(name, b"1").publish(name, b"2").publish(name, b"3")
        first, second, _ = peer.read_frames(3)
        peer.ask("UNSUBSCRIBE", "id:0")
        self.settle(peer, "ACK", first)
        self.settle(peer, "ACK", second)
        self.assert_silent(peer)
        peer.close()
        other = self.client().subscribe(name)
        self.assertEqual(other.read_message().body, b"3")
        self.assert_silent(other)

    @each(combined(TRANSPORTS, ["client", "client-individual"], {
        "prefetch_count": "prefetch-count:3", "activemq": "activemq.prefetchSize:3", "credit": "credit:3",
        "credit_two": "credit:3,100000"}, ["/topic/", "/queue/"]))
    def test_P_SUB_07_the_window(self, transport, mode, window, prefix):
        name = self.name(prefix)
        peer = self.client(transport).subscribe(name, "ack:" + mode, window)
        writer = self.client()
        for i in range(10):
            writer.publish(name, b"%d" % i)
        got = [peer.read_message() for _ in range(3)]
        self.assert_silent(peer)
        for i in range(3, 10):
            self.settle(peer, "ACK", got[-3])
            got.append(peer.read_message())
        self.assertEqual([message.body for message in got], [b"%d" % i for i in range(10)])

    @over_transports
    def test_P_SUB_07_a_message_above_the_window_in_octets_is_sent_alone(self, transport):
        name = self.name("/queue/")
        peer = self.client(transport).subscribe(name, "ack:client", "consumer-window-size:1000")
        self.client().publish(name, b"a" * 5000).publish(name, b"b")
        first = peer.read_message()
        self.assertEqual(len(first.body), 5000)
        self.assert_silent(peer)
        self.settle(peer, "ACK", first)
        self.assertEqual(peer.read_message().body, b"b")

    @over_transports
    def test_P_SUB_09_competing_consumers_take_turns(self, transport):
        name = self.name("/queue/")
        peers = [self.client(transport).subscribe(name) for _ in range(3)]
        writer = self.client(transport)
        for i in range(9):
            writer.publish(name, b"%d" % i)
        bodies = [[peer.read_message().body for _ in range(3)] for peer in peers]
        self.assertEqual(sorted(sum(bodies, [])), [b"%d" % i for i in range(9)])

    @over_transports
    def test_P_SUB_09_higher_priority_first(self, transport):
        name = self.name("/queue/")
        low = self.client(transport).subscribe(name, "x-priority:1")
        high = self.client(transport).subscribe(name, "activemq.priority:10")
        writer = self.client(transport)
        for i in range(5):
            writer.publish(name, b"%d" % i)
        self.assertEqual([high.read_message().body for _ in range(5)], [b"%d" % i for i in range(5)])
        self.assert_silent(low)

    @each(combined(TRANSPORTS, ["prefetch-count:x", "prefetch-count:-1", "x-priority:high", "durable:maybe", "credit:",
                                "consumer-window-size:-2", "exclusive:1", "prefetch-count:1.5"]))
    def test_P_SUB_11_values_that_cannot_be_parsed_are_refused(self, transport, line):
        peer = self.client(transport)
        peer.send(stomp("SUBSCRIBE", "id:1", "destination:/queue/a", line))
        self.assertIn(line.split(":")[0].encode(), self.assert_refused(peer, "bad-header").body)


class Acknowledgements(SessionCase):
    def three(self, transport, version, mode, prefix="/queue/"):
        """A peer with three deliveries outstanding."""
        name = self.name(prefix)
        peer = self.client(transport, version).subscribe(name, "ack:" + mode)
        peer.queue = name
        writer = self.client()
        for body in (b"1", b"2", b"3"):
            writer.publish(name, body)
        return peer, peer.read_frames(3)

    def left(self, peer):
        """What the queue still holds once the peer has gone."""
        peer.close()
        reader = self.client("tcp", "1.2").subscribe(peer.queue, "ack:client-individual", "prefetch-count:0")
        bodies = []
        sentinel = self.client().publish(peer.queue, b"end")
        sentinel.close()
        while not bodies or bodies[-1] != b"end":
            message = reader.read_message()
            bodies.append(message.body)
            self.settle(reader, "ACK", message)
        return bodies[:-1]

    @over_versions
    def test_P_ACK_04_client_is_cumulative(self, transport, version):
        peer, messages = self.three(transport, version, "client")
        self.settle(peer, "ACK", messages[1])
        self.assertEqual(self.left(peer), [b"3"])

    @over_versions
    def test_P_ACK_05_client_individual_is_not(self, transport, version):
        peer, messages = self.three(transport, version, "client-individual")
        self.settle(peer, "ACK", messages[1])
        self.assertEqual(self.left(peer), [b"1", b"3"])

    @over_versions
    def test_P_ACK_04_within_the_subscription_only(self, transport, version):
        names = self.name("/queue/"), self.name("/queue/")
        peer = self.client(transport, version)
        peer.subscribe(names[0], "ack:client", id="1").subscribe(names[1], "ack:client", id="2")
        writer = self.client().publish(names[0], b"a")
        first = peer.read_message()
        writer.publish(names[1], b"b")
        second = peer.read_message()
        self.settle(peer, "ACK", second)
        peer.queue = names[0]
        self.assertEqual((first.body, self.left(peer)), (b"a", [b"a"]))

    FORMS = {"id": lambda m: ("id:" + m["ack"],), "message_id": lambda m: ("message-id:" + m["message-id"],),
             "both": lambda m: ("id:" + m["ack"], "message-id:" + m["message-id"], "subscription:0"),
             "message_id_subscription": lambda m: ("message-id:" + m["message-id"], "subscription:0")}

    @each(combined(TRANSPORTS, VERSIONS, {key: (form,) for key, form in FORMS.items()}))
    def test_P_ACK_02_every_form_in_every_version(self, transport, version, form):
        peer, messages = self.three(transport, version, "client-individual")
        for message in messages[:2]:
            peer.ask("ACK", *form(message))
        self.assertEqual(self.left(peer), [b"3"])

    @over_versions
    def test_P_ACK_02_where_they_differ_the_versions_own_counts(self, transport, version):
        peer, messages = self.three(transport, version, "client-individual")
        own, other = messages[0]["ack"], messages[1]["ack"]
        if version == "1.2":
            peer.ask("ACK", "id:" + own, "message-id:" + other)
        else:
            peer.ask("ACK", "message-id:" + own, "id:" + other)
        self.assertEqual(self.left(peer), [b"2", b"3"])

    @each(combined(TRANSPORTS, VERSIONS, ["ACK", "NACK"]))
    def test_P_ACK_02_neither_is_refused(self, transport, version, command):
        if (version, command) == ("1.0", "NACK"):
            return
        peer = self.client(transport, version)
        peer.send(stomp(command, "subscription:0", "receipt:r"))
        self.assert_refused(peer, "missing-header", receipt_id="r")

    @over_versions
    def test_P_ACK_02_another_subscription_is_refused(self, transport, version):
        peer, messages = self.three(transport, version, "client")
        peer.send(stomp("ACK", "message-id:" + messages[0]["message-id"], "subscription:other"))
        self.assert_refused(peer, "bad-state")

    @over_versions
    def test_P_ACK_03_settled_twice_is_success(self, transport, version):
        peer, messages = self.three(transport, version, "client")
        for _ in range(3):
            self.settle(peer, "ACK", messages[2])
        self.assertEqual(self.left(peer), [])

    @each(combined(TRANSPORTS, {"never": "-%d", "huge": "-99999999999999999999", "zero": "-0", "negative": "--1",
                                "blank": " -1", "text": "-x", "empty": "-"}))
    def test_P_ACK_03_unknown_tokens_are_refused(self, transport, suffix):
        peer, messages = self.three(transport, "1.2", "client")
        token = messages[0]["ack"].split("-")[0] + (suffix % 4 if "%" in suffix else suffix)
        peer.send(stomp("ACK", "id:" + token, "receipt:r"))
        self.assert_refused(peer, "bad-state", receipt_id="r")

    @over_transports
    def test_S_ACL_09_deliveries_of_others_cannot_be_settled(self, transport):
        peer, messages = self.three(transport, "1.2", "client")
        thief = self.client(transport)
        thief.send(stomp("ACK", "id:" + messages[2]["ack"]))
        self.assert_refused(thief, "bad-state")
        self.assertEqual(self.left(peer), [b"1", b"2", b"3"])

    @each(combined(TRANSPORTS, ["1.1", "1.2"], ["client", "client-individual"]))
    def test_P_ACK_06_nack_requeues(self, transport, version, mode):
        peer, messages = self.three(transport, version, mode)
        self.settle(peer, "NACK", messages[1])
        again = peer.read_frames(2 if mode == "client" else 1)
        self.assertEqual([m.body for m in again], [b"1", b"2"] if mode == "client" else [b"2"])
        for message, before in zip(again, messages if mode == "client" else messages[1:]):
            self.assertEqual((message["redelivered"], message["x-delivery-count"]), ("true", "2"))
            self.assertEqual(message["message-id"].split("-")[0], before["message-id"].split("-")[0])
            self.assertNotEqual(message["message-id"], before["message-id"])

    @each(combined(TRANSPORTS, ["1.1", "1.2"]))
    def test_P_ACK_06_requeue_false_dead_letters(self, transport, version):
        peer, messages = self.three(transport, version, "client-individual")
        self.settle(peer, "NACK", messages[0], "requeue:false")
        dead = self.client().subscribe("/queue/DLQ." + peer.queue[len("/queue/"):]).read_message()
        self.assertEqual((dead.body, dead["destination"]), (b"1", peer.queue))
        self.assertEqual((dead["x-death-reason"], dead["x-death-count"]), ("rejected", "1"))
        self.assertIn(peer.queue[len("/queue/"):], dead["x-death-queue"])
        self.assertEqual(self.left(peer), [b"2", b"3"])

    @over_transports
    def test_P_ACK_06_delay(self, transport):
        peer, messages = self.three(transport, "1.2", "client-individual")
        self.settle(peer, "NACK", messages[0], "delay:300")
        self.assert_silent(peer)
        self.assertEqual(peer.read_message().body, b"1")

    @each(combined(TRANSPORTS, ["delay:-1", "delay:86400001", "delay:x", "requeue:yes"]))
    def test_P_SEND_06_bad_values_on_nack_are_refused(self, transport, line):
        peer, messages = self.three(transport, "1.2", "client")
        peer.send(stomp("NACK", "id:" + messages[0]["ack"], line))
        self.assert_refused(peer, "bad-header")

    @over_versions
    def test_P_ACK_07_requeued_messages_return_to_their_places(self, transport, version):
        peer, _ = self.three(transport, version, "client")
        self.client().publish(peer.queue, b"4")
        self.assertEqual(self.left(peer), [b"1", b"2", b"3", b"4"])

    @over_transports
    def test_P_ACK_08_an_end_without_disconnect_requeues_at_once(self, transport):
        peer, _ = self.three(transport, "1.2", "client")
        other = self.client(transport).subscribe(peer.queue, "ack:client")
        peer.close()
        self.assertEqual([m.body for m in other.read_frames(3)], [b"1", b"2", b"3"])

    @over_transports
    def test_P_ACK_10_the_delivery_limit(self, transport):
        name = self.name("/queue/")
        peer = self.client(transport).subscribe(name, "ack:client")
        self.client().publish(name, b"poison")
        for count in range(1, 21):
            message = peer.read_message()
            self.assertEqual(message.get("x-delivery-count", "1"), str(count))
            self.settle(peer, "NACK", message)
        self.assert_silent(peer)
        dead = self.client().subscribe("/queue/DLQ." + name[len("/queue/"):]).read_message()
        self.assertEqual((dead["x-death-reason"], dead["x-death-count"], dead.body),
                         ("delivery-limit", "20", b"poison"))


class AckTime(SessionCase):
    config = {"limits": {"ack_time": "300ms", "deliveries": 3}}

    @over_transports
    def test_P_ACK_09_the_ack_time(self, transport):
        name = self.name("/queue/")
        peer = self.client(transport).subscribe(name, "ack:client")
        self.client().publish(name, b"x")
        messages = [peer.read_message(seconds=3) for _ in range(3)]
        self.assertEqual([m.get("x-delivery-count") for m in messages], [None, "2", "3"])
        dead = self.client().subscribe("/queue/DLQ." + name[len("/queue/"):]).read_message()
        self.assertEqual(dead["x-death-reason"], "delivery-limit")
        peer.ask("ACK", "id:" + messages[0]["ack"])


class Transactions(SessionCase):
    @over_versions
    def test_P_TX_01_ids(self, transport, version):
        cases = [(("BEGIN",), "missing-header"), (("COMMIT", "transaction:t"), "bad-state"),
                 (("ABORT", "transaction:t"), "bad-state"), (("COMMIT",), "missing-header"),
                 (("SEND", "transaction:t", "destination:/topic/a"), "bad-state"),
                 (("ACK", "transaction:t", "id:1-1", "message-id:1-1"), "bad-state")]
        for (command, *lines), token in cases:
            peer = self.client(transport, version)
            peer.send(stomp(command, *lines, "receipt:r"))
            self.assert_refused(peer, token, receipt_id="r")

    @over_versions
    def test_P_TX_01_begin_of_an_open_one_is_refused(self, transport, version):
        peer = self.client(transport, version)
        peer.ask("BEGIN", "transaction:t")
        peer.send(stomp("BEGIN", "transaction:t"))
        self.assert_refused(peer, "bad-state")

    @over_versions
    def test_P_TX_02_invisible_until_commit(self, transport, version):
        names = [self.name(), self.name("/queue/")]
        reader = self.client().subscribe(names[0], id="1").subscribe(names[1], id="2")
        peer = self.client(transport, version)
        for _ in range(2):  # Ids may be used again.
            peer.ask("BEGIN", "transaction:t")
            for i in range(5):
                for name in names:
                    peer.publish(name, b"%d" % i, "transaction:t")
            self.assert_silent(reader)
            peer.ask("COMMIT", "transaction:t")
            messages = reader.read_frames(10)
            for subscription in "12":
                self.assertEqual([m.body for m in messages if m["subscription"] == subscription],
                                 [b"%d" % i for i in range(5)])
                self.assertTrue(all("transaction" not in m for m in messages))

    @over_versions
    def test_P_TX_03_acknowledgements_take_effect_at_commit(self, transport, version):
        name = self.name("/queue/")
        peer = self.client(transport, version).subscribe(name, "ack:client-individual")
        self.client().publish(name, b"1").publish(name, b"2")
        one, two = peer.read_frames(2)
        peer.ask("BEGIN", "transaction:t")
        self.settle(peer, "ACK", one, "transaction:t")
        peer.ask("COMMIT", "transaction:t")
        peer.ask("BEGIN", "transaction:u")
        self.settle(peer, "ACK", two, "transaction:u")
        peer.close()
        other = self.client().subscribe(name)
        self.assertEqual(other.read_message().body, b"2")
        self.assert_silent(other)

    @over_versions
    def test_P_TX_05_abort(self, transport, version):
        name, queue = self.name(), self.name("/queue/")
        reader = self.client().subscribe(name)
        peer = self.client(transport, version).subscribe(queue, "ack:client")
        self.client().publish(queue, b"1")
        message = peer.read_message()
        peer.ask("BEGIN", "transaction:t")
        peer.publish(name, b"x", "transaction:t")
        self.settle(peer, "ACK", message, "transaction:t")
        peer.ask("ABORT", "transaction:t")
        self.assert_silent(peer)  # It is outstanding again, not redelivered ...
        self.settle(peer, "ACK", message)  # ... and may be settled again.
        peer.close()
        self.assert_silent(reader)
        other = self.client().subscribe(queue)
        self.assert_silent(other)

    @each(combined(TRANSPORTS, ["disconnect", "close", "refusal"]))
    def test_P_TX_06_every_end_aborts(self, transport, how):
        name = self.name()
        reader = self.client().subscribe(name)
        peer = self.client(transport)
        peer.ask("BEGIN", "transaction:t")
        peer.publish(name, b"x", "transaction:t")
        if how == "disconnect":
            peer.ask("DISCONNECT")
        elif how == "refusal":
            peer.send(stomp("COMMIT", "transaction:other"))
            self.assert_refused(peer, "bad-state")
        peer.close()
        reader.publish(name, b"later")
        self.assertEqual(reader.read_message().body, b"later")

    @over_transports
    def test_P_TX_07_limits(self, transport):
        peer = self.client(transport)
        for i in range(16):
            peer.ask("BEGIN", "transaction:%d" % i)
        peer.send(stomp("BEGIN", "transaction:16"))
        self.assert_refused(peer, "limit-transaction")
        peer = self.client(transport)
        peer.ask("BEGIN", "transaction:t")
        for _ in range(1000):
            peer.send(stomp("SEND", "destination:/topic/a", "transaction:t"))
        self.assert_lives(peer)
        peer.send(stomp("SEND", "destination:/topic/a", "transaction:t", "receipt:r"))
        self.assert_refused(peer, "limit-transaction", receipt_id="r")

    @over_transports
    def test_P_TX_07_octets(self, transport):
        peer = self.client(transport)
        peer.ask("BEGIN", "transaction:t")
        for _ in range(5):
            peer.send(send_to("/topic/a", b"x" * 1000000, "transaction:t"))
        self.assert_refused(peer, "limit-transaction")

    @over_versions
    def test_P_TX_08_ignored_on_other_commands(self, transport, version):
        peer = self.client(transport, version)
        peer.ask("SUBSCRIBE", "id:0", "destination:" + self.name(), "transaction:none")
        peer.ask("UNSUBSCRIBE", "id:0", "transaction:none")


class IdleTransactions(SessionCase):
    config = {"limits": {"transaction_idle": "200ms"}}

    @over_transports
    def test_P_TX_07_idle(self, transport):
        peer = self.client(transport)
        peer.ask("BEGIN", "transaction:t")
        self.assert_refused(peer, "limit-transaction")


class Receipts(SessionCase):
    config = {"limits": {"linger_time": "100ms"}}

    @over_versions
    def test_P_RCPT_01_every_frame_that_asks(self, transport, version):
        name = self.name("/queue/")
        peer = self.client(transport, version)
        peer.ask("SUBSCRIBE", "id:0", "destination:" + name, "ack:client", receipt="sub")
        peer.ask("BEGIN", "transaction:t", receipt="begin")
        peer.ask("COMMIT", "transaction:t", receipt="commit")
        peer.ask("BEGIN", "transaction:t", receipt="begin")
        peer.ask("ABORT", "transaction:t", receipt="abort")
        peer.publish(name, b"x")
        message = peer.read_message()
        if version != "1.0":
            self.settle(peer, "NACK", message)
            message = peer.read_message()
        self.settle(peer, "ACK", message)
        peer.ask("UNSUBSCRIBE", "id:0", receipt="unsub")
        peer.ask("DISCONNECT", receipt="bye")

    @over_versions
    def test_P_RCPT_01_the_value_verbatim(self, transport, version):
        peer = self.client(transport, version)
        for value in ("r", " r ", "a:b", "\u20ac", "r" * 128, "0"):
            wire = value.replace(":", "\\c") if version != "1.0" else value
            peer.send(stomp("UNSUBSCRIBE", "id:1", "receipt:" + wire))
            expected = value.lstrip(" ") if version == "1.0" else value
            self.assertEqual(peer.read_frame()["receipt-id"], expected)

    @over_versions
    def test_P_RCPT_04_in_the_order_asked(self, transport, version):
        peer = self.client(transport, version)
        peer.send(b"".join(send_to(self.name(("/topic/", "/queue/")[i % 2]), b"x", "receipt:%d" % i)
                           for i in range(300)))
        self.assertEqual([f["receipt-id"] for f in peer.read_frames(300)], [str(i) for i in range(300)])

    @over_versions
    def test_P_RCPT_05_nothing_after_disconnect_and_its_receipt_last(self, transport, version):
        name = self.name()
        watcher = self.client().subscribe(name)
        peer = self.client(transport, version).subscribe(name)
        peer.send(b"".join(send_to(name, b"%d" % i, "receipt:%d" % i) for i in range(100)) +
                  stomp("DISCONNECT", "receipt:bye") + send_to(name, b"late", "receipt:late"))
        frames = peer.read_end()
        self.assertEqual(frames[-1]["receipt-id"], "bye")
        self.assertEqual([f["receipt-id"] for f in frames if f.command == "RECEIPT"],
                         [str(i) for i in range(100)] + ["bye"])
        messages = [frame.body for frame in frames if frame.command == "MESSAGE"]
        self.assertEqual(messages, [b"%d" % i for i in range(len(messages))])
        if self.threads == 1:  # With more, some may not have come back yet when DISCONNECT is read.
            self.assertEqual(len(messages), 100)
        self.assertEqual(len(watcher.read_frames(100)), 100)
        self.assert_silent(watcher)

    @over_versions
    def test_P_RCPT_05_what_was_queued_is_flushed(self, transport, version):
        name = self.name()
        peer = self.client(transport, version).subscribe(name)
        body = b"x" * 100000
        for _ in range(30):
            peer.send(send_to(name, body))
        peer.send(stomp("DISCONNECT", "receipt:bye"))
        commands = [frame.command for frame in peer.read_end()]
        queued = 30 if self.threads == 1 else len(commands) - 1
        self.assertEqual(commands, ["MESSAGE"] * queued + ["RECEIPT"])

    @over_versions
    def test_P_ERR_01_nothing_after_the_offending_frame(self, transport, version):
        name = self.name()
        watcher = self.client().subscribe(name)
        peer = self.client(transport, version)
        peer.send(send_to(name, b"before", "receipt:1") + stomp("ABORT", "transaction:none") +
                  send_to(name, b"after", "receipt:2"))
        self.assert_refused(peer, "bad-state", before=["RECEIPT"])
        self.assertEqual(watcher.read_message().body, b"before")
        self.assert_silent(watcher)

    @over_versions
    def test_P_ERR_03_receipt_id_if_the_frame_had_one(self, transport, version):
        peer = self.client(transport, version)
        peer.send(stomp("COMMIT", "transaction:none", "receipt:mine"))
        self.assert_refused(peer, "bad-state", receipt_id="mine")
        peer = self.client(transport, version)
        peer.send(stomp("COMMIT", "transaction:none"))
        self.assertNotIn("receipt-id", self.assert_refused(peer, "bad-state"))

    @each(combined(TRANSPORTS, ["id", "receipt", "transaction"]))
    def test_P_LIM_01_ids_just_below_and_above_128(self, transport, header):
        lines = {"id": "a", "transaction": "b", header: "x" * 128}
        peer = self.client(transport)
        command = "BEGIN" if header == "transaction" else "SUBSCRIBE"
        peer.send(stomp(command, "destination:/topic/a", *("%s:%s" % pair for pair in lines.items())))
        peer.early = []
        while header == "receipt" and peer.read_frame()["receipt-id"] != "x" * 128:
            pass
        self.assert_lives(peer)
        lines[header] += "x"
        peer.send(stomp(command, "destination:/topic/a", *("%s:%s" % pair for pair in lines.items())))
        self.assert_refused(peer, "bad-frame")

    @over_transports
    def test_P_ERR_04_no_data_of_others_and_no_long_values(self, transport):
        peer = self.client(transport)
        peer.send(stomp("COMMIT", "transaction:" + "\\n\\c<script>%s%n" + "y" * 100))
        error = self.assert_refused(peer, "bad-state")
        self.assertLess(len(error.body), 1024)
        self.assertEqual(len(error.body.decode().rstrip("\n").split("\n")), 2)


class Temporary(SessionCase):
    @over_versions
    def test_P_TEMP_02_request_and_reply(self, transport, version):
        service = self.name("/queue/")
        server = self.client().subscribe(service)
        for prefix in ("/temp-queue/", "/temp-topic/"):
            client = self.client(transport, version)
            for i in range(3):
                client.send(stomp("SEND", "destination:" + service, "reply-to:" + prefix + "answers",
                                  "correlation-id:%d" % i, body=b"ping"))
                request = server.read_message()
                self.assertRegex(request["reply-to"], "^/reply-queue/[0-9A-Za-z_-]{20,}$")
                server.publish(request["reply-to"], b"pong", "correlation-id:" + request["correlation-id"])
                answer = client.read_message()
                self.assertEqual((answer["subscription"], answer.body, answer["correlation-id"]),
                                 (prefix + "answers", b"pong", str(i)))

    @over_versions
    def test_P_TEMP_01_the_same_name_elsewhere_is_another(self, transport, version):
        one = self.client(transport, version).subscribe("/temp-queue/mine")
        two = self.client(transport, version).subscribe("/temp-queue/mine")
        one.publish("/temp-queue/mine", b"1")
        self.assertEqual(one.read_message().body, b"1")
        self.assert_silent(two)

    @over_transports
    def test_P_TEMP_03_an_explicit_subscribe_replaces_the_implicit_one(self, transport):
        service = self.name("/queue/")
        server = self.client().subscribe(service)
        client = self.client(transport)
        client.send(stomp("SEND", "destination:" + service, "reply-to:/temp-queue/r", body=b"1"))
        reply_to = server.read_message()["reply-to"]
        client.subscribe("/temp-queue/r", id="mine")
        server.publish(reply_to, b"answer")
        self.assertEqual(client.read_message()["subscription"], "mine")
        self.assert_silent(client)

    @over_transports
    def test_P_TEMP_04_unknown_tokens_are_discarded(self, transport):
        peer = self.client(transport)
        peer.publish("/reply-queue/" + "0" * 32, b"x").publish("/reply-queue/guess", b"x")
        service = self.name("/queue/")
        server = self.client().subscribe(service)
        gone = self.client(transport)
        gone.send(stomp("SEND", "destination:" + service, "reply-to:/temp-queue/r"))
        reply_to = server.read_message()["reply-to"]
        gone.ask("DISCONNECT")
        gone.close()
        server.publish(reply_to, b"too late")

    @over_transports
    def test_P_TEMP_05_reply_addresses_cannot_be_subscribed_to(self, transport):
        peer = self.client(transport)
        peer.send(stomp("SUBSCRIBE", "id:1", "destination:/reply-queue/x"))
        self.assert_refused(peer, "access-denied")

    @over_transports
    def test_P_TEMP_06_ids_that_name_temporary_destinations(self, transport):
        peer = self.client(transport).subscribe("/temp-queue/a", id="/temp-queue/a")
        peer.send(stomp("SUBSCRIBE", "id:/temp-queue/b", "destination:/topic/a"))
        self.assert_refused(peer, "bad-header")

    @over_transports
    def test_P_LIM_01_temporary_destinations(self, transport):
        peer = self.client(transport)
        for i in range(16):
            peer.subscribe("/temp-queue/%d" % i, id=str(i))
        peer.send(stomp("SUBSCRIBE", "id:x", "destination:/temp-topic/x"))
        self.assert_refused(peer, "limit-queues")


class Limits(SessionCase):
    """P-LIM-01: each just below and just above."""

    @over_transports
    def test_P_LIM_01_header_line_4_KiB(self, transport):
        peer = self.client(transport)
        topic = self.name()
        peer.publish(topic, b"x", "k:" + "v" * 4094)
        peer.send(stomp("SEND", "destination:" + topic, "k:" + "v" * 4095))
        self.assert_refused(peer, "header-too-large")

    @over_transports
    def test_P_LIM_02_refused_as_soon_as_it_is_crossed(self, transport):
        peer = self.client(transport)
        peer.send(b"SEND\nk:" + b"v" * 4096)
        self.assert_refused(peer, "header-too-large")

    @over_transports
    def test_P_LIM_01_header_line_before_connected_8_KiB(self, transport):
        peer = self.peer(transport)
        peer.connect("1.2", "token:" + "v" * (8192 - 6))
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", "token:" + "v" * (8192 - 5)))
        self.assert_refused(peer, "header-too-large")

    @over_transports
    def test_P_LIM_01_64_headers(self, transport):
        peer = self.client(transport)
        lines = ["k%d:v" % i for i in range(62)]
        peer.publish(self.name(), b"x", *lines[:-1])  # With destination, content-length and receipt.
        peer.send(stomp("SEND", "destination:" + self.name(), *lines, "content-length:0", "one:more"))
        self.assert_refused(peer, "header-too-large")

    @over_transports
    def test_P_LIM_01_16_KiB_of_headers(self, transport):
        topic = self.name()
        fixed = len("destination:" + topic) + len("receipt:r")
        filler = ["k%d:" % i + "v" * 4000 for i in range(4)]
        room = 16384 - fixed - sum(map(len, filler))
        peer = self.client(transport)
        peer.ask("SEND", "destination:" + topic, *filler, "l:" + "v" * (room - 2))
        peer.send(stomp("SEND", "destination:" + topic, *filler, "l:" + "v" * (room - 1), "receipt:r"))
        self.assert_refused(peer, "header-too-large")

    @over_transports
    def test_P_LIM_01_frame_1_MiB(self, transport):
        topic = self.name()
        peer = self.client(transport).subscribe(topic)
        head = stomp("SEND", "destination:" + topic, "content-length:1000000", end=b"")
        body = b"x" * (1048576 - len(head) - 1)
        head = stomp("SEND", "destination:" + topic, "content-length:%d" % len(body), end=b"")
        body = body[:1048576 - len(head) - 1]
        head = stomp("SEND", "destination:" + topic, "content-length:%d" % len(body), end=b"")
        self.assertEqual(len(head) + len(body) + 1, 1048576)
        peer.send(head + body + b"\0")
        self.assertEqual(len(peer.read_message().body), len(body))
        peer.send(stomp("SEND", "destination:" + topic, "content-length:%d" % (len(body) + 1), end=b""))
        self.assert_refused(peer, "frame-too-large")

    @over_transports
    def test_P_LIM_02_a_body_without_length_that_never_ends(self, transport):
        peer = self.client(transport)
        peer.send(stomp("SEND", "destination:/topic/a", body=b"x" * 1048600, end=b""))
        self.assert_refused(peer, "frame-too-large")

    @over_transports
    def test_P_LIM_01_16_KiB_before_connected(self, transport):
        peer = self.peer(transport)
        lines = ["k%d:" % i + "v" * 8000 for i in range(2)]
        peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
        self.assertEqual(peer.read_frame().command, "CONNECTED")
        peer = self.peer(transport)
        for part in (stomp("CONNECT", *lines, end=b""), b"x" * 300, b"y" * 500):
            peer.send(part)
        self.assertIn(peer.read_end()[-1]["message"], ("frame-too-large", "header-too-large"))

    @over_transports
    def test_P_LIM_01_before_connected_accumulated_over_messages(self, transport):
        peer = self.peer(transport)
        for _ in range(20):
            peer.send(b"\n" * 1000)
        frames = peer.read_end()
        if transport == "ws" and not frames:
            self.assertEqual(peer.close_code, 1009)
        else:
            self.assertEqual(frames[-1]["message"], "frame-too-large")

    @over_transports
    def test_P_LIM_01_1000_subscriptions_100_wildcards(self, transport):
        base = self.name()
        peer = self.client(transport)
        for i in range(100):
            peer.send(stomp("SUBSCRIBE", "id:w%d" % i, "destination:%s.%d.*" % (base, i)))
        self.assert_lives(peer)
        peer.send(stomp("SUBSCRIBE", "id:w", "destination:%s.*" % base))
        self.assert_refused(peer, "limit-subscriptions")
        peer = self.client(transport)
        for i in range(1000):
            peer.send(stomp("SUBSCRIBE", "id:%d" % i, "destination:%s.%d" % (base, i)))
        self.assert_lives(peer)
        peer.send(stomp("SUBSCRIBE", "id:x", "destination:" + base))
        self.assert_refused(peer, "limit-subscriptions")


class QueueLimits(SessionCase):
    config = {"limits": {"queue_messages": 10}}

    @over_transports
    def test_P_SEND_08_a_full_queue(self, transport):
        name = self.name("/queue/")
        peer = self.client(transport)
        for _ in range(10):
            peer.publish(name, b"x")
        peer.send(send_to(name, b"x", "receipt:full"))
        self.assert_refused(peer, "queue-full", receipt_id="full")
        reader = self.client(transport).subscribe(name)
        reader.read_frames(10)

    @over_transports
    def test_P_TX_04_a_commit_that_cannot_be_applied_applies_nothing(self, transport):
        name, topic = self.name("/queue/"), self.name()
        reader = self.client().subscribe(topic)
        peer = self.client(transport)
        peer.publish(name, b"first")
        peer.ask("BEGIN", "transaction:t")
        peer.publish(topic, b"x", "transaction:t")
        for _ in range(10):
            peer.publish(name, b"x", "transaction:t")
        peer.send(stomp("COMMIT", "transaction:t", "receipt:r"))
        self.assert_refused(peer, "queue-full", receipt_id="r")
        self.assert_silent(reader)
        consumer = self.client().subscribe(name)
        self.assertEqual(consumer.read_message().body, b"first")
        self.assert_silent(consumer)


class UnusedQueues(SessionCase):
    config = {"limits": {"queues": 5, "unused_destination_life": "200ms"}}

    @over_transports
    def test_P_DEST_10_unused_queues_make_room(self, transport):
        keeper = self.client(transport)

        def is_full():
            peer = self.client(transport)
            peer.send(stomp("SUBSCRIBE", "id:0", "destination:" + self.name("/queue/"), "receipt:r"))
            frame = peer.read_frame()
            peer.close()
            return frame.command == "ERROR" and frame["message"] == "limit-queues"
        self.assertTrue(until(is_full))
        self.assertTrue(until(lambda: not is_full()))
        self.assert_lives(keeper)


if __name__ == "__main__":
    unittest.main()
