"""The store in the life of the broker: start, recovery, stop, refusals, failure (durability, 1, 3, 5 and 6)."""
import glob
import json
import os
import resource
import shutil
import signal
import tempfile
import unittest

from support.broker import Broker, run_tool
from support.case import TRANSPORTS, OwnBrokerCase, each, send_to

PROMPT = {"limits": {"linger_time": "300ms", "close_time": "500ms"}}


class StoreCase(OwnBrokerCase):
    """Each test has a directory, and starts brokers on it."""

    def setUp(self):
        self.directory = os.path.join(tempfile.mkdtemp(prefix="e2e-store-"), "data")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.directory), ignore_errors=True)

    def start(self, storage=None, *arguments, policies=None, threads=1):
        # Wherever the test runs: on a container's overlay, or where little space is left.
        anywhere = {"allow_unsafe_filesystem": True, "disk_floor": "1MiB"}
        config = {**PROMPT, "storage": {"directory": self.directory, **anywhere, **(storage or {})}}
        if policies:
            config["policy"] = policies
        self.broker = Broker(config, arguments, threads=threads)
        self.addCleanup(self.broker.kill)
        return self.broker

    def stop(self):
        self.assertEqual(self.broker.stop(), 0, "%s: %s" % (os.listdir(os.path.dirname(self.directory)), self.broker.log_text()))

    def crash(self):
        self.broker.signal(signal.SIGKILL)
        self.broker.wait()
        self.broker.kill()

    def drained(self, destination, *lines):
        """(body, redelivered) of all that waits there; acknowledged."""
        peer = self.client("tcp").subscribe(destination, "ack:client-individual", *lines)
        peer.publish(destination, b"the last", "persistent:false")
        messages = []
        while True:
            message = peer.read_message()
            peer.early = peer.ask("ACK", "id:" + message["ack"])
            if message.body == b"the last":
                break
            messages.append((message.body.decode(), message.get("redelivered") == "true"))
        peer.ask("DISCONNECT")
        peer.close()
        return messages

    def bodies(self, destination, *lines):
        return [body for body, _ in self.drained(destination, *lines)]

    def log_files(self):
        return sorted(glob.glob(os.path.join(self.directory, "db", "*.log")))


class Modes(StoreCase):
    @each(["sync", "relaxed"])
    def test_D_1_the_mode_in_force_is_told(self, mode):
        broker = self.start({"durability": mode})
        self.assertEqual(broker.event("ready")["durability"], mode)
        status, text = broker.http("/readyz")
        self.assertEqual((status, json.loads(text)["durability"]), (200, mode))
        self.assertEqual(json.loads(text)["checks"]["storage"], "ok")
        self.stop()

    def test_D_1_memory_opens_nothing_and_warns(self):
        broker = self.start({"durability": "memory"})
        self.assertEqual(broker.event("ready")["durability"], "memory")
        self.assertIn("is not opened", broker.event("config", level="warn")["msg"])
        self.assertEqual(json.loads(broker.http("/readyz")[1])["durability"], "memory")
        self.stop()
        self.assertFalse(os.path.exists(self.directory))

    def test_D_1_without_a_directory_nothing_is_durable(self):
        self.broker = Broker(PROMPT)
        self.addCleanup(self.broker.kill)
        self.assertEqual(self.broker.event("ready")["durability"], "memory")
        self.stop()


class Recovery(StoreCase):
    @each({"%s_%d" % (mode, threads): (mode, threads) for mode in ("sync", "relaxed") for threads in (1, 3)})
    def test_D_1_what_is_confirmed_survives_a_kill(self, mode, threads):
        self.start({"durability": mode}, threads=threads)
        peer = self.client("tcp")
        for i in range(20):
            peer.ask("SEND", "destination:/queue/q%d" % (i % 3), body=b"%02d" % i, receipt="r%d" % i)
        peer.close()
        self.crash()
        broker = self.start({"durability": mode}, threads=threads)
        self.assertEqual(broker.event("store-open")["messages"], 20)
        for queue in range(3):
            self.assertEqual(self.bodies("/queue/q%d" % queue), ["%02d" % i for i in range(20) if i % 3 == queue])
        self.stop()

    @each(TRANSPORTS)
    def test_D_RUN_03_a_clean_stop_keeps_what_waits(self, transport):
        self.start()
        peer = self.client(transport)
        peer.ask("SEND", "destination:/queue/a", body=b"1")
        peer.ask("SEND", "destination:/queue/a", "persistent:false", body=b"2")
        peer.ask("SEND", "destination:/queue/a", body=b"3")
        peer.close()
        self.stop()
        self.assertIsNotNone(self.broker.event("store-closed"))
        self.assertTrue(os.path.exists(os.path.join(self.directory, "clean-stop")))
        self.start()
        self.assertEqual(self.drained("/queue/a"), [("1", False), ("3", False)])
        self.stop()

    def test_D_RUN_03_unacknowledged_messages_return_marked(self):
        self.start()
        peer = self.client("tcp")
        for body in (b"1", b"2", b"3", b"4"):
            peer.ask("SEND", "destination:/queue/a", body=body)
        reader = self.client("tcp").subscribe("/queue/a", "ack:client-individual", "prefetch-count:2")
        reader.early = reader.ask("ACK", "id:" + reader.read_message()["ack"])
        self.assertEqual([reader.read_message().body for _ in range(2)], [b"2", b"3"])
        self.broker.signal()
        for one in (peer, reader):
            one.read_end()
            one.close()
        self.assertEqual(self.broker.wait(), 0)
        self.start()
        self.assertEqual(self.drained("/queue/a"), [("2", True), ("3", True), ("4", False)])
        self.stop()

    def test_D_LSM_06_after_a_crash_the_mark_is_never_missing(self):
        self.start()
        peer = self.client("tcp")
        for body in (b"1", b"2"):
            peer.ask("SEND", "destination:/queue/a", body=body)
        reader = self.client("tcp").subscribe("/queue/a", "ack:client-individual", "prefetch-count:1")
        self.assertEqual(reader.read_message().body, b"1")
        self.crash()
        self.start()
        messages = self.drained("/queue/a")
        self.assertEqual([body for body, _ in messages], ["1", "2"])
        self.assertTrue(messages[0][1])
        self.stop()

    def test_D_1_an_acknowledged_message_is_gone(self):
        self.start()
        peer = self.client("tcp").subscribe("/queue/a", "ack:client-individual")
        for body in (b"1", b"2"):
            peer.publish("/queue/a", body)
        peer.ask("ACK", "id:" + peer.read_message()["ack"], receipt="a")
        self.crash()
        self.start()
        self.assertEqual(self.bodies("/queue/a"), ["2"])
        self.stop()

    def test_D_1_a_transaction_is_stored_whole_or_not_at_all(self):
        self.start(threads=3)
        peer = self.client("tcp")
        for name in ("committed", "open"):
            peer.ask("BEGIN", "transaction:" + name)
            for i in range(4):
                peer.send(send_to("/queue/%s%d" % (name, i), b"x", "transaction:" + name))
        peer.ask("COMMIT", "transaction:committed")
        self.crash()
        self.start()
        for i in range(4):
            self.assertEqual(self.bodies("/queue/committed%d" % i), ["x"])
            self.assertEqual(self.bodies("/queue/open%d" % i), [])
        self.stop()

    def test_P_DUR_03_a_durable_subscription_keeps_what_comes_while_nobody_is_there(self):
        self.start(threads=2)
        header = "activemq.subscriptionName:news"
        peer = self.client("tcp", "1.2", "client-id:c").subscribe("/topic/news", header)
        peer.ask("DISCONNECT")
        peer.close()
        self.client("tcp").ask("SEND", "destination:/topic/news", body=b"1")
        self.crash()
        self.start(threads=3)
        self.client("tcp").ask("SEND", "destination:/topic/news", body=b"2")
        peer = self.client("tcp", "1.2", "client-id:c").subscribe("/topic/news", header)
        self.assertEqual([peer.read_message().body for _ in range(2)], [b"1", b"2"])
        peer.close()
        self.stop()

    def test_CVE_2022_26652_no_name_becomes_the_name_of_a_file(self):
        self.start()
        names = ("../../escaped", "..%2F..%2Fescaped", "/etc/escaped", "escaped\\cstream", "C\\c\\\\escaped", "escaped" + "x" * 110)
        for name in names:
            peer = self.client("tcp", "1.2", "client-id:" + name.replace("\\", ""))
            peer.subscribe("/topic/paths", "durable-subscription-name:" + name, "ack:client")
            peer.publish("/topic/paths", b"kept")
            self.assertEqual(peer.read_message().body, b"kept")
            peer.close()
        peer = self.client("tcp").publish("/queue/" + "escaped" * 30, b"kept")
        for bad in ("/queue/../../escaped", "/queue/escaped\\n", "/queue/" + "escaped" * 50):
            refused = self.client("tcp")
            refused.send(send_to(bad, b"x"))
            self.assertEqual(refused.read_end()[-1]["message"], "bad-destination")
        self.stop()
        found = [name for _, folders, files in os.walk(os.path.dirname(self.directory)) for name in folders + files]
        self.assertIn("db", found)
        self.assertFalse([name for name in found if "escaped" in name])

    def test_P_DEST_11_policies_and_arguments_say_what_is_stored(self):
        policies = [{"match": "/queue/cache.*", "durable": False}, {"match": "/queue/kept", "durable": True}]
        self.start(policies=policies)
        peer = self.client("tcp")
        peer.ask("SEND", "destination:/queue/cache.a", body=b"lost")
        peer.ask("SEND", "destination:/queue/plain", body=b"kept")
        peer.ask("SEND", "destination:/queue/kept", "durable:false", body=b"kept")
        peer.ask("SEND", "destination:/queue/argument", "durable:false", body=b"lost")
        peer.close()
        self.stop()
        self.start(policies=policies)
        self.assertEqual([self.bodies("/queue/" + name) for name in ("cache.a", "plain", "kept")], [[], ["kept"], ["kept"]])
        self.assertEqual(self.bodies("/queue/argument"), [])
        self.stop()

    def test_D_COM_01_a_long_queue_is_read_back(self):
        self.start({"queue_memory": "64KiB"})
        peer = self.client("tcp")
        for i in range(500):
            peer.send(send_to("/queue/long", b"%03d" % i + b"x" * 1000))
        peer.ask("SEND", "destination:/queue/long", body=b"500")
        peer.close()
        self.stop()
        self.start({"queue_memory": "64KiB"})
        self.assertEqual([body[:3] for body in self.bodies("/queue/long")], ["%03d" % i for i in range(501)])
        self.stop()


class Refusals(StoreCase):
    def refuse(self, code, *arguments, environment=None, anywhere=True):
        if anywhere:
            environment = {"STAMPEDE_STORAGE__ALLOW_UNSAFE_FILESYSTEM": "true", **(environment or {})}
        found, _, text = run_tool("serve", "--tcp", "127.0.0.1:0", "--ws", "off", "--admin", "off", "--data",
                                  self.directory, *arguments, environment=environment)
        self.assertEqual(found, code, text)
        return text

    def test_D_RUN_01_a_second_broker_names_the_first(self):
        broker = self.start()
        self.assertIn("process %d" % broker.process.pid, self.refuse(1))
        self.client("tcp")
        self.stop()

    def test_D_FS_05_a_directory_that_cannot_be_made_is_named(self):
        with open(self.directory, "w", encoding="utf-8"):
            pass
        self.assertIn(self.directory, self.refuse(1))

    @unittest.skipUnless(os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK), "needs a tmpfs")
    def test_D_FS_03_a_file_system_that_forgets_is_refused(self):
        shared = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, shared, ignore_errors=True)
        self.directory = os.path.join(shared, "data")
        self.assertIn("allow_unsafe_filesystem", self.refuse(1, anywhere=False))
        self.start({"allow_unsafe_filesystem": True, "disk_floor": "1MiB"})
        self.stop()

    def damage(self):
        """A log whose second half begins with another octet than was written."""
        self.start()
        peer = self.client("tcp")
        for i in range(10):
            peer.ask("SEND", "destination:/queue/a", body=b"%d" % i)
        self.crash()
        name = max(self.log_files(), key=os.path.getsize)
        with open(name, "r+b") as log:
            log.seek(os.path.getsize(name) // 2)
            octet = log.read(1)
            log.seek(-1, os.SEEK_CUR)
            log.write(bytes([octet[0] ^ 0x10]))

    def test_D_ROCK_03_a_damaged_log_stops_the_start_unless_loss_is_accepted(self):
        self.damage()
        text = self.refuse(6)
        self.assertIn("--accept-data-loss", text)
        self.refuse(6)
        broker = self.start(None, "--accept-data-loss")
        self.assertIn("--accept-data-loss", broker.event("config", level="warn")["msg"])
        self.assertIsNotNone(broker.event("data-loss-accepted"))
        bodies = self.bodies("/queue/a")
        self.assertEqual(bodies, [str(i) for i in range(len(bodies))])
        self.assertLess(len(bodies), 10)
        self.stop()
        self.start()
        self.stop()

    def test_D_ROCK_03_a_torn_last_record_is_no_damage(self):
        self.start()
        peer = self.client("tcp")
        peer.ask("SEND", "destination:/queue/a", body=b"1")
        self.crash()
        with open(max(self.log_files(), key=os.path.getsize), "ab") as log:
            log.write(b"\x12\x34\x56\x78\xff")
        self.start()
        self.assertEqual(self.bodies("/queue/a"), ["1"])
        self.stop()

    def test_D_FULL_01_below_the_floor_only_what_is_durable_is_refused(self):
        broker = self.start()
        self.client("tcp").ask("SEND", "destination:/queue/a", body=b"1")
        self.stop()
        broker = self.start({"disk_floor": "1024GiB"})
        status, text = broker.http("/readyz")
        self.assertEqual(status, 200)
        self.assertIn("disk_floor", json.loads(text)["checks"]["disk"])
        self.stop()
        broker = self.start({"disk_floor": "1024GiB", "ready_requires_disk": True})
        self.assertTrue(broker.wait_for(lambda: broker.event("disk-low")))
        status, text = broker.http("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("disk_floor", json.loads(text)["checks"]["disk"])
        for transport in TRANSPORTS:
            peer = self.client(transport)
            peer.send(send_to("/queue/a", b"x", "receipt:r"))
            self.assert_refused(peer, "disk-full", receipt_id="r")
        peer = self.client("tcp").subscribe("/topic/t")
        peer.publish("/topic/t", b"goes on")
        self.assertEqual(peer.read_message().body, b"goes on")
        self.assertEqual(self.bodies("/queue/a"), ["1"])
        self.stop()


class CheckStore(StoreCase):
    def check(self, code, *arguments):
        found, text, errors = run_tool("check-store", self.directory, *arguments)
        self.assertEqual(found, code, text + errors)
        return text + errors

    def test_D_RUN_04_a_store_in_use_is_not_looked_at(self):
        broker = self.start()
        self.assertIn("process %d" % broker.process.pid, self.check(1))
        self.client("tcp")
        self.stop()

    def test_D_RUN_04_a_killed_brokers_store_is_sound_and_stays_as_it_is(self):
        self.start(threads=2)
        peer = self.client("tcp").subscribe("/queue/a", "ack:client-individual", "prefetch-count:2")
        for i in range(6):
            peer.publish("/queue/a", b"%d" % i, "k:\\c")
        peer.ask("ACK", "id:" + peer.read_message()["ack"])
        self.crash()
        for _ in range(2):
            report = json.loads(self.check(0, "--json"))
            self.assertEqual((report["sound"], report["clean_stop"], report["messages"]), (True, False, 5))
            lines = [json.loads(line) for line in self.check(0, "--dump", "/queue/a").splitlines()]
            self.assertEqual([line["body"] for line in lines], list("12345"))
            self.assertEqual(lines[0]["headers"], {"destination": "/queue/a", "k": ":"})
        self.start()
        self.assertEqual(self.bodies("/queue/a"), list("12345"))
        self.stop()
        self.assertEqual(json.loads(self.check(0, "--json"))["messages"], 0)


class Failure(StoreCase):
    def fill(self, peer):
        """Publishes until the store fails; the bodies that were confirmed, and the ERROR."""
        resource.prlimit(self.broker.process.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        confirmed = []
        for i in range(1000):
            peer.send(send_to("/queue/a", b"%04d" % i + b"x" * 1000, "receipt:%d" % i))
            frame = peer.read_frame()
            if frame.command != "RECEIPT":
                return confirmed, frame
            confirmed.append("%04d" % i)
        self.fail("the store did not fail")

    def test_D_FS_01_the_process_ends_with_7(self):
        broker = self.start()
        idle = self.client("ws")
        peer = self.client("tcp")
        confirmed, error = self.fill(peer)
        self.assertEqual((error.command, error["message"]), ("ERROR", "storage-failed"))
        idle.read_end()
        for one in (peer, idle):
            one.close()
        self.assertEqual(broker.wait(), 7)
        record = broker.event("storage-failed", level="error")
        self.assertTrue(record["reason"])
        self.start()
        self.assertEqual([body[:4] for body in self.bodies("/queue/a")][:len(confirmed)], confirmed)
        self.stop()

    def test_D_FS_01_with_serve_memory_it_goes_on_without_durable_messages(self):
        broker = self.start({"on_failure": "serve-memory"})
        self.fill(self.client("tcp"))
        self.assertTrue(broker.wait_for(lambda: broker.event("storage-failed", level="error")))
        status, text = broker.http("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("failed", json.loads(text)["checks"]["storage"])
        peer = self.client("tcp")
        peer.send(send_to("/queue/b", b"x", "receipt:r"))
        self.assert_refused(peer, "storage-failed", receipt_id="r")
        peer = self.client("tcp").subscribe("/topic/t")
        peer.publish("/topic/t", b"goes on")
        self.assertEqual(peer.read_message().body, b"goes on")
        peer.close()
        self.assertEqual(broker.stop(), 7)


if __name__ == "__main__":
    unittest.main()
