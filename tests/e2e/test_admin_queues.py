"""The admin API's calls that change queues (O-10): declaring, deleting, purging, moving, also through a crash."""
import contextlib
import http.client
import os
import shutil
import tempfile
import threading
import unittest
import urllib.error

from support.broker import Broker, until
from support.case import BrokerCase, OwnBrokerCase, each
from support.openapi import LIST, PUBLISH, QUEUES, Calls, covers, segment as quoted

load_tests = covers(
    "PUT /api/v1/queues/{name}", "DELETE /api/v1/queues/{name}", "POST /api/v1/queues/{name}/purge",
    "POST /api/v1/queues/{name}/move", "DELETE /api/v1/durable-subscriptions/{user}/{client}/{name}")


class Changing(Calls, BrokerCase):
    threads = 2
    config = {"policy": [{"match": "/queue/dying", "deliveries": 1}, {"match": "/queue/small", "max_messages": 3}]}

    def fill(self, name, count):
        for i in range(count):
            self.call("POST", PUBLISH, {"destination": name, "body": str(i), "headers": {"n": str(i)}})

    def bodies(self, name):
        page = self.get(QUEUES + quoted(name) + "/messages?limit=100")
        return [message["body"] for message in page["items"] if message["state"] == "waiting"]

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
        peer = self.client()
        peer.subscribe("/queue/overfull")
        self.assertEqual([peer.read_message().body for _ in range(10)], [b"%d" % i for i in range(10)])

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


class Stored(Calls, OwnBrokerCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="e2e-destinations-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self):
        storage = {"directory": os.path.join(self.folder, "data"), "allow_unsafe_filesystem": True,
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

    def test_O_10_a_kill_in_the_middle_of_a_move_loses_nothing_and_doubles_nothing(self):
        count = 8000
        for number in range(2):  # Pairs of homes.
            self.start()
            source, target = "/queue/source%d" % number, "/queue/target%d" % number
            self.fill(source, count)
            def order():
                with contextlib.suppress(OSError, urllib.error.URLError, http.client.HTTPException, AssertionError):
                    self.call("POST", QUEUES + quoted(source) + "/move", {"to": target})
            mover = threading.Thread(target=order)
            mover.start()
            self.assertTrue(until(lambda: self.depth(target) > 300))
            self.crash()
            mover.join()
            self.start()
            left, moved = self.depth(source), self.depth(target)
            found = self.drained(source) + self.drained(target)
            self.assertEqual(sorted(found), list(range(count)), (left, moved))
            self.broker.stop()

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
