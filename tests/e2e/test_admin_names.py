"""Hostile names in the admin API (O-10): of destinations, users, durable subscriptions, connections, and in raw paths.

Each name is listed as one that the broker's grammar allows, and then is data everywhere, or as one that it refuses,
and then is refused everywhere with a sentence, and nothing is made or changed.
"""
import http.client
import json
import shutil
import unittest

from support.auth import Place, token
from support.broker import Broker, until, wait_time
from support.case import BrokerCase, OwnBrokerCase, each
from support.openapi import LIST, PUBLISH, QUEUES, Calls, segment as quoted

GOOD = {
    "slash": "a/b", "percent": "a%2Fb", "twice": "a%252Fb", "four_octets": "\U0001f600\U0010fffd", "separator": "a\u2028b",
    "right_to_left": "\u202etxt.exe", "byte_order": "\ufeff", "quotes": "\"'\\`", "markup": "<script>alert(1)</script>",
    "query": "a&b=c%00#?;x", "braces": "{name}${x}", "colons": "a:b\\c:", "blank": " ", "plus_inside": "a+b",
    "longest": "x" * 248,
}
BAD = {
    "nul": "a\0b", "start": "\x01", "escape": "\x1b[31m", "line_end": "a\nb", "return": "a\rb", "tab": "\t", "delete": "\x7f",
    "next_line": "a\u0085b", "dots": "..", "dot": ".", "outside": "../../etc/passwd", "dots_inside": "a/../b",
    "empty_level": "a//b", "ends_open": "a/", "ends_with_dot": "a.", "too_many_levels": "/".join("x" * 17), "star": "*",
    "hash": "a.#", "plus": "+", "rest": "a/>", "one_too_long": "x" * 249, "kilobytes": "x" * 4000,
}
NO_UTF8 = {"octet": "%ff", "overlong_slash": "%c0%af", "surrogate": "%ed%a0%80", "beyond": "%f5%80%80%80", "cut": "a%f0%9f"}
BAD_ESCAPES = {"letters": "%zz", "cut": "%2", "alone": "%", "inside": "a%2gb"}
LONG = "x" * 10240


def named(prefix, name):
    """(method, path, body) of each call that has this destination as a parameter."""
    one = quoted(prefix + name) if prefix else name
    return [("GET", LIST + "/" + one, None), ("GET", QUEUES + one + "/messages", None), ("PUT", QUEUES + one, None),
            ("POST", QUEUES + one + "/purge", None), ("POST", QUEUES + one + "/move", {"to": "/queue/target"}),
            ("DELETE", QUEUES + one, None)]


def escaped(text):
    """As a header's value in 1.2."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(":", "\\c")


class Destinations(Calls, BrokerCase):
    threads = 2

    def setUp(self):
        self.before = self.listed("?limit=1000")

    def assert_nothing_was_made(self):
        self.assertEqual(self.listed("?limit=1000"), self.before)

    def assert_refused_by(self, calls, status, reason):
        for method, path, body in calls:
            with self.subTest(method=method, path=path[:100], body=str(body)[:100]):
                found, problem = self.call(method, path, body)
                self.assertEqual((found, problem.get("reason")), (status, reason), problem)
                self.assertTrue(problem["detail"].isprintable(), problem)
        self.assert_nothing_was_made()

    @each({key: (name,) for key, name in GOOD.items()})
    def test_O_10_P_DEST_03_an_allowed_queue_is_data(self, name):
        queue, target = "/queue/" + name, "/queue/target." + type(self).__name__
        path = QUEUES + quoted(queue)
        self.assertEqual([self.call("PUT", path)[0] for _ in range(2)], [201, 204])
        messages = [{"destination": queue, "body": body, "headers": {"is": name}} for body in "123"]
        status, answer = self.call("POST", PUBLISH, {"messages": messages})
        self.assertEqual((status, answer["results"]), (200, [{"destination": queue, "status": "accepted"}] * 3))
        one = self.one(queue)
        self.assertEqual((one["name"], one["type"], one["depth"]), (queue, "queue", 3))
        self.assertEqual(self.listed("?type=queue&match=" + quoted(name)), [queue])
        page = self.get(path + "/messages")["items"]
        self.assertEqual([message["body"] for message in page], ["1", "2", "3"])
        self.assertIn(["destination", queue], page[0]["headers"])
        self.assertIn(["is", name], page[0]["headers"])
        for source, there in ((queue, target), (target, queue)):
            self.assertEqual(self.call("POST", QUEUES + quoted(source) + "/move", {"to": there}),
                             (200, {"messages": 3, "is_complete": True}))
        with self.client() as peer:
            peer.subscribe(escaped(queue))
            frames = [peer.read_message() for _ in range(3)]
        self.assertEqual([(frame.body, frame["destination"], frame["is"]) for frame in frames],
                         [(body, queue, name) for body in (b"1", b"2", b"3")])
        self.assertTrue(until(lambda: self.one(queue)["consumers"] == 0))
        self.call("POST", PUBLISH, {"destination": queue, "body": "4"})
        self.assertEqual(self.call("POST", path + "/purge"), (200, {"messages": 1, "is_complete": True}))
        self.assertEqual([self.call("DELETE", path)[0] for _ in range(2)], [204, 404])
        self.assertEqual(self.call("GET", LIST + "/" + quoted(queue))[0], 404)
        self.assertEqual(self.call("DELETE", QUEUES + quoted(target))[0], 204)
        self.assert_nothing_was_made()

    @each({key: (name,) for key, name in GOOD.items()})
    def test_O_10_P_DEST_03_an_allowed_topic_is_data(self, name):
        topic = "/topic/" + name
        peer = self.client()
        peer.subscribe(escaped(topic), id=escaped(name[:128]))
        answer = self.call("POST", PUBLISH, {"destination": topic, "body": "x"})[1]
        self.assertEqual(answer["results"], [{"destination": topic, "status": "accepted", "subscribers": 1}])
        self.assertEqual(peer.read_message()["destination"], topic)
        self.assertEqual(self.one(topic)["consumer_list"][0]["subscription"], name[:128])
        page = self.get("/api/v1/subscriptions?destination=" + quoted(topic))
        self.assertEqual([(item["id"], item["destination"]) for item in page["items"]], [(name[:128], topic)])

    @each({key: (name,) for key, name in BAD.items()})
    def test_O_10_P_DEST_03_another_is_refused_by_every_call(self, name):
        self.assert_refused_by(named("/queue/", name), 400, "bad-destination")
        for prefix in ("/queue/", "/topic/"):
            for body in ({"destination": prefix + name, "body": "x"},
                         {"messages": [{"destination": "/queue/good"}, {"destination": prefix + name}]}):
                self.assert_refused_by([("POST", PUBLISH, body)], 400, "bad-destination")
        queues = [{"name": "/queue/good", "arguments": {}}, {"name": "/queue/" + name, "arguments": {}}]
        self.assert_refused_by([("POST", "/api/v1/definitions", {"version": 1, "queues": queues})], 400, "bad-destination")

    @each({key: (name,) for key, name in {**BAD, "reserved": "$SYS.connect"}.items()})
    def test_O_10_a_move_to_it_leaves_every_message(self, name):
        for body in "123":
            self.call("POST", PUBLISH, {"destination": "/queue/stays", "body": body})
        for prefix in ("/queue/", "/topic/"):
            status, problem = self.call("POST", QUEUES + "stays/move", {"to": prefix + name})
            self.assertEqual(status, 403 if name.startswith("$") else 400, problem)
        page = self.get(QUEUES + "stays/messages")["items"]
        self.assertEqual([(message["body"], message["state"]) for message in page], [(body, "waiting") for body in "123"])
        self.assertEqual(self.call("DELETE", QUEUES + "stays")[0], 204)
        self.assert_nothing_was_made()

    @each({key: (text,) for key, text in NO_UTF8.items()})
    def test_O_10_octets_that_are_no_utf8_name_nothing(self, text):
        self.assert_refused_by(named("", text), 400, "bad-destination")
        for query in ("match=" + text, "type=queue&match=" + text):
            self.assertEqual(self.get(LIST + "?" + query)["items"], [])

    @each({key: (text,) for key, text in {**BAD_ESCAPES, "unescaped_slash": "/queue/a", "empty": ""}.items()})
    def test_O_10_another_path_is_no_call(self, text):
        self.assert_refused_by([call for call in named("", text)], 404, None)

    @each({key: (text,) for key, text in BAD_ESCAPES.items()})
    def test_O_10_another_query_is_refused(self, text):
        for path in (LIST + "?match=", "/api/v1/connections?user=", "/api/v1/subscriptions?destination=",
                     "/api/v1/scheduled?destination=", "/api/v1/logs?after="):
            self.assertEqual(self.call("GET", path + text)[0], 400, path)

    @each([r'{"destination":"/queue/\ud800","body":""}', '{"destination":"/queue/\udcff","body":""}',
           r'{"destination":"/queue/a","headers":{"\udc00":""}}', r'{"messages":[{"destination":"/queue/\uD83D"}]}'])
    def test_O_10_json_that_is_no_unicode_is_refused(self, text):
        body = text.encode("utf-8", "surrogateescape")
        self.assert_refused_by([("POST", PUBLISH, body)], 400, None)

    def test_O_10_ten_kilobytes_are_too_many(self):
        for prefix in ("/queue/", "/topic/", ""):
            self.assert_refused_by(named(prefix, LONG), 431, None)
            self.assert_refused_by([("POST", PUBLISH, {"destination": prefix + LONG})], 413, "header-too-large")
        self.assert_refused_by([("GET", "/api/v1/connections/" + LONG, None), ("GET", LIST + "?match=" + LONG, None),
                                ("DELETE", "/api/v1/users/" + LONG + "/connections", None)], 431, None)
        self.call("PUT", QUEUES + "stays")
        self.assertEqual(self.call("POST", QUEUES + "stays/move", {"to": "/queue/" + LONG})[1]["reason"], "bad-destination")
        self.assertEqual(self.call("DELETE", QUEUES + "stays")[0], 204)

    def test_O_10_paths_are_not_normalised(self):
        """Sent octet by octet, since clients of HTTP would tidy them up."""
        for path in ("/api/v1/destinations/..", "/api/v1/x/../overview", "/api/v1//overview", "/api/v1/overview/",
                     "//api/v1/overview", "/api/v1/overview%2F", "/api%2Fv1%2Foverview", "/API/v1/overview",
                     "/api/v1/overview/../../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/\\..\\etc\\passwd"):
            with self.subTest(path=path):
                connection = http.client.HTTPConnection(*self.broker.address("admin"), timeout=wait_time(10))
                self.addCleanup(connection.close)
                connection.request("GET", path, headers={"Authorization": "Bearer " + self.broker.admin_token()})
                answer = connection.getresponse()
                problem = json.loads(answer.read())
                expected = 400 if path == "/api/v1/destinations/.." else 404
                self.assertEqual((answer.status, problem["status"]), (expected, expected), problem)


class People(Calls, OwnBrokerCase):
    """Users by token, so that nothing but the broker's own grammar keeps a name out."""

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder, ignore_errors=True)
        cls.broker = Broker(cls.place.config([{"who": ["authenticated"], "allow": ["subscribe", "create"],
                                               "on": ["/topic/#"]}]), threads=2)
        cls.addClassCleanup(cls.broker.kill)

    def logged_in(self, name, client="c"):
        return self.client("tcp", "1.2", "passcode:" + token(sub=name), "client-id:" + client)

    def durable(self):
        return self.listed("?type=durable")

    USERS = {"percent": "a%2Fb", "dollar": "$SYS", "four_octets": "\U0001f600", "separator": "a\u2028b", "quotes": "\"'\\`",
             "braces": "{name}", "longest": "x" * 127}

    @each({key: (name,) for key, name in USERS.items()})
    def test_O_10_exactly_that_user_is_sent_away(self, name):
        peer, others = self.logged_in(name), [self.logged_in(other) for other in (name + "x", quoted(name) + "y")]
        found = self.get("/api/v1/connections?user=" + quoted(name))["items"]
        self.assertEqual([(item["id"], item["user"]) for item in found], [(peer.connected["session"], name)])
        self.assertEqual(self.call("DELETE", "/api/v1/users/%s/connections" % quoted(name)), (200, {"connections": 1}))
        self.assert_refused(peer, "kicked")
        for other in others:
            self.assert_lives(other)

    @each({key: (name,) for key, name in USERS.items()})
    def test_O_10_P_DUR_04_exactly_that_durable_subscription_is_deleted(self, name):
        for client, subscription in ((name, name), (name, "other"), ("other", name)):
            with self.logged_in(name, client) as peer:
                peer.subscribe("/topic/d", "durable:true", "activemq.subscriptionName:" + escaped(subscription))
        names = ["/durable/" + "/".join(map(quoted, parts)) for parts in ((name,) * 3, (name, name, "other"),
                                                                        (name, "other", name))]
        self.assertEqual(sorted(self.durable()), sorted(names))
        self.assertEqual(self.get(QUEUES + quoted(names[0]) + "/messages")["items"], [])
        for parts in (("x", name, name), (name, "x", name), (name, name, "x"), (name, "-", name)):
            path = "/api/v1/durable-subscriptions/" + "/".join(map(quoted, parts))
            self.assertEqual(self.call("DELETE", path)[0], 404, parts)
        self.assertEqual(sorted(self.durable()), sorted(names))
        for gone in names:
            self.assertEqual(self.call("DELETE", gone.replace("/durable/", "/api/v1/durable-subscriptions/"))[0], 204)
            self.assertNotIn(gone, self.durable())
        self.assertEqual(self.durable(), [])

    def test_O_10_P_DUR_04_of_those_of_one_name_the_one_that_is_meant_is_deleted(self):
        path = "/api/v1/durable-subscriptions/u/c/d"
        made = [{"user": "u", "client": "c", "name": "d", "destination": "/topic/" + topic, "kind": kind}
                for topic, kind in (("a", "name"), ("a", "id"), ("b", "id"))]
        self.assertEqual(self.call("POST", "/api/v1/definitions", {"version": 1, "durable_subscriptions": made})[0], 200)
        left = lambda: sorted((item["destination"], item["kind"])
                              for item in self.get("/api/v1/definitions")["durable_subscriptions"])
        for query in ("", "?kind=id", "?destination=/topic/a"):
            status, problem = self.call("DELETE", path + query)
            self.assertEqual(status, 409, query)
            self.assertIn("kind=id&destination=/topic/a", problem["detail"])
        self.assertEqual(self.call("DELETE", path + "?kind=other")[0], 400)
        self.assertEqual(self.call("DELETE", path + "?destination=/topic/c")[0], 404)
        self.assertEqual(len(left()), 3)
        self.assertEqual(self.call("DELETE", path + "?kind=id&destination=/topic/a")[0], 204)
        self.assertEqual(left(), [("/topic/a", "name"), ("/topic/b", "id")])
        self.assertEqual(self.call("DELETE", path + "?kind=name")[0], 204)
        self.assertEqual(self.call("DELETE", path)[0], 204)
        self.assertEqual(left(), [])

    def test_O_10_P_DUR_04_a_dash_is_no_client_id_or_that_one(self):
        path = "/api/v1/durable-subscriptions/u/-/d"
        named = [{"user": "u", "client": client, "name": "d", "destination": "/topic/d"} for client in ("-", "")]
        self.assertEqual(self.call("POST", "/api/v1/definitions", {"version": 1, "durable_subscriptions": named})[0], 200)
        left = lambda: [item["client"] for item in self.get("/api/v1/definitions")["durable_subscriptions"]]
        self.assertEqual(sorted(left()), ["", "-"])
        self.assertEqual(self.call("DELETE", path)[0], 204)
        self.assertEqual(left(), ["-"])
        self.assertEqual(self.call("DELETE", path)[0], 204)
        self.assertEqual(left(), [])
        self.assertEqual(self.call("DELETE", path)[0], 404)

    @each({key: (name,) for key, name in {**GOOD, **BAD, "unknown": "0" * 32}.items()})
    def test_O_10_nobody_has_that_name(self, name):
        peer = self.logged_in("bystander")
        one = quoted(name)
        for method, path in (("GET", "connections/%s"), ("DELETE", "connections/%s"), ("GET", "connections/%s/trace"),
                             ("DELETE", "durable-subscriptions/%s/c/n"), ("DELETE", "durable-subscriptions/bystander/c/%s"),
                             ("DELETE", "scheduled/%s")):
            self.assertEqual(self.call(method, "/api/v1/" + path % one)[0], 404, path)
        self.assertEqual(self.call("DELETE", "/api/v1/users/%s/connections" % one), (200, {"connections": 0}))
        for query in ("user=" + one, "listener=" + one):
            self.assertEqual(self.get("/api/v1/connections?" + query)["items"], [])
        self.assert_lives(peer)


if __name__ == "__main__":
    unittest.main()
