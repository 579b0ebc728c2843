"""What the admin API says that destinations hold in memory and on disk (O-10)."""
import json
import os
import shutil
import tempfile
import unittest

from support.broker import Broker, run_tool, until
from support.case import OwnBrokerCase
from support.openapi import LIST, PUBLISH, QUEUES, Calls, covers

load_tests = covers("GET /api/v1/destinations", "GET /api/v1/destinations/{name}")


class Figures(Calls, OwnBrokerCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="e2e-figures-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = os.path.join(self.folder, "data")

    def start(self):
        storage = {"directory": self.data, "allow_unsafe_filesystem": True, "disk_floor": "1MiB",
                   "queue_memory": "64KiB"}
        policies = [{"match": "/topic/told", "history_messages": 100}]
        self.broker = Broker({"storage": storage, "policy": policies}, threads=2)
        self.addCleanup(self.broker.kill)

    def crash(self):
        self.broker.process.kill()
        self.broker.wait()
        self.broker.kill()

    def fill(self, name, count):
        messages = [{"destination": name, "body": "%06d" % i + "x" * 1000} for i in range(count)]
        self.assertEqual(self.call("POST", PUBLISH, {"messages": messages})[0], 200)

    def octets(self, name, *figures):
        queue = self.one(name)
        return tuple(queue[figure] for figure in figures or ("bytes", "disk_bytes"))

    def test_O_10_what_memory_and_disk_hold_is_told_apart(self):
        self.start()
        self.fill("/queue/large", 400)
        size, memory, disk = self.octets("/queue/large", "bytes", "memory_bytes", "disk_bytes")
        self.assertEqual(size, disk)
        self.assertGreater(disk, 400 * 1006)
        self.assertLess(memory, disk // 2)
        self.fill("/queue/small", 2)
        self.assertEqual(self.listed("?sort=disk_bytes&limit=2"), ["/queue/large", "/queue/small"])
        self.assertEqual(self.listed("?sort=disk_bytes&order=asc&type=queue&limit=1"), ["/queue/small"])
        self.call("POST", PUBLISH, {"destination": "/queue/small", "body": "x" * 5000, "durable": False})
        size, small = self.octets("/queue/small")
        self.assertGreater(size, small + 5000)
        self.assertGreater(small, 2 * 1006)
        self.assertEqual(self.octets("/queue/small", "memory_bytes"), (size,))
        self.crash()
        self.start()
        self.assertEqual(self.octets("/queue/large"), (disk, disk))
        self.assertEqual(self.octets("/queue/small"), (small, small))
        self.assertEqual(self.broker.stop(), 0)
        code, text, errors = run_tool("check-store", self.data, "--json")
        self.assertEqual(code, 0, errors)
        stored = {queue["name"]: queue["bytes"] for queue in json.loads(text)["queues"]}
        self.assertEqual((stored["/queue/large"], stored["/queue/small"]), (disk, small))

    def test_O_10_disk_is_free_once_a_message_is_settled(self):
        self.start()
        self.fill("/queue/settled", 3)
        size, disk = self.octets("/queue/settled")
        with self.client() as peer:
            peer.subscribe("/queue/settled", "ack:client-individual", "prefetch-count:2")
            first = peer.read_message()
            peer.read_message()
            self.assertEqual(self.octets("/queue/settled"), (size // 3, disk))
            peer.ask("ACK", "id:" + first["ack"])
            self.assertTrue(until(lambda: self.octets("/queue/settled") == (0, disk // 3 * 2)))
        self.assertTrue(until(lambda: self.octets("/queue/settled") == (size // 3 * 2, disk // 3 * 2)))
        self.assertEqual(self.call("POST", QUEUES + "settled/purge")[0], 200)
        self.assertEqual(self.octets("/queue/settled", "bytes", "memory_bytes", "disk_bytes"), (0, 0, 0))

    def test_O_10_a_topic_has_its_history_on_disk_and_a_subscription_its_backlog(self):
        self.start()
        with self.client("tcp", "1.2", "client-id:c1") as peer:
            peer.subscribe("/topic/told", "durable:true", "activemq.subscriptionName:s1", id="1")
        for name in ("/topic/told", "/topic/untold"):
            for _ in range(3):
                self.call("POST", PUBLISH, {"destination": name, "body": "x" * 1000})
        topic = self.one("/topic/told")
        self.assertTrue(topic["durable"])
        self.assertGreater(topic["disk_bytes"], 3000)
        self.assertEqual(topic["memory_bytes"], topic["disk_bytes"])
        backlog, = self.get(LIST + "?type=durable")["items"]
        self.assertGreater(backlog["disk_bytes"], 3000)
        self.assertEqual(self.octets("/topic/untold", "memory_bytes", "disk_bytes"), (0, 0))
        self.crash()
        self.start()
        self.call("POST", PUBLISH, {"destination": "/topic/told", "body": ""})
        self.assertGreater(self.octets("/topic/told", "disk_bytes")[0], topic["disk_bytes"])
        self.assertEqual(self.octets(backlog["name"], "depth"), (4,))


if __name__ == "__main__":
    unittest.main()
