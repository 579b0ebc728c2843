"""The admin API's calls about destinations (O-10): lists, one of them, browsing, publishing, queues, moving, definitions."""
import json
import urllib.error
import urllib.parse
import urllib.request

from support.broker import until, wait_time
from support.case import BrokerCase, each
from test_admin import token_of

LIST = "/api/v1/destinations"


def quoted(name):
    return urllib.parse.quote(name, safe="")


class Calls:
    """Calls with the admin token; answers are (status, JSON or None)."""

    def call(self, method, path, body=None, **headers):
        host, port = self.broker.address("admin")
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request("http://%s:%d%s" % (host, port, path), data, method=method)
        request.add_header("Authorization", "Bearer " + token_of(self.broker))
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=wait_time(20)) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                problem = json.loads(error.read())
                self.assertEqual(problem["status"], error.code)
                self.assertRegex(problem["detail"], r"^\S.*\.$")
                return error.code, problem

    def get(self, path):
        status, answer = self.call("GET", path)
        self.assertEqual(status, 200, answer)
        return answer

    def one(self, name):
        return self.get(LIST + "/" + quoted(name))

    def listed(self, query=""):
        return [item["name"] for item in self.get(LIST + query)["items"]]


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
        self.assertFalse(queue["durable"])
        peer.subscribe("/queue/shown", "ack:client-individual", "prefetch-count:2", id="s1")
        first = peer.read_message()
        peer.read_message()
        queue = self.one("shown")
        self.assertEqual((queue["depth"], queue["unacked"], queue["delivered"], queue["acked"]), (1, 2, 2, 0))
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

    @each(["%00", "%2Fqueue%2F", "%2Ftopic%2F*", "%2Fqueue%2F" + "x" * 2000, "%2Ftemp-queue%2Fx", "%2Fnothing%20here"])
    def test_O_10_what_is_not_there_is_refused(self, name):
        self.assertIn(self.call("GET", LIST + "/" + name)[0], (400, 404))
