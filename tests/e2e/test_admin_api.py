"""The admin API about the broker and its connections; every answer is held against openapi.json (O-10)."""
import glob
import importlib
import json
import os
import resource
import tempfile
import unittest

from support.broker import Broker, until
from support.case import TRANSPORTS, BrokerCase, OwnBrokerCase, each, over_transports, stomp
from support.openapi import DOCUMENT, METHODS, Api, Disagreement, Document, covers, segment
from support.pages import PageCase, add_tests

OPERATIONS = (
    "GET /api/v1/openapi.json", "GET /api/v1/overview", "GET /api/v1/history", "GET /api/v1/connections",
    "GET /api/v1/connections/{id}", "DELETE /api/v1/connections/{id}", "DELETE /api/v1/users/{name}/connections",
    "GET /api/v1/subscriptions", "GET /api/v1/policies", "GET /api/v1/config", "POST /api/v1/reload",
    "POST /api/v1/drain", "GET /api/v1/log-levels", "PUT /api/v1/log-levels", "GET /api/v1/logs")
load_tests = covers(*OPERATIONS)

HOSTILE = {  # A text, and whether it may be the name of a topic.
    "quotes": ("\"'\\`", True), "markup": ("<script>alert(1)</script>", True), "line_ends": ("a\nb\r\nc", False),
    "long": ("x" * 128, True), "blanks": (" \t ", False), "unicode": ("\u00e4\u2028\U0001f600", True),
    "query": ("a&b=c%00%2F#?", True), "braces": ("{id}${x}", True), "path": ("../../etc/passwd", False),
    "control": ("\x01\x1b[31m\x7f", False),
}


def escaped(text):
    """As a header's value in 1.2."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(":", "\\c")


class ApiCase(BrokerCase):
    threads = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = Api(cls.broker)

    def of(self, peer):
        return self.api.get("/api/v1/connections/" + peer.connected["session"])


class WholeBroker(ApiCase):
    config = {"policy": [{"match": "/queue/low", "max_messages": 10}, {"match": "/queue/high", "priority": 9}]}

    def test_O_10_the_document_is_the_one_of_the_sources(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            self.assertEqual(self.api.get("/api/v1/openapi.json"), json.load(file))

    def test_O_10_the_overview_counts(self):
        self.assertTrue(until(lambda: self.api.get("/api/v1/overview")["connections"] == 0))
        before = self.api.get("/api/v1/overview")
        peer = self.client().subscribe("/queue/overview", "ack:client")
        other = self.client("ws")
        for i in range(3):
            other.publish("/queue/overview", b"%d" % i)
        peer.read_message()
        after = self.api.get("/api/v1/overview")
        for name, more in {"connections": 2, "subscriptions": 1, "queues": 1, "queue_unacked": 3}.items():
            self.assertEqual(after[name] - before[name], more, name)
        self.assertEqual((after["state"], after["durability"]), ("serving", "memory"))
        self.assertEqual(len(after["shards"]), 2)
        self.assertEqual(sum(shard["connections"] for shard in after["shards"]),
                         after["connections"] + after["connections_unauthenticated"])
        kinds = {listener["kind"]: listener for listener in after["listeners"]}
        self.assertEqual(kinds["tcp"]["url"], self.broker.ports["tcp"])
        self.assertEqual(kinds["web_socket"]["url"], self.broker.ports["ws"])
        self.assertGreaterEqual(kinds["web_socket"]["connections"], 1)
        self.assertEqual(after["alarms"], [])
        self.assertTrue(until(lambda: self.api.get("/api/v1/overview")["totals"]["published"]
                              - before["totals"]["published"] == 3))

    def test_O_10_history_has_a_sample_a_second_the_oldest_first(self):
        self.assertTrue(until(lambda: len(self.api.get("/api/v1/history")["items"]) >= 2))
        times = [sample["at"] for sample in self.api.get("/api/v1/history")["items"]]
        self.assertEqual(times, sorted(set(times)))

    def test_O_10_policies_come_in_the_order_in_which_they_are_asked(self):
        items = self.api.get("/api/v1/policies")["items"]
        self.assertEqual([policy["match"] for policy in items], ["/queue/high", "/queue/low"])
        self.assertEqual(items[1]["settings"]["max_messages"], "10")
        self.assertRegex(items[1]["origin"], r"stampede\.toml:\d+$")

    def test_O_10_the_configuration_says_where_each_value_comes_from(self):
        items = {item["key"]: item for item in self.api.get("/api/v1/config")["items"]}
        self.assertEqual(items["limits.subscriptions"]["origin"], "default")
        self.assertRegex(items["policy[0].match"]["origin"], r"stampede\.toml:\d+$")
        self.assertEqual(items["log.format"]["origin"], "STAMPEDE_LOG__FORMAT")

    def test_O_6_the_level_of_the_log_is_changed_at_run_time(self):
        self.assertEqual(self.api.get("/api/v1/log-levels"), {"level": "info"})
        self.addCleanup(self.api.put, "/api/v1/log-levels", {"level": "info"})
        self.api.put("/api/v1/log-levels", {"level": "debug"})
        self.assertEqual(self.api.get("/api/v1/log-levels"), {"level": "debug"})
        self.client().close()
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("ended")))
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("log-level", to="debug")))

    @each([b"", b"{", b"[]", b"null", b'"debug"', b'{"level":1}', b'{"level":"loud"}', b'{"level":"info","more":1}',
           b'{"level":"info"}x', b"[" * 100])
    def test_O_10_another_body_changes_no_level(self, body):
        answer = self.api.call("PUT", "/api/v1/log-levels", body)
        self.assertEqual(answer.status, 400)
        self.assertGreater(len(answer.detail.split()), 3)
        self.assertEqual(self.api.get("/api/v1/log-levels"), {"level": "info"})

    def test_O_6_the_newest_lines_are_there_as_records(self):
        peer = self.client()
        session = peer.connected["session"]

        def lines():
            return [line for line in self.api.get("/api/v1/logs", limit=1000)["items"]
                    if line["fields"].get("conn") == session]
        self.assertTrue(until(lines))
        line, = lines()
        self.assertEqual((line["event"], line["level"], line["fields"]["remote"]), ("auth-ok", "info", "127.0.0.1"))
        record = self.broker.event("auth-ok", conn=session)
        self.assertEqual((line["at"], line["message"]), (record["ts"], record["msg"]))
        newer = self.api.get("/api/v1/logs", after=line["at"], limit=1000)["items"]
        self.assertTrue(all(other["at"] > line["at"] for other in newer), newer)
        self.assertEqual(len(self.api.get("/api/v1/logs", limit=1)["items"]), 1)

    def test_O_6_no_more_than_a_thousand_lines_are_kept(self):
        for _ in range(1100):
            self.api.put("/api/v1/log-levels", {"level": "info"})
        items = self.api.get("/api/v1/logs", limit=1000)["items"]
        self.assertEqual(len(items), 1000)
        self.assertEqual([line["at"] for line in items], sorted(line["at"] for line in items))
        first = self.api.get("/api/v1/logs", after=items[499]["at"], limit=10)["items"]
        self.assertEqual(first, items[500:510])

    @each(["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z\"", "%"])
    def test_O_10_a_wrong_time_is_refused(self, after):
        self.assertEqual(self.api.call("GET", "/api/v1/logs?after=" + after).status, 400)


class Lists(ApiCase):
    def test_O_10_one_connection_with_all_that_is_known(self):
        peer = self.peer("ws").connect("1.1", "login:guest", "passcode:guest", "client-id:mine", "heart-beat:0,7000")
        peer.subscribe("/topic/one", "selector:a = 1", "ack:client", "prefetch-count:7", id="s")
        peer.publish("/topic/one", b"x", "a:1").publish("/topic/one", b"xyz", "a:2")
        connection = self.of(peer)
        expected = {
            "user": "guest", "client_id": "mine", "address": "127.0.0.1", "port": peer.sock.getsockname()[1],
            "transport": "web_socket", "tls": False, "version": "1.1", "state": "connected", "subscriptions": 1,
            "heartbeat_receive_ms": 0, "messages_in": 2, "messages_out": 1, "unacked": 1,
            "paused": "no", "voucher": "nobody", "transactions_open": 0}
        self.assertEqual({name: connection[name] for name in expected}, expected)
        self.assertIn(connection["heartbeat_send_ms"], (7000, 10000))
        self.assertGreaterEqual(peer.received, connection["bytes_out"])
        self.assertGreater(connection["bytes_in"], 100)
        subscription, = connection["subscription_list"]
        expected = {"connection": connection["id"], "user": "guest", "id": "s", "destination": "/topic/one",
                    "ack": "client", "selector": "a = 1", "durable": "", "prefetch": 7, "delivered": 1, "unacked": 1,
                    "dropped": 0, "lag": 0}
        self.assertEqual({name: subscription[name] for name in expected}, expected)

    def test_O_10_a_lag_is_what_waits_in_the_durable_backlog(self):
        peer = self.peer().connect("1.2", "client-id:lagging")
        peer.subscribe("/topic/lag", "durable:true", "ack:client", "prefetch-count:1", id="d")
        for i in range(5):
            peer.publish("/topic/lag", b"%d" % i)
        self.assertTrue(until(lambda: self.of(peer)["subscription_list"][0]["lag"] == 4), self.of(peer))
        page = self.api.get("/api/v1/subscriptions", sort="lag", limit=1)
        self.assertEqual((page["items"][0]["lag"], page["items"][0]["connection"]), (4, peer.connected["session"]))

    def test_O_10_a_wrong_query_is_refused_with_a_sentence(self):
        for path in ("connections", "subscriptions"):
            for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "cursor=x", "cursor=o-1", "cursor=o1x",
                          "cursor=o99999999", "sort=name", "order=up", "what=1", "match=%zz", "match=%", "limit=1&limit=2"):
                with self.subTest(path=path, query=query):
                    answer = self.api.call("GET", "/api/v1/%s?%s" % (path, query))
                    self.assertEqual(answer.status, 400)
                    self.assertRegex(answer.detail, r"^[A-Za-z].{20,}\.$")

    def test_O_10_matches_users_and_listeners_filter(self):
        guest = self.peer().connect("1.2", "login:guest", "passcode:guest", "client-id:Filtered-42")
        ws = self.client("ws")
        mine = {guest.connected["session"], ws.connected["session"]}

        def found(**query):
            return mine & {item["id"] for item in self.api.pages("/api/v1/connections", **query)[1]}
        self.assertEqual(found(user="guest"), {guest.connected["session"]})
        self.assertEqual(found(user="gues"), set())
        self.assertEqual(found(match="fILTERED"), {guest.connected["session"]})
        self.assertEqual(found(match=ws.connected["session"][:12]), {ws.connected["session"]})
        self.assertEqual(found(match="127.0.0"), mine)
        listener = self.of(ws)["listener"]
        self.assertEqual(found(listener=listener), {ws.connected["session"]})
        self.assertEqual(found(listener=listener[:-1]), set())

    @each(HOSTILE)
    def test_O_10_hostile_names_are_data(self, name, is_topic):
        client = escaped(name)  # CONNECT knows no escapes: this is it, literally.
        peer = self.peer("ws").connect("1.2", "client-id:" + client)
        destination = "/topic/" + (name if is_topic else "tame")
        peer.subscribe(escaped(destination), id=escaped(name))
        connection = self.of(peer)
        self.assertEqual(connection["client_id"], client)
        subscription, = connection["subscription_list"]
        self.assertEqual((subscription["id"], subscription["destination"]), (name, destination))
        page = self.api.get("/api/v1/subscriptions", destination=destination)
        self.assertIn(subscription, page["items"])
        page = self.api.get("/api/v1/connections", match=client)
        self.assertIn(connection["id"], [item["id"] for item in page["items"]])
        self.assertEqual(self.api.call("DELETE", "/api/v1/connections/" + segment(name)).status, 404)
        self.assertEqual(self.api.delete("/api/v1/users/%s/connections" % segment(name), status=200), {"connections": 0})
        self.assert_lives(peer)

    @each({key: (name,) for key, (name, is_topic) in HOSTILE.items() if not is_topic})
    def test_O_10_P_DEST_03_what_may_be_no_topic_is_refused(self, name):
        peer = self.client()
        peer.send(stomp("SUBSCRIBE", "id:1", "destination:/topic/" + escaped(name)))
        self.assert_refused(peer, "bad-destination")

    def test_O_10_rates_come_while_somebody_asks(self):
        peer = self.client()

        def has_rate():
            peer.publish("/topic/rate", b"x")
            page = self.api.get("/api/v1/connections", sort="messages_in_rate", limit=1)
            item = page["items"][0]
            return item["id"] == peer.connected["session"] and item["messages_in_rate"] > 0
        self.assertTrue(until(has_rate))


class LastErrors(ApiCase):
    def end(self, destination="/queue/", *lines, transport="tcp", token="bad-destination"):
        """A connection that ends by a SEND to `destination`: its id, and the sentence that it was told."""
        peer = self.client(transport, "1.2", *lines)
        peer.send(stomp("SEND", "destination:" + destination))
        error = self.assert_refused(peer, token)
        return peer.connected["session"], error.body.decode().splitlines()[0]

    def errors_of(self, *lines):
        return self.of(self.client("ws", "1.2", *lines))["last_errors"]

    @over_transports
    def test_O_10_the_next_connection_of_a_client_tells_what_ended_the_last(self, transport):
        line = "client-id:ended-" + transport
        ended, told = self.end("/sys/mine", line, transport=transport, token="access-denied")
        peer = self.client(transport, "1.2", line)
        error, = self.of(peer)["last_errors"]
        self.assertEqual({**error, "at": ""}, {
            "at": "", "reason": "access-denied", "message": told, "destination": error["destination"],
            "connection": ended})
        self.assertLessEqual(error["at"], self.of(peer)["connected_at"])
        self.assertEqual(self.errors_of("client-id:another"), [])
        self.assert_lives(peer)

    def test_O_10_the_newest_four_of_all_threads_are_told(self):
        line = "client-id:often"
        ended = [self.end("/queue/", line, transport=transport)[0] for transport in TRANSPORTS * 4]
        errors = self.errors_of(line)
        # Two of the same millisecond may change places.
        self.assertLess({error["connection"] for error in errors}, set(ended[2:]))
        self.assertEqual(len({error["connection"] for error in errors}), 4)
        self.assertEqual([error["at"] for error in errors], sorted((error["at"] for error in errors), reverse=True))

    def test_O_10_without_a_client_id_user_and_address_tell_clients_apart(self):
        guest, other = ("login:guest", "passcode:guest"), "client-id:no-guest"
        ended, _ = self.end("/queue/", *guest)
        self.assertIn(ended, [error["connection"] for error in self.errors_of(*guest)])
        self.assertNotIn(ended, [error["connection"] for error in self.errors_of()])
        self.assertEqual(self.errors_of(*guest, other), [])

    def test_O_10_while_it_is_closed_a_connection_has_its_own_error(self):
        peer = self.client("ws")
        self.api.delete("/api/v1/connections/" + peer.connected["session"], reason="maintenance")
        connection = self.of(peer)  # Its client has not answered the close frame.
        self.assertEqual(connection["state"], "closing")
        self.assertEqual(connection["last_errors"][0], {
            "at": connection["last_errors"][0]["at"], "reason": "kicked", "destination": "",
            "message": "An operator has closed this connection: maintenance", "connection": connection["id"]})

    def test_O_10_who_asks_for_a_connection_that_was_refused_is_told_why(self):
        ended, told = self.end()
        path = "/api/v1/connections/" + ended
        self.assertTrue(until(lambda: self.api.call("GET", path).status == 404))
        answer = self.api.call("GET", path)
        self.assertIn(told, answer.detail)
        self.assertEqual(answer.json["reason"], "bad-destination")

    @over_transports
    def test_O_10_who_leaves_or_may_not_log_in_is_no_error(self, transport):
        line = "client-id:good-" + transport
        peer = self.client(transport, "1.2", line)
        peer.ask("DISCONNECT")
        peer.close()
        stranger = self.peer(transport)
        stranger.send(stomp("CONNECT", "accept-version:1.2", "host:x", "login:guest", "passcode:wrong", line))
        self.assert_refused(stranger, "auth-failed")
        self.assertEqual(self.errors_of(line), [])
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("auth-failed")))
        for ended in (peer.connected["session"], self.broker.event("auth-failed")["conn"]):
            path = "/api/v1/connections/" + ended
            self.assertTrue(until(lambda: self.api.call("GET", path).status == 404))
            self.assertNotIn("reason", self.api.call("GET", path).json)

    @each({**{key: (name,) for key, (name, _) in HOSTILE.items()}, "very_long": "\u00e4" * 200})
    def test_O_10_S_LOG_01_hostile_destinations_are_short_data(self, name):
        line = "client-id:hostile-%d" % len(name)
        peer = self.client("tcp", "1.2", line)
        peer.send(stomp("SEND", "destination:" + escaped("/sys/" + name)))
        told = peer.read_end()[-1].body.decode().split("\n")[0]
        error = self.errors_of(line)[0]
        self.assertEqual(error["connection"], peer.connected["session"])
        self.assertTrue(told.startswith(error["message"]), error)
        for text in (error["message"], error["destination"]):
            self.assertLessEqual(len(text.encode()), 256)
            self.assertEqual([c for c in text if c < " " or c == "\x7f"], [])


class ManyConnections(OwnBrokerCase):
    count = 3000

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < self.count + 500:
            self.skipTest("the limit of descriptors is too low")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, self.count + 500), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.broker = Broker({}, threads=2)
        self.addCleanup(self.broker.kill)
        self.api = Api(self.broker)

    def test_O_10_pages_have_every_connection_once_and_the_same_total(self):
        for i in range(self.count):
            peer = self.client()
            if i % 3 == 0:
                peer.subscribe("/topic/many%d" % (i % 7))
        for sort in ("connected_at", "user", "subscriptions"):
            for order in ("asc", "desc"):
                totals, items = self.api.pages("/api/v1/connections", sort=sort, order=order, limit=700)
                self.assertEqual(set(totals), {self.count})
                self.assertEqual(len({item["id"] for item in items}), self.count)
                keys = [item[sort] for item in items]
                self.assertEqual(keys, sorted(keys, reverse=order == "desc"))
        totals, items = self.api.pages("/api/v1/subscriptions", limit=300, order="asc")
        self.assertEqual((set(totals), len(items)), ({1000}, 1000))
        keys = [item["destination"] for item in items]
        self.assertEqual(keys, sorted(keys))
        last = self.api.get("/api/v1/connections", cursor="o%d" % self.count)
        self.assertEqual((last["total"], last["items"]), (self.count, []))


class SendingAway(ApiCase):
    @over_transports
    def test_O_10_the_client_is_told_why(self, transport):
        peer = self.client(transport)
        self.api.delete("/api/v1/connections/" + peer.connected["session"], reason="maintenance <b>\u00e4</b>")
        error = self.assert_refused(peer, "kicked")
        self.assertIn("maintenance <b>\u00e4</b>", error.body.decode())
        path = "/api/v1/connections/" + peer.connected["session"]
        self.assertTrue(until(lambda: self.api.call("GET", path).status == 404))
        self.assertTrue(self.broker.wait_for(
            lambda: self.broker.event("refused", conn=peer.connected["session"], reason="kicked")))

    @over_transports
    def test_O_10_without_a_reason(self, transport):
        peer = self.client(transport)
        self.api.delete("/api/v1/connections/" + peer.connected["session"])
        self.assertTrue(self.assert_refused(peer, "kicked").body.startswith(b"An operator has closed this connection."))

    def test_O_10_its_deliveries_go_back_to_the_queue(self):
        peer = self.client().subscribe("/queue/back", "ack:client")
        self.client().publish("/queue/back", b"again")
        peer.read_message()
        self.api.delete("/api/v1/connections/" + peer.connected["session"])
        self.assert_refused(peer, "kicked")
        message = self.client().subscribe("/queue/back").read_message()
        self.assertEqual((message.body, message["redelivered"]), (b"again", "true"))

    @over_transports
    def test_O_10_before_connect_it_is_just_closed(self, transport):
        peer = self.peer(transport)
        ids = {item["id"] for item in self.api.pages("/api/v1/connections")[1] if item["state"] == "connecting"}
        self.assertEqual(len(ids), 1)
        self.api.delete("/api/v1/connections/" + ids.pop())
        self.assert_refused(peer, "kicked")

    def test_O_10_all_of_a_user(self):
        guests = [self.peer(transport).connect("1.2", "login:guest", "passcode:guest")
                  for transport in ("tcp", "ws", "tcp", "ws")]
        other = self.client()
        answer = self.api.delete("/api/v1/users/guest/connections", status=200, reason="guests leave")
        self.assertEqual(answer, {"connections": 4})
        for guest in guests:
            self.assertIn(b"guests leave", self.assert_refused(guest, "kicked").body)
        self.assert_lives(other)
        self.assertEqual(self.api.delete("/api/v1/users/guest/connections", status=200), {"connections": 0})

    @each({"too_long": "x" * 101, "line_end": "a\nb", "nul": "a\0b", "no_utf8": "%ff"})
    def test_O_10_a_reason_that_cannot_be_told(self, reason):
        peer = self.client()
        query = "?reason=" + (reason if reason.startswith("%") else segment(reason))
        for path in ("connections/" + peer.connected["session"], "users/anonymous/connections"):
            self.assertEqual(self.api.call("DELETE", "/api/v1/" + path + query).status, 400)
        self.assert_lives(peer)

    @each(["unknown", "0" * 32, "x" * 1000, "%00", "%2e%2e"])
    def test_O_10_nobody_has_that_id(self, name):
        for method in ("GET", "DELETE"):
            answer = self.api.call(method, "/api/v1/connections/" + name)
            self.assertEqual(answer.status, 404)
            self.assertIn("ended", answer.detail)


class Scopes(OwnBrokerCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="e2e-admin-")
        self.addCleanup(folder.cleanup)
        name = os.path.join(folder.name, "token")
        with open(name, "w", encoding="ascii") as file:
            file.write("read %s\npublish %s\nadmin %s\n" % ("r" * 32, "p" * 32, "a" * 32))
        os.chmod(name, 0o600)
        self.broker = Broker({"admin": {"token_file": name}}, threads=2)
        self.addCleanup(self.broker.kill)
        self.api = Api(self.broker, token="a" * 32)

    def test_S_WEB_07_each_call_needs_its_scope(self):
        scopes = {"read": "r" * 32, "publish": "p" * 32, "admin": "a" * 32}
        for (method, path), operation in self.api.document.operations.items():
            if operation["x-scope"] == "none" or path.endswith(("drain", "reload")):
                continue
            needed = operation["x-scope"]
            for scope, token in scopes.items():
                with self.subTest(call=method + " " + path, scope=scope):
                    answer = self.api.call(method.upper(), path.replace("{", "").replace("}", ""), token=token)
                    is_allowed = scope in ("admin", needed)
                    self.assertEqual(answer.status != 403, is_allowed, answer)
            self.assertEqual(self.api.call(method.upper(), path, token="").status, 401)
        self.assertEqual(self.api.call("POST", "/api/v1/drain", token="r" * 32).status, 403)
        self.assertEqual(self.broker.stop(), 0)


class Reload(OwnBrokerCase):
    def setUp(self):
        limits = {"subscriptions": 5, "wildcard_subscriptions": 5}
        self.broker = Broker({"limits": limits, "policy": [{"match": "/queue/a"}]}, threads=2)
        self.addCleanup(self.broker.kill)
        self.api = Api(self.broker)
        self.file = os.path.join(self.broker.folder, "stampede.toml")

    def write(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def limit(self):
        items = {item["key"]: item["value"] for item in self.api.get("/api/v1/config")["items"]}
        return items["limits.subscriptions"]

    def test_O_2_what_sighup_does_and_its_errors(self):
        self.assertEqual(self.limit(), "5")
        self.write("[limits]\nsubscriptions = 7\nwildcard_subscriptions = 5\n")
        self.assertEqual(self.api.post("/api/v1/reload"), {"ok": True, "errors": [], "ignored": ["policy[0]"]})
        self.assertEqual(self.limit(), "7")
        self.write("[limits]\nsubscriptionz = 9\n")
        answer = self.api.post("/api/v1/reload")
        self.assertFalse(answer["ok"])
        self.assertRegex(answer["errors"][0], r"stampede\.toml:2.*subscriptions")
        self.assertEqual(self.limit(), "7")
        self.assertEqual([policy["match"] for policy in self.api.get("/api/v1/policies")["items"]], ["/queue/a"])
        self.assertEqual(self.broker.stop(), 0)


class Draining(OwnBrokerCase):
    def start(self):
        self.broker = Broker({"drain": {"pre_stop_delay": "3s", "spread": "1ms"}}, threads=2)
        self.addCleanup(self.broker.kill)
        return Api(self.broker)

    @over_transports
    def test_O_3_drain_ends_the_broker_as_sigterm_does(self, transport):
        api = self.start()
        peer = self.client(transport)
        self.assertEqual(api.call("POST", "/api/v1/drain").status, 202)
        overview = api.get("/api/v1/overview")
        self.assertEqual((overview["state"], [alarm["kind"] for alarm in overview["alarms"]]),
                         ("draining", ["draining"]))
        self.assertEqual(api.call("POST", "/api/v1/drain?lame_duck=true").status, 409)
        self.assertEqual(api.call("POST", "/api/v1/drain?lame_duck=yes").status, 400)
        if transport == "tcp":
            self.assert_refused(peer, "shutdown", seconds=20)
        else:
            self.assert_closed(peer, 1012, "shutdown", seconds=20)
        self.assertEqual(self.broker.wait(), 0)

    def test_O_3_lame_duck(self):
        api = self.start()
        self.assertEqual(api.call("POST", "/api/v1/drain?lame_duck=true").status, 202)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("draining")))


class Page(PageCase):
    """The examples of docs/admin_api.md."""


add_tests(Page, "admin_api.md")


class Agreement(ApiCase):
    """The document, the broker's table of calls, and the checker itself."""

    def test_O_10_what_is_described_is_there_and_nothing_else(self):
        document = self.api.document
        for path in document.document["paths"]:
            described = {method.upper() for method in document.methods_of(path)}
            with self.subTest(path=path):
                answer = self.api.call("TRACE", path.replace("{", "").replace("}", ""))
                self.assertEqual(answer.status, 405, answer)
                self.assertEqual(set(answer.headers["Allow"].split(", ")), described)

    def test_O_10_each_operation_has_a_module_of_tests(self):
        covered = {"GET /healthz", "GET /readyz", "GET /startupz", "GET /metrics", "GET /api/v1/scheduled",
                   "DELETE /api/v1/scheduled/{id}", "GET /api/v1/connections/{id}/trace"}
        for name in glob.glob(os.path.join(os.path.dirname(__file__), "test_admin*.py")):
            module = importlib.import_module(os.path.basename(name)[:-3])
            covered |= set(getattr(getattr(module, "load_tests", None), "operations", ()))
        described = {"%s %s" % (method.upper(), path) for method, path in self.api.document.operations}
        self.assertEqual(described, covered)

    @each({
        "status": ("GET", "/api/v1/connections", 204, None, b""),
        "content_type": ("GET", "/api/v1/connections", 200, "text/html", b"{}"),
        "missing_field": ("GET", "/api/v1/connections", 200, "application/json", b'{"items":[]}'),
        "unknown_field": ("GET", "/api/v1/connections", 200, "application/json", b'{"items":[],"total":0,"x":1}'),
        "wrong_type": ("GET", "/api/v1/connections", 200, "application/json", b'{"items":[],"total":"0"}'),
        "nested": ("GET", "/api/v1/policies", 200, "application/json", b'{"items":[{}]}'),
        "time": ("GET", "/api/v1/logs", 200, "application/json",
                 b'{"items":[{"at":"now","level":"","event":"","message":"","fields":{}}]}'),
        "body": ("DELETE", "/api/v1/connections/x", 204, "application/json", b"{}"),
        "problem": ("GET", "/api/v1/connections", 400, "application/problem+json", b'{"detail":"no"}'),
        "undescribed": ("GET", "/api/v1/secret", 200, "application/json", b"{}"),
    })
    def test_the_checker_refuses(self, *answer):
        with open(DOCUMENT, encoding="utf-8") as file, self.assertRaises(Disagreement):
            Document(json.load(file)).check(*answer)

    def test_the_checker_knows_all_methods_of_the_document(self):
        for methods in self.api.document.document["paths"].values():
            self.assertLessEqual(set(methods) - {"parameters"}, set(METHODS))


if __name__ == "__main__":
    unittest.main()
