"""The admin API's calls about destinations (O-10): lists, browsing, publishing, definitions."""
import base64
import unittest

from support.broker import Broker, until
from support.case import BrokerCase, OwnBrokerCase, each
from support.openapi import LIST, PUBLISH, QUEUES, Api, Calls, covers, segment as quoted

load_tests = covers(
    "GET /api/v1/destinations", "GET /api/v1/destinations/{name}", "GET /api/v1/queues/{name}/messages",
    "POST /api/v1/publish", "GET /api/v1/definitions", "POST /api/v1/definitions")


class Lists(Calls, BrokerCase):
    threads = 2

    def test_O_10_queues_of_all_shards_sorted_and_cut_into_pages(self):
        peer = self.client()
        for i in range(30):
            for _ in range(i % 7):
                peer.publish("/queue/sorted.%02d" % i, b"12345")
        peer.publish("/queue/sorted.00", b"x")
        names = ["/queue/sorted.%02d" % i for i in range(30) if i % 7 or i == 0]
        self.assertEqual(self.listed("?match=SORTED&order=asc&limit=1000"), names)
        self.assertEqual(self.listed("?match=SORTED&limit=1000"), names[::-1])
        pages, cursor = [], ""
        while cursor is not None:
            page = self.get(LIST + "?match=sorted&sort=depth&limit=7" + cursor)
            self.assertEqual(page["total"], len(names))
            pages += [(item["name"], item["depth"]) for item in page["items"]]
            cursor = "&cursor=" + page["next"] if "next" in page else None
        depths = {name: int(name[-2:]) % 7 or 1 for name in names}
        self.assertEqual(pages, sorted(depths.items(), key=lambda item: (-item[1], item[0])))
        self.assertEqual(len({item["shard"] for item in self.get(LIST + "?match=sorted")["items"]}), 2)

    def test_O_10_one_queue_with_its_consumers_and_settings(self):
        peer = self.client()
        for body in (b"one", b"two", b"three"):
            peer.publish("/queue/shown", body)
        queue = self.one("/queue/shown")
        self.assertEqual((queue["type"], queue["depth"], queue["unacked"], queue["published"], queue["consumers"]),
                         ("queue", 3, 0, 3, 0))
        self.assertGreater(queue["bytes"], 11)
        self.assertEqual((queue["memory_bytes"], queue["disk_bytes"]), (queue["bytes"], 0))
        self.assertFalse(queue["durable"])
        peer.subscribe("/queue/shown", "ack:client-individual", "prefetch-count:2", id="s1")
        first = peer.read_message()
        peer.read_message()
        queue = self.one("shown")
        self.assertEqual((queue["depth"], queue["unacked"], queue["delivered"], queue["acked"]), (1, 2, 2, 0))
        self.assertGreater(queue["memory_bytes"], 2 * queue["bytes"])
        consumer, = queue["consumer_list"]
        self.assertEqual((consumer["subscription"], consumer["unacked"]), ("s1", 2))
        self.assertEqual(queue["settings"]["overflow"], "reject")
        self.assertEqual(queue["settings"]["max_messages"], "1000000")
        peer.ask("ACK", "id:" + first["ack"])
        self.assertTrue(until(lambda: self.one("/queue/shown")["acked"] == 1))

    def test_O_10_topics_count_subscribers_of_all_shards(self):
        for name in ("a", "b", "c"):
            self.client().subscribe("/topic/counted.x", id=name)
        self.client().subscribe("/topic/counted.*", id="w")
        for _ in range(5):
            self.client().publish("/topic/counted.x", b"x")
        topic = self.one("/topic/counted.x")
        self.assertEqual((topic["type"], topic["consumers"], topic["published"], topic["delivered"], topic["depth"]),
                         ("topic", 4, 5, 20, 0))
        self.assertEqual(sorted(c["subscription"] for c in topic["consumer_list"]), ["a", "b", "c", "w"])
        self.assertEqual(topic["settings"]["slow_consumer"], "disconnect")
        self.assertEqual(self.listed("?type=topic&match=counted&sort=delivered_rate"), ["/topic/counted.x"])
        self.assertEqual(self.listed("?type=queue&match=counted"), [])

    def test_O_10_rates_are_known_while_somebody_asks(self):
        peer = self.client()
        self.assertEqual(self.listed("?match=rated"), [])

        def is_rated():
            peer.publish("/queue/rated", b"x")
            return self.one("/queue/rated")["published_rate"] > 0
        self.assertTrue(until(is_rated))

    def test_O_10_the_oldest_message_has_an_age(self):
        peer = self.client()
        peer.publish("/queue/aging", b"x")
        self.assertTrue(until(lambda: self.one("/queue/aging")["oldest_age_ms"] > 50))
        self.assertEqual(self.listed("?match=aging&sort=oldest_age_ms"), ["/queue/aging"])
        peer.subscribe("/queue/aging")
        peer.read_message()
        self.assertTrue(until(lambda: self.one("/queue/aging")["oldest_age_ms"] == 0))

    def test_O_10_hostile_names_are_json(self):
        peer = self.client()
        for name in ('/queue/"\'', "/queue/{}[]", "/queue/\u2028\u00e4\U0001f600", "/queue/</script>"):
            peer.publish(name, b"x")
            self.assertEqual(self.one(name)["name"], name)
            self.assertIn(name, self.listed("?limit=1000"))

    @each(["limit=0", "limit=1001", "sort=what", "order=up", "type=what", "cursor=x", "cursor=o1&cursor=o2", "page=1",
           "match=%ff%zz"])
    def test_O_10_a_wrong_query_is_refused(self, query):
        self.assertEqual(self.call("GET", LIST + "?" + query)[0], 400)

    @each({"nul": ("%00", 400), "no_name": ("%2Fqueue%2F", 400), "wildcard": ("%2Ftopic%2F*", 400),
           "long": ("%2Fqueue%2F" + "x" * 2000, 400), "temporary": ("%2Ftemp-queue%2Fx", 404),
           "no_prefix": ("%2Fnothing%20here", 400), "unused": ("%2Fqueue%2Fnobody", 404)})
    def test_O_10_what_is_not_there_is_refused(self, name, status):
        self.assertEqual(self.call("GET", LIST + "/" + name)[0], status)


class Browsing(Calls, BrokerCase):
    threads = 2

    def pages(self, name, limit):
        """All pages of a queue's messages."""
        pages, cursor = [], ""
        while cursor is not None:
            page = self.get(QUEUES + quoted(name) + "/messages?limit=%d%s" % (limit, cursor))
            pages.append(page["items"])
            cursor = "&cursor=" + page["next"] if "next" in page else None
        return pages

    def all(self, name):
        return [message for page in self.pages(name, 7) for message in page]

    def test_O_10_messages_are_looked_at_and_stay(self):
        peer = self.client()
        for i in range(20):
            peer.publish("/queue/browsed", b"%d" % i, "colour:blue\\cgrey")
        pages = self.pages("/queue/browsed", 7)
        self.assertEqual([message["body"] for page in pages for message in page], [str(i) for i in range(20)])
        message = pages[0][0]
        self.assertIn(["colour", "blue:grey"], message["headers"])
        self.assertIn(["destination", "/queue/browsed"], message["headers"])
        self.assertEqual((message["state"], message["size"], message["is_cut"], message["deliveries"],
                          message["redelivered"]), ("waiting", 1, False, 0, False))
        self.assertEqual(self.one("/queue/browsed")["depth"], 20)

    def test_O_10_what_consumers_hold_comes_first(self):
        peer = self.client()
        for i in range(9):
            peer.publish("/queue/held", b"%d" % i)
        holder = self.client()
        holder.subscribe("/queue/held", "ack:client-individual", "prefetch-count:3", id="h")
        for _ in range(3):
            holder.read_message()
        self.assertTrue(until(lambda: [(m["body"], m["state"], m["deliveries"]) for m in self.all("/queue/held")] == [
            (str(i), "unacked" if i < 3 else "waiting", 1 if i < 3 else 0) for i in range(9)]))

    def test_O_10_hostile_bodies_are_json_and_long_ones_are_cut(self):
        peer = self.client()
        bodies = [b"\x00\xff\xfe", b'"\\\x00\x1f', "\u2028\U0001f600".encode(), b"", b"a" * 70000, b"\xff" * 70000,
                  b"a" * 65535 + "\u00e4".encode() + b"b"]
        for body in bodies:
            peer.publish("/queue/hostile", body)
        found = self.all("/queue/hostile")
        self.assertEqual([message["size"] for message in found], [len(body) for body in bodies])
        self.assertEqual([message["is_cut"] for message in found], [len(body) > 65536 for body in bodies])
        self.assertEqual(base64.b64decode(found[0]["body_base64"]), bodies[0])
        self.assertEqual([message["body"].encode() for message in found[1:4]], bodies[1:4])
        self.assertEqual(base64.b64decode(found[5]["body_base64"]), b"\xff" * 65536)
        self.assertEqual(found[6]["body"], "a" * 65535)

    @each(["limit=0", "limit=101", "cursor=x", "cursor=w1", "cursor=w1.", "cursor=x1.1", "cursor=u1.1x", "from=1"])
    def test_O_10_a_wrong_query_is_refused(self, query):
        self.client().publish("/queue/refusing", b"x")
        self.assertEqual(self.call("GET", QUEUES + "refusing/messages?" + query)[0], 400)

    def test_O_10_only_queues_have_messages(self):
        self.assertEqual(self.call("GET", QUEUES + "nothing/messages")[0], 404)
        self.assertEqual(self.call("GET", QUEUES + "%2Ftopic%2Fa/messages")[0], 400)


class Publishing(Calls, BrokerCase):
    threads = 2
    config = {"limits": {"frame": "100KiB"}, "policy": [{"match": "/queue/small", "max_messages": 2}]}

    def publish(self, body, key=None):
        return self.call("POST", PUBLISH, body, **({"Idempotency_Key": key} if key else {}))

    def test_O_10_one_message_arrives_as_if_a_client_had_sent_it(self):
        peer = self.client()
        peer.subscribe("/queue/api")
        answer = self.publish({"destination": "/queue/api", "body": "hello", "durable": False,
                               "headers": {"content-type": "text/plain", "a:b": "c\nd"}})
        self.assertEqual(answer, (200, {"messages": 1, "results": [{"destination": "/queue/api",
                                                                    "status": "accepted"}]}))
        message = peer.read_message()
        self.assertEqual((message.body, message["content-type"], message["persistent"], message["a:b"],
                          message["destination"]), (b"hello", "text/plain", "false", "c\nd", "/queue/api"))
        self.publish({"destination": "/queue/api", "body_base64": base64.b64encode(b"\0\xff").decode()})
        self.assertEqual(peer.read_message().body, b"\0\xff")

    def test_O_10_subscribers_of_topics_are_told(self):
        peers = [self.client() for _ in range(3)]
        for peer in peers:
            peer.subscribe("/topic/told")
        answer = self.publish({"messages": [{"destination": "/topic/told", "body": str(i)} for i in range(3)] +
                                           [{"destination": "/topic/nobody"}]})[1]
        self.assertEqual([result["subscribers"] for result in answer["results"]], [3, 3, 3, 0])
        for peer in peers:
            self.assertEqual([peer.read_message().body for _ in range(3)], [b"0", b"1", b"2"])

    def test_O_10_a_queue_of_nobodys_connection_is_not_made(self):
        message = {"destination": "/queue/exclusive", "headers": {"exclusive": "true"}, "body": "x"}
        status, problem = self.call("POST", "/api/v1/publish", message)
        self.assertEqual((status, problem["reason"]), (400, "bad-header"))
        self.assertEqual(self.listed("?match=/queue/exclusive"), [])

    def test_S_RATE_04_above_the_memory_alarm_nothing_is_published(self):
        broker = Broker({"limits": {"memory": "16MiB", "memory_alarm_1": "25%", "memory_alarm_2": "90%"}})
        self.addCleanup(broker.kill)
        api, message = Api(broker), {"destination": "/queue/full", "body": "x" * 500_000}
        def is_refused():
            answer = api.call("POST", "/api/v1/publish", message)
            return answer.status == 503 and answer.json["reason"] == "overload"
        self.assertTrue(until(is_refused))
        self.assertTrue(broker.wait_for(lambda: broker.event("memory-alarm")))
        alarm, = api.call("GET", "/api/v1/overview").json["alarms"]
        self.assertEqual(alarm["text"], broker.event("memory-alarm")["msg"])
        self.assertEqual(api.call("POST", "/api/v1/queues/full/purge").status, 200)
        self.assertTrue(until(lambda: api.call("POST", "/api/v1/publish", message).status == 200))

    def test_O_10_P_QOS_06_the_same_key_publishes_once(self):
        for _ in range(3):
            self.assertEqual(self.publish({"destination": "/queue/once", "body": "x"}, "key-1")[0], 200)
        self.assertEqual(self.one("/queue/once")["depth"], 1)
        self.publish({"destination": "/queue/once", "body": "x"}, "key-2")
        self.publish({"destination": "/queue/once", "body": "x"})
        self.assertEqual(self.one("/queue/once")["depth"], 3)
        many = {"messages": [{"destination": "/queue/many", "body": str(i)} for i in range(10)]}
        for _ in range(2):
            self.assertEqual(self.publish(many, "key-3")[0], 200)
        self.assertEqual(self.one("/queue/many")["depth"], 10)

    def test_O_10_many_are_taken_together_or_not_at_all(self):
        many = {"messages": [{"destination": "/queue/other"}] + [{"destination": "/queue/small"}] * 3}
        status, problem = self.publish(many)
        self.assertEqual((status, problem["reason"]), (409, "queue-full"))
        self.assertNotIn("COMMIT", problem["detail"])
        many["messages"][3]["headers"] = {"expires": "never"}
        self.assertEqual(self.publish(many)[0], 400)
        for name in ("/queue/other", "/queue/small"):
            self.assertEqual((self.one(name)["depth"], self.one(name)["bytes"]), (0, 0))

    def test_O_10_a_refused_message_changes_nothing(self):
        for body in ("1", "2"):
            self.assertEqual(self.publish({"destination": "/queue/small", "body": body})[0], 200)
        before = self.one("/queue/small")
        wrong = [({"body": "3"}, 409), ({"body": "3", "headers": {"expires": "never"}}, 400),
                 ({"body": "x" * 400000}, 413), ({"body": "3", "what": 1}, 400)]
        for message, status in wrong:
            for key in (None, "key-4"):
                self.assertEqual(self.publish({"destination": "/queue/small", **message}, key)[0], status)
        after = self.one("/queue/small")
        self.assertEqual({name: after[name] for name in ("depth", "bytes", "unacked", "published")},
                         {name: before[name] for name in ("depth", "bytes", "unacked", "published")})
        peer = self.client()
        peer.subscribe("/queue/small")
        self.assertEqual([peer.read_message().body for _ in range(2)], [b"1", b"2"])
        self.assert_silent(peer)
        self.assertEqual(self.publish({"destination": "/queue/small", "body": "3"}, "key-4")[0], 200)
        self.assertEqual(peer.read_message().body, b"3")

    @each({
        "no_object": [], "nothing": {}, "no_destination": {"body": "x"}, "no_text": {"destination": 1},
        "unknown": {"destination": "/queue/a", "what": 1},
        "both": {"destination": "/queue/a", "body": "", "body_base64": ""},
        "no_base64": {"destination": "/queue/a", "body_base64": "a"},
        "loose_base64": {"destination": "/queue/a", "body_base64": "QR=="},
        "no_headers": {"destination": "/queue/a", "headers": []},
        "no_text_header": {"destination": "/queue/a", "headers": {"a": 1}},
        "nul": {"destination": "/queue/a", "headers": {"a": "b\0\0"}},
        "no_name": {"destination": "/queue/a", "headers": {"": "b"}},
        "receipt": {"destination": "/queue/a", "headers": {"receipt": "1"}},
        "transaction": {"destination": "/queue/a", "headers": {"transaction": "1"}},
        "nul_destination": {"destination": "/queue/a\0"}, "temporary": {"destination": "/temp-queue/a"},
        "private_reply": {"destination": "/queue/a", "headers": {"reply-to": "/temp-queue/a"}},
        "wildcard": {"destination": "/topic/*"}, "none": {"messages": []},
        "too_many": {"messages": [{"destination": "/queue/a"}] * 1001},
        "mixed": {"messages": [], "destination": "/queue/a"},
        "cron": {"destination": "/queue/a", "headers": {"AMQ_SCHEDULED_CRON": "* * * * *"}},
    })
    def test_O_10_what_is_wrong_is_refused(self, *body):
        self.assertEqual(self.publish(*body if body else ([],))[0], 400)
        self.assertEqual(self.call("GET", LIST + "/a")[0], 404)

    def test_O_10_refusals_carry_their_token(self):
        for message, status, reason in (
                ({"destination": "/topic/$SYS.connect"}, 403, "access-denied"),
                ({"destination": "/queue/a", "body": "x" * 103000}, 413, "frame-too-large"),
                ({"destination": "/queue/a", "body": "x" * 400000}, 413, "frame-too-large"),
                ({"destination": "/what"}, 400, "bad-destination"),
                ({"destination": "/queue/a", "headers": {"x-delay": "x"}}, 400, "bad-header")):
            answer = self.publish(message)
            self.assertEqual((answer[0], answer[1].get("reason")), (status, reason), message["destination"])
        self.assertEqual(self.call("POST", PUBLISH, b"{")[0], 400)


class Definitions(Calls, OwnBrokerCase):
    PATH = "/api/v1/definitions"

    def start(self, **config):
        self.broker = Broker(config, threads=2)
        self.addCleanup(self.broker.kill)

    def made(self):
        with self.client("tcp", "1.2", "client-id:c1") as peer:
            peer.subscribe("/topic/a.*", "durable:true", "activemq.subscriptionName:s1", "selector:x > 1", id="1")
        self.call("PUT", QUEUES + "one", {"arguments": {"x-max-length": "5", "x-overflow": "reject-publish"}})
        self.call("PUT", QUEUES + "two")
        self.call("POST", PUBLISH, {"destination": "/queue/undeclared"})
        return self.get(self.PATH)

    def test_O_10_what_is_exported_here_is_imported_there(self):
        self.start()
        exported = self.made()
        self.assertEqual(exported["queues"], [
            {"name": "/queue/one", "arguments": {"x-max-length": "5", "x-overflow": "reject-publish"}},
            {"name": "/queue/two", "arguments": {"durable": "true"}}])
        durable, = exported["durable_subscriptions"]
        self.assertEqual((durable["client"], durable["name"], durable["destination"], durable["selector"],
                          durable["kind"]), ("c1", "s1", "/topic/a.*", "x > 1", "name"))
        self.assertEqual(self.call("POST", self.PATH, exported)[1],
                         {"queues": 0, "durable_subscriptions": 0, "unchanged": 3, "is_dry_run": False})
        self.broker.kill()
        self.start()
        counts = {"queues": 2, "durable_subscriptions": 1, "unchanged": 0}
        self.assertEqual(self.call("POST", self.PATH + "?dry_run=true", exported)[1], {**counts, "is_dry_run": True})
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.call("POST", self.PATH, exported)[1], {**counts, "is_dry_run": False})
        self.assertEqual(self.get(self.PATH), exported)
        self.call("POST", PUBLISH, {"destination": "/topic/a.b", "headers": {"x": "2"}})
        self.call("POST", PUBLISH, {"destination": "/topic/a.b", "headers": {"x": "1"}})
        self.assertEqual([item["depth"] for item in self.get(LIST + "?type=durable")["items"]], [1])

    def test_O_10_all_is_imported_or_nothing(self):
        self.start(limits={"queues": 4})
        self.call("PUT", QUEUES + "there", {"arguments": {"x-max-length": "5"}})
        new = {"name": "new", "arguments": {}}
        for wrong, status in (({"name": "there", "arguments": {"x-max-length": "6"}}, 409),
                              ({"name": "bad", "arguments": {"x-max-length": "x"}}, 400),
                              ({"name": "/topic/a", "arguments": {}}, 400), ({"name": "x", "what": 1}, 400)):
            self.assertEqual(self.call("POST", self.PATH, {"version": 1, "queues": [new, wrong]})[0], status)
        many = {"version": 1, "queues": [{"name": "many%d" % i, "arguments": {}} for i in range(20)]}
        self.assertEqual(self.call("POST", self.PATH, many)[1]["reason"], "limit-queues")
        self.assertEqual(self.listed("?type=queue"), ["/queue/there"])

    def test_O_10_a_wrong_definition_is_refused(self):
        self.start()
        good = {"user": "u", "client": "c", "name": "n", "destination": "/topic/a", "selector": ""}
        for wrong in ([], {}, {"version": 2}, {"version": 1, "what": 1}, {"version": 1, "queues": {}},
                      {"version": 1, "durable_subscriptions": [{**good, "selector": "a ="}]},
                      {"version": 1, "durable_subscriptions": [{**good, "destination": "/queue/a"}]},
                      {"version": 1, "durable_subscriptions": [{**good, "user": ""}]},
                      {"version": 1, "durable_subscriptions": [{**good, "kind": "what"}]},
                      {"version": 1, "durable_subscriptions": [{**good, "name": "x" * 200}]}):
            self.assertEqual(self.call("POST", self.PATH, wrong)[0], 400, wrong)


if __name__ == "__main__":
    unittest.main()
