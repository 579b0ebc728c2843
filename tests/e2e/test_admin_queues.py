"""The admin API's calls that change queues (O-10): declaring, deleting, purging, moving, also through a crash; and backups."""
import contextlib
import http.client
import os
import shutil
import tempfile
import threading
import unittest
import urllib.error

from support.broker import Broker, run_tool, until
from support.case import BrokerCase, OwnBrokerCase, each
from support.openapi import LIST, PUBLISH, QUEUES, Api, Calls, covers, segment as quoted

load_tests = covers(
    "PUT /api/v1/queues/{name}", "DELETE /api/v1/queues/{name}", "POST /api/v1/queues/{name}/purge",
    "POST /api/v1/queues/{name}/move", "DELETE /api/v1/durable-subscriptions/{user}/{client}/{name}",
    "POST /api/v1/backup")

BACKUP = "/api/v1/backup"


class Changing(Calls, BrokerCase):
    threads = 2
    config = {"policy": [{"match": "/queue/dying", "deliveries": 1}, {"match": "/queue/small", "max_messages": 3},
                         {"match": "/queue/tight", "deliveries": 1, "max_messages": 2},
                         {"match": "/queue/medium.*", "max_messages": 1500}]}

    def fill(self, name, count):
        messages = [{"destination": name, "body": str(i), "headers": {"n": str(i)}} for i in range(count)]
        for first in range(0, count, 500):
            self.assertEqual(self.call("POST", PUBLISH, {"messages": messages[first:first + 500]})[0], 200)

    def bodies(self, name):
        """Of all that waits there."""
        bodies, cursor = [], ""
        while cursor is not None:
            page = self.get(QUEUES + quoted(name) + "/messages?limit=100" + cursor)
            bodies += [message["body"] for message in page["items"] if message["state"] == "waiting"]
            cursor = "&cursor=" + page["next"] if "next" in page else None
        return bodies

    def move(self, name, **order):
        return self.call("POST", QUEUES + quoted(name) + "/move", order)

    def test_O_10_P_SUB_14_declared_with_arguments(self):
        arguments = {"arguments": {"x-max-length": "5", "x-message-ttl": "60000", "durable": "true"}}
        self.assertEqual(self.call("PUT", QUEUES + "declared", arguments)[0], 201)
        self.assertEqual(self.call("PUT", QUEUES + "declared", arguments)[0], 204)
        self.assertEqual(self.call("PUT", QUEUES + "declared")[0], 204)
        status, problem = self.call("PUT", QUEUES + "declared", {"arguments": {"x-max-length": "6"}})
        self.assertEqual((status, problem["reason"]), (409, "bad-header"))
        settings = self.one("declared")["settings"]
        self.assertEqual((settings["max_messages"], settings["message_ttl"], settings["overflow"]),
                         ("5", "60000ms", "drop-head"))
        self.assertEqual(self.call("PUT", QUEUES + "plain")[0], 201)
        self.assertEqual(self.one("plain")["depth"], 0)

    @each({"unknown": {"arguments": {"what": "1"}}, "no_text": {"arguments": {"x-max-length": 1}},
           "no_number": {"arguments": {"x-max-length": "x"}}, "exclusive": {"arguments": {"exclusive": "true"}},
           "member": {"argument": {}}, "stream": {"arguments": {"x-queue-type": "stream"}}})
    def test_O_10_a_wrong_declaration_is_refused(self, *body):
        self.assertEqual(self.call("PUT", QUEUES + "wrong", *body)[0], 400)
        self.assertEqual(self.call("GET", LIST + "/wrong")[0], 404)

    def test_O_10_deleted_if_empty_if_unused(self):
        self.fill("/queue/gone", 2)
        peer = self.client()
        peer.subscribe("/queue/gone", "ack:client", id="1")
        peer.read_message()
        self.assertEqual(self.call("DELETE", QUEUES + "gone?if_empty=true")[0], 409)
        self.assertEqual(self.call("DELETE", QUEUES + "gone?if_unused=true")[0], 409)
        self.assertEqual(self.call("DELETE", QUEUES + "gone?if_unused=yes")[0], 400)
        self.assertEqual(self.call("DELETE", QUEUES + "gone")[0], 204)
        self.assertEqual(self.call("DELETE", QUEUES + "gone")[0], 404)
        self.assertEqual(self.call("GET", LIST + "/gone")[0], 404)

    def test_O_10_purged_but_for_what_consumers_hold(self):
        self.fill("/queue/purged", 30)
        peer = self.client()
        peer.subscribe("/queue/purged", "ack:client-individual", "prefetch-count:5", id="1")
        held = [peer.read_message() for _ in range(5)]
        self.assertEqual(self.call("POST", QUEUES + "purged/purge"), (200, {"messages": 25, "is_complete": True}))
        queue = self.one("purged")
        self.assertEqual((queue["depth"], queue["unacked"], queue["bytes"]), (0, 5, 0))
        for message in held:
            peer.ask("ACK", "id:" + message["ack"])
        self.assertTrue(until(lambda: self.one("purged")["unacked"] == 0))
        self.assertEqual(self.call("POST", QUEUES + "purged/purge"), (200, {"messages": 0, "is_complete": True}))
        self.assertEqual(self.call("POST", QUEUES + "nothing/purge")[0], 404)

    def test_O_10_moved_in_order_by_filter_and_limit(self):
        for number in range(4):  # To homes on both shards.
            source, target = "/queue/from%d" % number, "/queue/to%d" % number
            self.fill(source, 20)
            self.assertEqual(self.move(source, to=target, filter="n >= 10"),
                             (200, {"messages": 10, "is_complete": True}))
            self.assertEqual(self.bodies(target), [str(i) for i in range(10, 20)])
            self.assertEqual(self.move(source, to=target, limit=3)[1]["messages"], 3)
            self.assertEqual(self.bodies(source), [str(i) for i in range(3, 10)])
            self.assertEqual(self.move(source, to=target)[1]["messages"], 7)
            self.assertEqual((self.one(source)["depth"], self.one(source)["bytes"]), (0, 0))
            message = self.get(QUEUES + quoted(target) + "/messages")["items"][0]
            self.assertEqual([h for h in message["headers"] if h[0] == "destination"], [["destination", target]])

    def test_O_10_a_full_target_takes_nothing_and_nothing_is_lost(self):
        self.fill("/queue/overfull", 10)
        status, problem = self.move("/queue/overfull", to="/queue/small")
        self.assertEqual((status, problem["reason"]), (409, "queue-full"))
        self.assertEqual(self.bodies("/queue/overfull"), [str(i) for i in range(10)])
        self.assertEqual(self.bodies("/queue/small"), [])
        peer = self.client()
        peer.subscribe("/queue/overfull")
        self.assertEqual([peer.read_message().body for _ in range(10)], [b"%d" % i for i in range(10)])

    @each({"%d" % number: number for number in range(4)})  # Targets on both shards.
    def test_O_10_a_target_that_becomes_full_has_whole_batches_and_the_source_the_rest(self, number):
        source, target = "/queue/long%d" % number, "/queue/medium.%d" % number
        self.fill(source, 2500)
        self.fill(target, 100)
        moved, answers = 0, []
        while not answers or answers[-1][0] == 200:
            answers.append(self.move(source, to=target))
            if answers[-1][0] == 200:
                self.assertFalse(answers[-1][1]["is_complete"])
                moved += answers[-1][1]["messages"]
        self.assertEqual((answers[-1][0], answers[-1][1]["reason"]), (409, "queue-full"))
        self.assertTrue(0 < moved <= 1400, answers)
        everything = [str(i) for i in range(2500)]
        self.assertEqual(self.bodies(target), [str(i) for i in range(100)] + everything[:moved])
        self.assertEqual(self.bodies(source), everything[moved:])
        self.assertEqual((self.one(source)["depth"], self.one(target)["depth"]), (2500 - moved, 100 + moved))

    def test_O_10_what_consumers_hold_is_not_moved(self):
        self.fill("/queue/partly", 10)
        peer = self.client()
        peer.subscribe("/queue/partly", "ack:client-individual", "prefetch-count:3", id="1")
        held = [peer.read_message() for _ in range(3)]
        self.assertEqual(self.move("/queue/partly", to="/queue/parted"), (200, {"messages": 7, "is_complete": True}))
        self.assertEqual(self.bodies("/queue/parted"), [str(i) for i in range(3, 10)])
        self.assertEqual([self.one("/queue/partly")[key] for key in ("depth", "unacked")], [0, 3])
        for message in held:
            peer.ask("ACK", "id:" + message["ack"])
        self.assertTrue(until(lambda: self.one("/queue/partly")["unacked"] == 0))
        self.assertEqual(self.bodies("/queue/partly"), [])

    def test_O_10_a_filter_that_nothing_meets_moves_nothing(self):
        self.fill("/queue/filtered", 5)
        self.assertEqual(self.move("/queue/filtered", to="/queue/a", filter="n > 4"),
                         (200, {"messages": 0, "is_complete": True}))
        self.assertEqual(self.bodies("/queue/filtered"), list("01234"))

    def test_O_10_a_queue_that_is_not_there_is_not_made_by_an_order(self):
        for call, order in (("purge", None), ("move", {"to": "/queue/there"}), ("move", {"redrive": True})):
            self.assertEqual(self.call("POST", QUEUES + "never/" + call, order)[0], 404)
        for name in ("never", "there"):
            self.assertEqual(self.call("GET", LIST + "/" + name)[0], 404)

    def test_O_10_dead_letters_stay_when_their_queue_is_full(self):
        self.fill("/queue/tight", 2)
        peer = self.client()
        peer.subscribe("/queue/tight", "ack:client-individual", id="1")
        for message in [peer.read_message() for _ in range(2)]:
            peer.ask("NACK", "id:" + message["ack"])
        peer.close()
        self.assertTrue(until(lambda: self.one("/queue/DLQ.tight")["depth"] == 2))
        for body in ("x", "y"):
            self.assertEqual(self.call("POST", PUBLISH, {"destination": "/queue/tight", "body": body})[0], 200)
        status, problem = self.move("/queue/DLQ.tight", redrive=True)
        self.assertEqual((status, problem["reason"]), (409, "queue-full"))
        self.assertEqual((self.bodies("/queue/DLQ.tight"), self.bodies("/queue/tight")), (["0", "1"], ["x", "y"]))

    def test_O_10_P_ACK_11_dead_letters_go_back_where_they_died(self):
        self.fill("/queue/dying", 5)
        peer = self.client()
        peer.subscribe("/queue/dying", "ack:client-individual", id="1")
        for message in [peer.read_message() for _ in range(5)]:
            peer.ask("NACK", "id:" + message["ack"])
        peer.close()
        self.assertTrue(until(lambda: self.one("/queue/DLQ.dying")["depth"] == 5))
        self.call("POST", PUBLISH, {"destination": "/queue/DLQ.dying", "body": "never died"})
        self.assertEqual(self.move("/queue/DLQ.dying", redrive=True), (200, {"messages": 5, "is_complete": True}))
        self.assertEqual(sorted(self.bodies("/queue/dying")), [str(i) for i in range(5)])
        self.assertEqual(self.bodies("/queue/DLQ.dying"), ["never died"])
        for message in self.get(QUEUES + "dying/messages")["items"]:
            self.assertFalse([h for h in message["headers"] if h[0].startswith("x-death")])

    @each({"nothing": ({}, 400), "both": ({"to": "/queue/a", "redrive": True}, 400),
           "itself": ({"to": "/queue/unmoved"}, 400), "private": ({"to": "/temp-queue/a"}, 400),
           "wildcard": ({"to": "/topic/*"}, 400), "reserved": ({"to": "/topic/$SYS.connect"}, 403),
           "selector": ({"to": "/queue/a", "filter": "a ="}, 400), "limit": ({"to": "/queue/a", "limit": 0}, 400),
           "number": ({"to": "/queue/a", "limit": -1}, 400), "member": ({"to": "/queue/a", "from": "x"}, 400),
           "flag": ({"redrive": 1}, 400)})
    def test_O_10_a_wrong_order_is_refused(self, order, status):
        self.fill("/queue/unmoved", 1)
        before = self.bodies("/queue/unmoved")
        self.assertEqual(self.call("POST", QUEUES + "unmoved/move", order)[0], status)
        self.assertEqual(self.bodies("/queue/unmoved"), before)
        self.assertEqual(self.call("GET", LIST + "/a")[0], 404)


class Unpermitted(Calls, OwnBrokerCase):
    """Without the scope `admin`, or `publish` for that, nothing changes."""

    TOKENS = {"none": "", "another": "x" * 32, "read": "r" * 32, "publish": "p" * 32, "read,publish": "b" * 32,
              "admin": "a" * 32}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="e2e-admin-")
        self.addCleanup(folder.cleanup)
        name = os.path.join(folder.name, "token")
        with open(name, "w", encoding="ascii") as file:
            file.writelines("%s %s\n" % (scope, token) for scope, token in self.TOKENS.items()
                            if scope not in ("none", "another"))
        os.chmod(name, 0o600)
        self.broker = Broker({"admin": {"token_file": name}}, threads=2)
        self.addCleanup(self.broker.kill)

    def asked(self, scope, method, path, body=None):
        return Api(self.broker, token="-").call(method, path, body, token=self.TOKENS[scope])

    def state(self):
        """What there is, as `admin` sees it."""
        names = ["/queue/kept", "/queue/other"]
        seen = {}
        for name in names:  # One that is not there has neither.
            page = self.asked("admin", "GET", QUEUES + quoted(name) + "/messages").json
            one = self.asked("admin", "GET", LIST + "/" + quoted(name)).json
            seen[name] = ([(message["body"], message["state"], message["headers"]) for message in page.get("items", [])],
                          [one.get(key) for key in ("depth", "unacked", "published", "acked")])
        listed = self.asked("admin", "GET", LIST).json["items"]
        peers = self.asked("admin", "GET", "/api/v1/connections").json["total"]
        return seen, sorted(item["name"] for item in listed), self.asked("admin", "GET", "/api/v1/definitions").json, peers

    @each({"purge": ("POST", QUEUES + "kept/purge", None), "move": ("POST", QUEUES + "kept/move", {"to": "/queue/other"}),
           "delete": ("DELETE", QUEUES + "kept", None), "declare": ("PUT", QUEUES + "made", None),
           "publish": ("POST", PUBLISH, {"destination": "/queue/kept", "body": "more"}),
           "import": ("POST", "/api/v1/definitions", {"version": 1, "queues": [{"name": "made", "arguments": {}}]}),
           "send_away": ("DELETE", "/api/v1/users/anonymous/connections", None)})
    def test_S_WEB_07_without_the_right_scope_nothing_changes(self, method, path, body):
        peer = self.client()
        for name, count in (("kept", 5), ("other", 2)):
            for i in range(count):
                self.asked("admin", "POST", PUBLISH, {"destination": "/queue/" + name, "body": str(i)})
        before = self.state()
        allowed = {"admin"} | ({"publish", "read,publish"} if path == PUBLISH else set())
        for scope in set(self.TOKENS) - allowed:
            answer = self.asked(scope, method, path, body)
            self.assertEqual(answer.status, 401 if scope in ("none", "another") else 403, scope)
            self.assertRegex(answer.detail, r"^[A-Z].{20,}\.$")
            self.assertEqual(self.state(), before, scope)
        self.assert_lives(peer)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event(
            "admin-denied", path=path, status=403, why="This token lacks the scope %s." % (
                "publish" if path == PUBLISH else "admin"))))
        self.assertLess(self.asked("admin", method, path, body).status, 300)
        self.assertTrue(until(lambda: self.state() != before))


class Stored(Calls, OwnBrokerCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="e2e-destinations-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, data="data"):
        storage = {"directory": os.path.join(self.folder, data), "allow_unsafe_filesystem": True,
                   "disk_floor": "1MiB", "queue_memory": "64KiB"}
        self.broker = Broker({"storage": storage}, threads=2)
        self.addCleanup(self.broker.kill)

    def crash(self):
        self.broker.process.kill()
        self.broker.wait()
        self.broker.kill()

    def fill(self, name, count, size=1000):
        for first in range(0, count, 500):
            messages = [{"destination": name, "body": "%06d" % i + "x" * size}
                        for i in range(first, min(first + 500, count))]
            self.assertEqual(self.call("POST", PUBLISH, {"messages": messages})[0], 200)

    def drained(self, name):
        """The numbers of what waits there."""
        depth = self.depth(name)
        with self.client() as peer:
            peer.subscribe(name)
            return [int(peer.read_message().body[:6]) for _ in range(depth)]

    def depth(self, name):
        status, queue = self.call("GET", LIST + "/" + quoted(name))
        return queue["depth"] if status == 200 else 0

    def test_D_RUN_05_a_backup_under_load_is_a_store_with_all_that_was_confirmed(self):
        self.start()
        self.fill("/queue/kept", 2000)
        is_over = threading.Event()

        def go_on():
            count = 0
            while not is_over.is_set():
                message = {"destination": "/queue/more", "body": "%06d" % count}
                self.assertEqual(self.call("POST", PUBLISH, message)[0], 200)
                count += 1
        load = threading.Thread(target=go_on)
        load.start()
        self.addCleanup(load.join)
        self.addCleanup(is_over.set)
        self.assertTrue(until(lambda: self.depth("/queue/more") > 0))
        copy = os.path.join(self.folder, "copy")
        self.assertEqual(self.call("POST", BACKUP, {"directory": copy}), (201, {"directory": copy}))
        second = os.path.join(self.folder, "copy2")
        environment = {"STAMPEDE_ADMIN_TOKEN_FILE": self.broker.event("admin-token")["file"]}
        url = "http://%s:%d" % self.broker.address("admin")
        status, out, said = run_tool("admin", "backup", second, "--admin", url, environment=environment)
        self.assertEqual((status, out), (0, "backed up to %s\n" % second), said)
        is_over.set()
        load.join()
        self.crash()
        for data in ("copy", "copy2"):
            with self.subTest(data=data):
                self.assertEqual(run_tool("check-store", os.path.join(self.folder, data))[0], 0)
                self.start(data)
                self.assertEqual(self.drained("/queue/kept"), list(range(2000)))
                more = self.drained("/queue/more")
                self.assertEqual((more[:1], more), ([0], list(range(len(more)))))
                self.broker.stop()

    def test_D_RUN_05_where_no_backup_can_be_is_told(self):
        self.start()
        there = sorted(os.listdir(self.folder))
        for directory, words in (("copy", "from the root"), (self.folder, "free"), ("/nonexistent/copy", "No such file"),
                                 ("/proc/copy", "/proc/copy")):
            with self.subTest(directory=directory):
                status, problem = self.call("POST", BACKUP, {"directory": directory})
                self.assertEqual(status, 409)
                self.assertIn(words, problem["detail"])
        for body in (None, {}, {"directory": 1}, {"directory": "/x\0y"}, {"directory": "/x", "more": 1}):
            with self.subTest(body=body):
                self.assertEqual(self.call("POST", BACKUP, body)[0], 400)
        self.assertEqual(sorted(os.listdir(self.folder)), there)
        self.broker.stop()
        self.broker = Broker()
        self.addCleanup(self.broker.kill)
        status, problem = self.call("POST", BACKUP, {"directory": os.path.join(self.folder, "copy")})
        self.assertEqual(status, 409)
        self.assertIn("--data", problem["detail"])

    def test_O_10_what_was_published_is_there_after_a_crash(self):
        self.start()
        self.fill("/queue/kept", 300, 10)
        self.call("POST", PUBLISH, {"destination": "/queue/kept", "body": "once"}, Idempotency_Key="k")
        self.crash()
        self.start()
        self.call("POST", PUBLISH, {"destination": "/queue/kept", "body": "once"}, Idempotency_Key="k")
        self.assertEqual(self.depth("/queue/kept"), 301)

    def test_O_10_what_was_purged_is_gone_for_good(self):
        self.start()
        self.fill("/queue/purged", 2000)
        self.assertEqual(self.call("POST", QUEUES + "purged/purge"), (200, {"messages": 2000, "is_complete": True}))
        self.fill("/queue/purged", 3)
        self.crash()
        self.start()
        self.assertEqual(self.depth("/queue/purged"), 3)
        self.assertEqual(self.drained("/queue/purged"), [0, 1, 2])
        self.assertEqual(self.call("DELETE", QUEUES + "purged")[0], 204)
        self.assertEqual(self.call("PUT", QUEUES + "declared")[0], 201)
        self.crash()
        self.start()
        self.assertEqual(self.listed("?type=queue"), ["/queue/declared"])

    def test_O_10_what_came_with_its_use_is_declared_later(self):
        self.start()
        self.fill("/queue/used", 1)
        self.assertEqual(self.get("/api/v1/definitions")["queues"], [])
        self.assertEqual(self.call("PUT", QUEUES + "used", {"arguments": {"durable": "false"}})[0], 409)
        self.assertEqual(self.get("/api/v1/definitions")["queues"], [])
        self.assertEqual(self.call("PUT", QUEUES + "used")[0], 204)
        declared = [{"name": "/queue/used", "arguments": {"durable": "true"}}]
        self.assertEqual(self.get("/api/v1/definitions")["queues"], declared)
        self.crash()
        self.start()
        self.assertEqual(self.get("/api/v1/definitions")["queues"], declared)
        self.assertEqual(self.drained("/queue/used"), [0])

    def partner(self, source, is_across):
        """A queue on another shard than `source`, or on the same."""
        shard = self.one(source)["shard"]
        for number in range(64):
            name = source.replace("source", "target.%d" % number)
            self.call("PUT", QUEUES + quoted(name))
            if (self.one(name)["shard"] != shard) == is_across:
                return name
        raise AssertionError("64 queues on one shard")

    def killed_in_a_move(self, source, target, least):
        """Kills the broker once `target` shows `least` messages; whether the move was not answered before."""
        answers = []

        def order():
            with contextlib.suppress(OSError, urllib.error.URLError, http.client.HTTPException):
                answers.append(self.call("POST", QUEUES + quoted(source) + "/move", {"to": target}))
        mover = threading.Thread(target=order)
        mover.start()
        self.assertTrue(until(lambda: self.depth(target) >= least))
        self.crash()
        mover.join()
        return not answers

    @each({"on_one_shard": False, "across_shards": True})
    def test_O_10_a_kill_in_the_middle_of_a_move_loses_nothing_and_doubles_nothing(self, is_across):
        """Whenever it comes; and it must have come between batches, so that each queue had its part."""
        count, splits = 8000, 0
        for attempt in range(12):
            self.start()
            source = "/queue/source.%d" % attempt
            self.fill(source, count)
            target = self.partner(source, is_across)
            was_cut = self.killed_in_a_move(source, target, 1 + attempt * 500)
            self.start()
            moved, left = self.drained(target), self.drained(source)
            self.assertEqual(moved + left, list(range(count)), (len(moved), len(left)))
            self.assertEqual(self.broker.stop(), 0)
            splits += was_cut and 0 < len(moved) < count
            if splits == 2:
                return
        self.fail("no kill came between batches: %d of 2 in 12 attempts" % splits)

    def test_O_10_a_move_from_disk_keeps_the_order(self):
        self.start()
        self.fill("/queue/long", 3000)
        status, answer = self.call("POST", QUEUES + "long/move", {"to": "/queue/moved"})
        while not answer["is_complete"]:
            status, answer = self.call("POST", QUEUES + "long/move", {"to": "/queue/moved"})
        self.assertEqual(status, 200)
        self.assertEqual((self.one("/queue/long")["depth"], self.one("/queue/long")["bytes"]), (0, 0))
        self.crash()
        self.start()
        self.assertEqual(self.drained("/queue/moved"), list(range(3000)))

    def test_O_10_P_DUR_04_a_durable_subscription_is_deleted_with_its_backlog(self):
        self.start()
        with self.client("tcp", "1.2", "client-id:c1") as peer:
            peer.subscribe("/topic/news", "durable:true", "activemq.subscriptionName:s1", id="1")
        self.call("POST", PUBLISH, {"destination": "/topic/news", "body": "x"})
        item, = self.get(LIST + "?type=durable")["items"]
        self.assertEqual((item["type"], item["depth"], item["durable"]), ("durable", 1, True))
        self.assertEqual(self.get(QUEUES + quoted(item["name"]) + "/messages")["items"][0]["body"], "x")
        path = "/api/v1/durable-subscriptions/%s/c1/s1" % item["name"].split("/")[2]
        self.assertEqual(self.call("DELETE", path)[0], 204)
        self.assertEqual(self.call("DELETE", path)[0], 404)
        self.crash()
        self.start()
        self.assertEqual(self.listed("?type=durable"), [])


if __name__ == "__main__":
    unittest.main()
