"""Metrics: the numbers are exact, the format is Prometheus's, no label is a client's (operations, section 5)."""
import json
import os
import re
import shutil
import ssl
import tempfile
import time
import unittest

from support import metrics
from support.auth import RULES, Key, Place
from support.broker import Broker, wait_time
from support.case import BrokerCase, broker_peer, each, make_certificate, send_to, stomp
from support.http_service import Service
from support.peers import TcpPeer

HOSTILE = 'evil"} 1 evil_metric{a="'
POLICIES = [{"match": "/topic/chat.**", "slow_consumer": "drop-oldest"}, {"match": "/queue/orders.*"}]


class CountingPeer(TcpPeer):
    """Counts what it sends; `received` is counted by every peer."""

    sent = 0

    def raw(self, octets):
        self.sent += len(octets)
        return super().raw(octets)


class MetricsCase(BrokerCase):
    def setUp(self):
        """Nobody is left of the test before."""
        self.before = self.until(lambda now: now.total("stampede_connections") == 0)
        self.assertEqual(self.before.total("stampede_connections"), 0)

    def until(self, condition):
        """Scrapes until `condition(scrape)` holds; figures are up to a tenth of a second old."""
        end = time.monotonic() + wait_time(5)
        while True:
            found = metrics.scrape(self.broker)
            if condition(found) or time.monotonic() > end:
                return found

    def assert_grown(self, before, expected):
        """By exactly that: {(name, labels...): difference}; labels are `key=value`."""
        keys = {}
        for key, difference in expected.items():
            name, *labels = key if isinstance(key, tuple) else (key,)
            keys[name, tuple(sorted(tuple(label.split("=", 1)) for label in labels))] = difference

        def differences(now):
            return {key: round(now[key] - before[key], 6) for key in keys}
        now = self.until(lambda found: differences(found) == keys)
        self.assertEqual(differences(now), keys)
        return now


class Access(MetricsCase):
    def test_S_WEB_07_without_the_token_nothing_is_told(self):
        for token in (None, "x", "0" * 64):
            status, text, _ = metrics.page(self.broker, token)
            self.assertEqual(status, 401)
            self.assertNotIn("stampede_", text)

    def test_O_5_with_it_the_page_is_prometheus_text(self):
        status, text, kind = metrics.page(self.broker, self.broker.admin_token())
        self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertEqual(metrics.promtool("check", "metrics", text=text), (0, ""))

    def test_O_5_promtool_would_find_what_is_wrong(self):
        code, said = metrics.promtool("check", "metrics", text="# TYPE a counter\na 1\n")
        self.assertNotEqual(code, 0)
        self.assertIn("_total", said)


class Open(MetricsCase):
    config = {"metrics": {"without_token": True}}

    def test_S_WEB_07_an_operator_can_open_it(self):
        self.assertEqual(metrics.page(self.broker)[0], 200)
        self.assertEqual(metrics.page(self.broker, "x")[0], 200)


class Traffic(MetricsCase):
    config = {"policy": POLICIES, "limits": {"subscriptions": 3, "wildcard_subscriptions": 3, "frame": "64KiB"}}

    def test_O_5_one_conversation_is_counted_exactly(self):
        before = self.before
        listener = next(name for (family, labels), _ in before.items()
                        for _, name in labels if family == "stampede_connections" and name.startswith("tcp "))
        with CountingPeer(self.broker.address("tcp")) as peer:
            peer.connect()
            peer.subscribe("/topic/chat.a", id="t")
            peer.subscribe("/queue/orders.1", "ack:client-individual", id="q")
            peer.publish("/topic/chat.a", b"one")
            peer.publish("/topic/other", b"nobody")
            peer.publish("/queue/orders.1", b"two")
            peer.send(send_to("/queue/orders.1", b"three"))
            frames = {frame.body: frame for frame in peer.read_frames(3)}
            peer.ask("ACK", "id:" + frames[b"two"]["ack"])
            peer.ask("NACK", "id:" + frames[b"three"]["ack"], "requeue:false")
            peer.ask("BEGIN", "transaction:x")
            open_now = self.until(lambda now: now.total("stampede_transactions_open") == 1)
            self.assertEqual(open_now.total("stampede_transactions_open"), 1)
            peer.ask("ABORT", "transaction:x")
            now = self.until(lambda now: now.total("stampede_subscriptions") == 2)
            self.assertEqual(now.get_value("stampede_connections", listener=listener), 1)
            self.assertEqual(now.get_value("stampede_subscriptions", kind="topic"), 1)
            self.assertEqual(now.get_value("stampede_subscriptions", kind="queue"), 1)
            peer.ask("DISCONNECT")
            self.assertFalse(peer.read_end())
        self.assert_grown(before, {
            ("stampede_messages_published_total", "policy=/topic/chat.**"): 1,
            ("stampede_messages_published_total", "policy=/queue/orders.*"): 2,
            ("stampede_messages_published_total", "policy=default"): 1,
            ("stampede_messages_delivered_total", "policy=/topic/chat.**"): 1,
            ("stampede_messages_delivered_total", "policy=/queue/orders.*"): 2,
            ("stampede_messages_delivered_total", "policy=default"): 0,
            "stampede_messages_acked_total": 1,
            "stampede_messages_nacked_total": 1,
            "stampede_messages_dead_lettered_total": 1,
            ("stampede_frames_received_total", "command=CONNECT"): 1,
            ("stampede_frames_received_total", "command=SUBSCRIBE"): 2,
            ("stampede_frames_received_total", "command=SEND"): 4,
            ("stampede_frames_received_total", "command=ACK"): 1,
            ("stampede_frames_received_total", "command=NACK"): 1,
            ("stampede_frames_received_total", "command=BEGIN"): 1,
            ("stampede_frames_received_total", "command=ABORT"): 1,
            ("stampede_frames_received_total", "command=DISCONNECT"): 1,
            ("stampede_frames_sent_total", "command=CONNECTED"): 1,
            ("stampede_frames_sent_total", "command=MESSAGE"): 3,
            ("stampede_frames_sent_total", "command=RECEIPT"): 10,
            ("stampede_frames_sent_total", "command=ERROR"): 0,
            ("stampede_receipts_total", "result=success"): 10,
            ("stampede_receipts_total", "result=error"): 0,
            ("stampede_transactions_total", "result=abort"): 1,
            ("stampede_transactions_total", "result=commit"): 0,
            "stampede_transactions_open": 0,
            ("stampede_received_bytes_total", "transport=tcp"): peer.sent,
            ("stampede_sent_bytes_total", "transport=tcp"): peer.received,
            ("stampede_received_bytes_total", "transport=ws"): 0,
            ("stampede_connections", "listener=" + listener): 0,
            ("stampede_connections_opened_total", "listener=" + listener, "version=1.2"): 1,
            ("stampede_connections_opened_total", "listener=" + listener, "version=none"): 0,
            ("stampede_connections_closed_total", "reason=disconnect"): 1,
            ("stampede_connections_closed_total", "reason=left"): 0,
            ("stampede_subscriptions", "kind=topic"): 0,
            ("stampede_subscriptions", "kind=queue"): 0,
            ("stampede_auth_attempts_total", "method=none", "result=success"): 1,
            "stampede_connect_duration_seconds_count": 1,
            "stampede_outbound_queue_bytes": 0,
        })

    @each({"tcp": ("tcp", "1.1"), "ws": ("ws", "1.0")})
    def test_O_5_versions_and_ways_to_leave(self, transport, version):
        before = self.before
        self.client(transport, version).close()
        now = self.until(lambda now: now.get_value("stampede_connections_closed_total", reason="left")
                         > before.get_value("stampede_connections_closed_total", reason="left"))
        self.assertEqual(now.total("stampede_connections_opened_total", version=version)
                         - before.total("stampede_connections_opened_total", version=version), 1)
        self.assertEqual(now.get_value("stampede_connections_closed_total", reason="left")
                         - before.get_value("stampede_connections_closed_total", reason="left"), 1)

    def test_O_5_what_is_opened_is_open_or_closed(self):
        for transport in ("tcp", "ws", "ws"):
            self.client(transport)
        self.peer("tcp").close()

        def is_balanced(now):
            return (now.total("stampede_connections_opened_total") - now.total("stampede_connections_closed_total")
                    == now.total("stampede_connections") - now.total("stampede_connections_unauthenticated"))
        self.assertTrue(is_balanced(self.until(is_balanced)))

    @each({"bad_destination": ("bad-destination", "", send_to("/queue/")),
           "missing_header": ("missing-header", "", stomp("SEND")),
           "bad_state": ("bad-state", "", stomp("COMMIT", "transaction:none")),
           "too_large": ("frame-too-large", "limits.frame", send_to("/topic/a", b"x" * 70000)),
           "subscriptions": ("limit-subscriptions", "limits.subscriptions",
                             b"".join(stomp("SUBSCRIBE", "id:%d" % i, "destination:/topic/%d" % i)
                                      for i in range(4)))})
    def test_S_RATE_01_refusals_are_counted_by_reason_and_limit(self, reason, limit, octets):
        peer = self.client()
        before = metrics.scrape(self.broker)
        peer.send(octets)
        self.assert_refused(peer, reason)
        peer.close()
        expected = {("stampede_refusals_total", "reason=" + reason): 1,
                    ("stampede_connections_closed_total", "reason=" + reason): 1,
                    ("stampede_frames_sent_total", "command=ERROR"): 1}
        if limit:
            expected["stampede_limit_hits_total", "limit=" + limit] = 1
        if reason != "limit-subscriptions":
            expected["stampede_protocol_errors_total", "kind=" + reason] = 1
        now = self.assert_grown(before, expected)
        others = now.total("stampede_limit_hits_total") - before.total("stampede_limit_hits_total")
        self.assertEqual(others, 1 if limit else 0)

    def test_O_5_a_receipt_that_is_refused_is_no_success(self):
        peer = self.client()
        before = metrics.scrape(self.broker)
        peer.send(stomp("SEND", "destination:/queue/", "receipt:1"))
        self.assert_refused(peer, "bad-destination", receipt_id="1")
        self.assert_grown(before, {("stampede_receipts_total", "result=error"): 1,
                                   ("stampede_receipts_total", "result=success"): 0})

    def test_O_5_what_waits_in_queues_is_seen_and_gone_again(self):
        labels = {"policy": "/queue/orders.*"}
        peer = self.client()
        for _ in range(5):
            peer.publish("/queue/orders.depth", b"x" * 100)
        now = self.until(lambda now: now.get_value("stampede_queue_messages", **labels) == 5)
        self.assertEqual(now.get_value("stampede_queue_messages", **labels), 5)
        self.assertEqual(now.get_value("stampede_queue_unacked", **labels), 0)
        self.assertGreater(now.get_value("stampede_queue_bytes", **labels), 500)
        older = self.until(lambda now: now.get_value("stampede_queue_oldest_age_seconds", **labels) > 0.2)
        self.assertGreater(older.get_value("stampede_queue_oldest_age_seconds", **labels), 0.2)
        peer.subscribe("/queue/orders.depth", "ack:client")
        frames = peer.read_frames(5)
        now = self.until(lambda now: now.get_value("stampede_queue_unacked", **labels) == 5)
        self.assertEqual(now.get_value("stampede_queue_unacked", **labels), 5)
        self.assertEqual(now.get_value("stampede_queue_oldest_age_seconds", **labels), 0)
        peer.ask("ACK", "id:" + frames[-1]["ack"])
        now = self.until(lambda now: now.get_value("stampede_queue_messages", **labels) == 0)
        self.assertEqual(now.get_value("stampede_queue_messages", **labels), 0)
        self.assertEqual(now.get_value("stampede_queue_unacked", **labels), 0)
        self.assertEqual(now.get_value("stampede_queue_bytes", **labels), 0)

    def test_O_5_latencies_are_sampled_at_low_rates_without_gaps(self):
        peer = self.client().subscribe("/topic/chat.timed")
        before = metrics.scrape(self.broker)
        for i in range(10):
            peer.send(send_to("/topic/chat.timed", b"%d" % i))
            peer.read_message()
        self.assert_grown(before, {"stampede_delivery_latency_seconds_count": 10,
                                   "stampede_fanout_duration_seconds_count": 10})

    def test_S_SEC_04_no_label_is_a_clients(self):
        name = "/queue/" + HOSTILE
        peer = self.client("tcp", "1.2", "client-id:" + HOSTILE, "evil:evil")
        peer.subscribe(name.replace(":", "\\c"), id="evil")
        peer.publish(name, b"evil", "evil:evil")
        self.peer("tcp").send(stomp("CONNECT", "accept-version:1.2", "host:evil", "login:evil", "passcode:evil"))
        peer.send(stomp("EVIL"))
        self.assert_refused(peer, "bad-frame", before=["MESSAGE"])
        self.until(lambda now: now.get_value("stampede_refusals_total", reason="auth-failed") > 0)
        self.assertNotIn("evil", metrics.text_of(self.broker).lower())

    def test_O_5_histograms_are_cumulative_and_small(self):
        now = metrics.scrape(self.broker)
        for family, kind in now.types.items():
            if kind != "histogram":
                continue
            buckets = {}
            for (name, labels), value in now.items():
                if name == family + "_bucket":
                    rest = tuple(label for label in labels if label[0] != "le")
                    bound = dict(labels)["le"]  # As people write it in a query: 0.1.
                    self.assertTrue(bound == "+Inf" or bound == "%.15g" % float(bound), bound)
                    buckets.setdefault(rest, []).append((float(bound), value))
            for rest, found in buckets.items():
                self.assertLessEqual(len(found), 16, family)
                counts = [count for _, count in sorted(found)]
                self.assertEqual(counts, sorted(counts), family)
                self.assertEqual(counts[-1], now[family + "_count", rest], family)


class Everything(MetricsCase):
    """A broker with store, TLS, users, keys of tokens from a server: every family is there."""

    @classmethod
    def setUpClass(cls):
        place = Place()
        cls.addClassCleanup(shutil.rmtree, place.folder, ignore_errors=True)
        certificate = make_certificate(cls)
        keys = json.dumps({"keys": [Key(place.folder, "k").jwk]})
        service = Service(lambda *_: (200, keys), certificate)
        cls.addClassCleanup(service.close)
        data = tempfile.mkdtemp(prefix="stampede-e2e-")
        cls.addClassCleanup(shutil.rmtree, data, ignore_errors=True)
        cls.config = {
            "auth": {"users_file": place.users},
            "jwt": {"keys_url": service.url, "keys_ca_file": certificate + "/cert.pem", "issuer": "https://id.example",
                    "audience": "stampede"},
            "acl": RULES,
            "storage": {"directory": data, "allow_unsafe_filesystem": True, "disk_floor": "1MiB"},
            "tls": {"certificate": certificate + "/cert.pem", "key": certificate + "/key.pem"},
            "listener": [{"kind": "tcp", "address": "127.0.0.1:0", "tls": True},
                         {"kind": "ws", "address": "127.0.0.1:0", "tls": True}],
        }
        cls.broker = Broker(cls.config, listeners=False)
        cls.addClassCleanup(cls.broker.kill)
        if not cls.broker.wait_for(lambda: cls.broker.event("keys-fetched")):
            raise AssertionError("no keys:\n" + cls.broker.log_text())

    @classmethod
    def tearDownClass(cls):
        pass

    def secure(self, *lines):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        peer = broker_peer(self.broker, "tcp", tls=context)
        self.addCleanup(peer.close)
        return peer.connect("1.2", *lines) if lines else peer

    def test_O_5_every_name_of_the_manual_is_served_and_the_other_way_round(self):
        served = self.until(lambda now: "stampede_jwks_age_seconds" in now.types).types
        rows = metrics.documented()
        self.assertEqual(set(rows) - set(served), set())
        self.assertEqual({name: kind for name, kind in served.items() if rows.get(name, ("",))[0] != kind}, {})

    def test_O_5_labels_are_those_of_the_manual(self):
        rows = metrics.documented()
        for (name, labels), _ in metrics.scrape(self.broker).items():
            family = name if name in rows else re.sub("_(bucket|sum|count)$", "", name)
            for label, _ in labels:
                if label != "le":
                    self.assertIn("`%s`" % label, rows[family][1].split(" | ")[2], name)

    def test_O_5_alerts_and_dashboard_find_what_they_ask_for(self):
        now = self.until(lambda now: "stampede_jwks_age_seconds" in now.types)
        alerts = [(rule["expr"], rule["annotations"]["summary"]) for rule in metrics.rules()]
        shown = list(metrics.expressions(metrics.dashboard()))
        self.assertGreater(len(alerts) + len(shown), 90)
        for expression, text in alerts + shown:
            self.assertEqual(metrics.lacking(now, expression, text), set(), expression)

    @each({"name": ("rate(stampede_nothing_total[5m])",), "suffix": ("stampede_ready_bucket",),
           "value": ('stampede_slow_consumers_total{action="cut"}',), "group": ("sum by (le, x) (stampede_connections)",),
           "summary": ("stampede_connections", "{{ $labels.x }}"), "legend": ("stampede_connections", "in {{x}}")})
    def test_O_5_what_is_not_there_would_be_found(self, *asked):
        self.assertEqual(len(metrics.lacking(metrics.scrape(self.broker), *asked)), 1)

    def test_O_5_tls_logins_and_the_store_are_counted(self):
        before = self.before
        good = self.secure("login:anna", "passcode:hunter2-canary")
        bad = self.secure()
        bad.send(stomp("CONNECT", "accept-version:1.2", "host:x", "login:anna", "passcode:wrong"))
        self.assert_refused(bad, "auth-failed", seconds=10)
        for _ in range(3):
            good.publish("/queue/stored", b"x", "persistent:true")
        with TcpPeer(self.broker.address("tcp")) as plain:
            plain.raw(b"CONNECT\n\n\0")
            plain.read_end()
        now = self.assert_grown(before, {
            ("stampede_tls_handshakes_total", "result=success"): 2,
            ("stampede_tls_handshakes_total", "result=failure"): 1,
            ("stampede_auth_attempts_total", "method=passcode", "result=success"): 1,
            ("stampede_auth_attempts_total", "method=passcode", "result=failure"): 1,
            ("stampede_auth_failures_total", "method=passcode"): 1,
            ("stampede_receipt_duration_seconds_count", "durability=sync"): 3,
            ("stampede_queue_messages", "policy=default"): 3,
        })
        self.assertGreater(now.get_value("stampede_queue_disk_bytes", policy="default"), 3)
        self.assertEqual(now.get_value("stampede_queue_disk_bytes", policy="default"),
                         now.get_value("stampede_queue_bytes", policy="default"))
        commits = now.total("stampede_storage_commits_total") - before.total("stampede_storage_commits_total")
        self.assertGreaterEqual(commits, 3)
        for family in ("commit_duration_seconds", "sync_duration_seconds", "group_records"):
            name = "stampede_storage_%s_count" % family
            self.assertGreaterEqual(now.total(name) - before.total(name), 3, name)
        self.assertLess(now.total("stampede_storage_sync_duration_seconds_sum"),
                        now.total("stampede_storage_commit_duration_seconds_sum"))
        expiry = [value - time.time() for (name, _), value in now.items()
                  if name == "stampede_certificate_expiry_timestamp_seconds"]
        self.assertEqual(len(expiry), 2)
        self.assertTrue(all(86400 < left <= 2 * 86400 for left in expiry), expiry)

    def test_O_5_a_reload_is_counted(self):
        before = metrics.scrape(self.broker)
        self.broker.process.send_signal(1)
        self.assert_grown(before, {("stampede_config_reloads_total", "result=success"): 1,
                                   ("stampede_config_reloads_total", "result=failure"): 0})

    def test_O_5_the_process_is_this_one(self):
        now = metrics.scrape(self.broker)
        # The scrape's own connection is one of them.
        self.assertAlmostEqual(now.total("process_open_fds"), len(os.listdir("/proc/%d/fd" % self.broker.process.pid)),
                               delta=1)
        self.assertAlmostEqual(now.total("process_start_time_seconds"), now.total("stampede_start_time_seconds"), delta=3)
        self.assertGreater(now.total("process_resident_memory_bytes"), 1e6)


class Shards(MetricsCase):
    threads = 4

    def test_O_5_all_threads_are_added_up(self):
        before = metrics.scrape(self.broker)
        listener = self.client().subscribe("/topic/all")
        for i in range(8):
            peer = self.client()
            peer.publish("/topic/all", b"%d" % i)
            peer.publish("/queue/%d" % i, b"x")
        listener.read_frames(8)
        self.assert_grown(before, {("stampede_messages_published_total", "policy=default"): 16,
                                   ("stampede_messages_delivered_total", "policy=default"): 8,
                                   ("stampede_queue_messages", "policy=default"): 8,
                                   "stampede_queues": 8,
                                   ("stampede_frames_received_total", "command=CONNECT"): 9})


if __name__ == "__main__":
    unittest.main()
