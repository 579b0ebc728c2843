"""What the broker tells of itself on /topic/$SYS.connect and so on (docs/events.md; S-ACL-08, S-LOG-01, S-LOG-02)."""
import json
import os
import shutil

from support.auth import RULES, Place, login, token
from support.broker import Broker, wait_time
from support.case import OwnBrokerCase, over_transports
from support.peers import TcpPeer, send_to, stomp

EVENTS = ("connect", "disconnect", "auth-failed", "refused", "slow-consumer", "limit", "alarm", "stats")
LISTEN = [{"who": ["user:bert"], "allow": ["subscribe"], "on": ["/topic/$SYS.*"]}]
RATES = ("published", "delivered", "acked", "received_bytes", "sent_bytes")
TOTALS = {"published", "delivered", "acked", "nacked", "redelivered", "expired", "dead_lettered", "dropped",
          "unroutable", "deduplicated"}


def topic(event):
    return "/topic/$SYS." + event


class EventCase(OwnBrokerCase):
    """bert may listen, anna may not."""

    limits = {}
    threads = 2

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        cls.broker = Broker({**cls.place.config(RULES + LISTEN), "limits": cls.limits}, threads=cls.threads)
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        if code != 0 or cls.broker.event("handler-failed") or cls.broker.bad_log_lines:
            raise AssertionError(cls.broker.log_text())

    def tearDown(self):
        self.assertTrue(self.broker.is_alive())

    def anna(self, transport="tcp", **options):
        return self.client(transport, "1.2", *login("anna", "hunter2-canary"), **options)

    def bert(self, transport="tcp", **options):
        return self.client(transport, "1.2", *login("bert", "swordfish-canary"), **options)

    def listener(self, *events, transport="tcp"):
        peer = self.bert(transport, source="127.0.9.9")
        for event in events:
            peer.ask("SUBSCRIBE", "id:" + event, "destination:" + topic(event), receipt="r")
        return peer

    def told(self, listener, **members):
        """The next event with those members; others may come before it."""
        for _ in range(1000):
            frame = listener.read_message(seconds=15)
            self.assertEqual(frame["content-type"], "application/json")
            event = json.loads(frame.body)
            self.assertIsInstance(event["at"], int)
            if all(event.get(name) == value for name, value in members.items()):
                return {"event": frame["destination"].split("$SYS.")[1], **event}
        self.fail("no event with %s" % members)
        return {}


class Events(EventCase):
    limits = {"subscriptions": 8, "wildcard_subscriptions": 4, "outbound_bytes": "256KiB", "outbound_ahead": "64KiB"}

    @over_transports
    def test_O_5_connect_and_disconnect(self, transport):
        listener = self.listener("connect", "disconnect", transport=transport)
        peer = self.anna(transport, source="127.0.4.1")
        session = peer.connected["session"]
        event = self.told(listener, connection=session)
        self.assertEqual({**event, "at": 0, "listener": ""},
                         {"event": "connect", "at": 0, "connection": session, "user": "anna", "address": "127.0.4.1",
                          "listener": "", "version": "1.2", "reason": "users-file"})
        self.assertTrue(event["listener"].startswith(transport + " "))
        peer.ask("DISCONNECT", receipt="bye")
        peer.close()
        event = self.told(listener, connection=session)
        self.assertEqual((event["event"], event["reason"], event["user"]), ("disconnect", "disconnect", "anna"))
        self.assertIn("seconds", event)

    def test_O_5_one_that_just_goes(self):
        listener = self.listener("disconnect")
        peer = self.anna()
        peer.close()
        event = self.told(listener, connection=peer.connected["session"])
        self.assertEqual(event["reason"], "closed")

    @over_transports
    def test_O_5_a_failed_login(self, transport):
        listener = self.listener("auth-failed")
        source = "127.0.4.%d" % (2 if transport == "tcp" else 3)
        peer = self.peer(transport, source=source)
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "guess-canary")))
        self.assert_refused(peer, "auth-failed")
        event = self.told(listener, address=source)
        self.assertEqual((event["event"], event["reason"]), ("auth-failed", "auth-failed"))
        self.assertNotIn("canary", json.dumps(event))

    def test_O_5_a_refusal(self):
        listener = self.listener("refused")
        peer = self.anna()
        peer.send(stomp("SUBSCRIBE", "destination:/topic/secret/a", "id:1"))
        self.assert_refused(peer, "access-denied")
        event = self.told(listener, connection=peer.connected["session"])
        self.assertEqual((event["reason"], event["destination"], event["user"]),
                         ("access-denied", "/topic/secret/a", "anna"))

    def test_O_5_a_limit(self):
        listener = self.listener("limit")
        peer = self.anna()
        peer.send(b"".join(stomp("SUBSCRIBE", "destination:/topic/a", "id:%d" % i) for i in range(9)))
        self.assert_refused(peer, "limit-subscriptions")
        event = self.told(listener, connection=peer.connected["session"])
        self.assertEqual((event["limit"], event["reason"]), ("limits.subscriptions", "limit-subscriptions"))

    def test_O_5_a_slow_consumer(self):
        listener = self.listener("slow-consumer")
        peer = self.anna(receive_buffer=4096).subscribe("/topic/slow")
        writer = self.anna()
        for _ in range(1000):
            writer.send(send_to("/topic/slow", b"x" * 10000))
        event = self.told(listener, connection=peer.connected["session"])
        self.assertEqual((event["event"], event["reason"]), ("slow-consumer", "slow-consumer"))

    def test_O_5_stats_every_second(self):
        listener = self.listener("stats")
        peer = self.anna().subscribe("/topic/counted")
        before = self.told(listener)
        for _ in range(50):
            peer.send(send_to("/topic/counted", b"x"))
        peer.read_frames(50)
        after = self.told(listener)
        while after["totals"]["delivered"] < before["totals"]["delivered"] + 50:
            self.assertLess(after["at"], before["at"] + wait_time(20000))
            before, after = before, self.told(listener)
        self.assertEqual(set(after["totals"]), TOTALS)
        self.assertGreaterEqual(after["at"], before["at"] + 900)
        self.assertGreaterEqual(after["connections"], 2)
        self.assertTrue(all(isinstance(after[name], (int, float)) and after[name] >= 0 for name in RATES))
        # Events are not counted as published.
        quiet = self.told(listener)
        self.assertEqual(self.told(listener)["totals"]["published"], quiet["totals"]["published"])

    # --- Who may listen.

    @over_transports
    def test_S_ACL_08_a_rule_for_all_topics_is_not_enough(self, transport):
        for event in EVENTS:
            peer = self.anna(transport)
            peer.send(stomp("SUBSCRIBE", "id:1", "destination:" + topic(event)))
            self.assert_refused(peer, "access-denied")

    def test_S_ACL_08_wildcards_hear_nothing(self):
        listener = self.listener("disconnect")
        watcher = self.anna()
        for number, pattern in enumerate(("/topic/>", "/topic/#", "/topic/*.*")):
            watcher.ask("SUBSCRIBE", "id:%d" % number, "destination:" + pattern, receipt="r")
        passer_by = self.anna()
        passer_by.close()
        self.told(listener, connection=passer_by.connected["session"])
        self.assert_silent(watcher)
        # The control: a name like it but for the $.
        self.anna().send(send_to("/topic/SYS.disconnect", b"x"))
        self.assertEqual([frame.body for frame in watcher.read_frames(3)], [b"x"] * 3)

    def test_S_ACL_08_nobody_can_send_there(self):
        for event in EVENTS:
            peer = self.bert()
            peer.send(send_to(topic(event), b"{}"))
            self.assert_refused(peer, "access-denied")

    # --- Hostile text stays text (S-LOG-01).

    def test_S_LOG_01_names_cannot_forge_members(self):
        listener = self.listener("refused")
        for number, name in enumerate(("/topic/\"},{\"event\":\"forged", "/topic/%n%s", "/topic/\\\\", "/topic/</script>",
                                       "/topic/" + "x" * 240)):
            peer = self.client("tcp", "1.2", *login("bert", "swordfish-canary"), source="127.0.5.%d" % (number + 1))
            peer.raw(b"SEND\ndestination:" + name.encode() + b"\n\n\0")
            peer.read_end()
            event = self.told(listener, connection=peer.connected["session"])
            self.assertEqual(event["reason"], "access-denied")
            self.assertNotIn("forged", event)
            self.assertLess(max(len(str(value)) for value in event.values()), 300)

    def test_S_LOG_01_hostile_users(self):
        listener = self.listener("connect")
        user = "a\"},{\"x\\\u00fc%n"
        peer = self.client("tcp", "1.2", "passcode:" + token(sub=user))
        event = self.told(listener, connection=peer.connected["session"])
        self.assertEqual((event["user"], event["event"]), (user, "connect"))
        self.assertNotIn("x", event)


class NoList(OwnBrokerCase):
    def test_S_ACL_08_without_rules_nobody_may_listen(self):
        self.broker = Broker()
        self.addCleanup(self.broker.kill)
        for event in EVENTS:
            peer = self.client()
            peer.send(stomp("SUBSCRIBE", "id:1", "destination:" + topic(event)))
            self.assert_refused(peer, "access-denied")
        self.client().subscribe("/topic/SYS.connect")
        self.assertEqual(self.broker.stop(), 0)


class Flood(EventCase):
    def test_S_LOG_02_ten_events_a_second_then_a_summary(self):
        listener = self.listener("auth-failed")

        def fail(source):
            with TcpPeer(self.broker.address("tcp"), source=source) as peer:
                peer.send(stomp("CONNECT", "accept-version:1.2", *login("nobody", "x")))
                peer.read_end(20)
        for _ in range(60):
            fail("127.0.6.1")
        fail("127.0.6.2")
        single, suppressed, seconds = 0, 0, {}
        while single + suppressed < 60:
            event = self.told(listener)
            if event["address"] != "127.0.6.1":
                continue
            suppressed += event.get("suppressed", 0)
            if "suppressed" not in event:
                single += 1
                seconds[event["at"] // 1000] = seconds.get(event["at"] // 1000, 0) + 1
        self.assertEqual(single + suppressed, 60)
        # A second of the clock may have the end of one window and the beginning of the next.
        self.assertLessEqual(max(seconds.values()), 20)


class Alarms(EventCase):
    limits = {"memory": "16MiB", "memory_alarm_1": "25%", "memory_alarm_2": "50%"}

    def test_O_5_memory(self):
        listener = self.listener("alarm")
        writer = self.anna()
        for _ in range(80):
            writer.send(send_to("/queue/kept", b"x" * 60000))
        event = self.told(listener, alarm="memory")
        self.assertGreaterEqual(event["level"], 1)
        self.assertEqual(event["limit_bytes"], 16 * 1024 * 1024)
        self.assertGreater(event["used_bytes"], 0)


class DiskAlarm(OwnBrokerCase):
    def test_O_5_disk_and_only_once(self):
        place = Place()
        self.addCleanup(shutil.rmtree, place.folder)
        storage = {"directory": os.path.join(place.folder, "data"), "allow_unsafe_filesystem": True,
                   "disk_floor": "1024GiB"}
        self.broker = Broker({**place.config(RULES + LISTEN), "storage": storage})
        self.addCleanup(self.broker.kill)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("disk-alarm")))
        self.assertEqual(self.broker.stop(), 0)
        self.assertEqual(len([record for record in self.broker.records if record["event"] == "disk-alarm"]), 1)
