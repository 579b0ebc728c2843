"""Users, tokens and rights of a configured broker, and what a reload does to those who are connected (security, 2.2, 2.3)."""
import base64
import os
import resource
import shutil
import signal
import time

from support.openapi import Api
from support.auth import CANARIES, RULES, Place, login, token
from support.broker import Broker, to_toml
from support.case import BrokerCase, OwnBrokerCase, each, over_transports
from support.peers import send_to, stomp


class Logins(OwnBrokerCase):
    """Who is let in, and in which words others are not."""

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(shutil.rmtree, cls.place.folder)
        cls.broker = Broker(cls.place.config())
        cls.addClassCleanup(cls.broker.kill)

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        log = b"".join(cls.broker._raw).decode()  # pylint: disable=protected-access
        if code != 0 or cls.broker.event("handler-failed"):
            raise AssertionError("exit code %s:\n%s" % (code, log))
        for canary in CANARIES:
            if canary in log:
                raise AssertionError("a secret is in the log")  # S-SEC-01

    def tearDown(self):
        BrokerCase.tearDown(self)

    def refused(self, transport, *lines, fields=(), token="auth-failed"):  # pylint: disable=redefined-outer-name
        options = {"fields": fields} if transport == "ws" else {}
        peer = self.peer(transport, **options)
        peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
        return self.assert_refused(peer, token, seconds=20)

    @over_transports
    def test_S_AUTH_04_a_user_of_the_file(self, transport):
        peer = self.client(transport, "1.2", *login("anna", "hunter2-canary"))
        peer.subscribe("/topic/a")
        peer.publish("/topic/a", b"x")
        self.assertEqual(peer.read_message().body, b"x")

    @over_transports
    def test_P_CONN_07_others_are_told_the_same(self, transport):
        wrong = self.refused(transport, *login("anna", "guess"))
        unknown = self.refused(transport, *login("nobody", "guess"))
        self.assertEqual(wrong.body, unknown.body)

    @over_transports
    def test_S_BIND_02_guests_are_not_let_in_any_more(self, transport):
        self.refused(transport, *login("guest", "guest"))
        self.refused(transport)

    @over_transports
    def test_S_AUTH_05_CVE_2014_3612_nothing_is_no_passcode(self, transport):
        self.refused(transport, *login("anna", ""))
        self.refused(transport, *login("", "hunter2-canary"))
        self.refused(transport, "login:anna")

    @over_transports
    def test_S_AUTH_03_a_token_as_passcode_and_as_header(self, transport):
        self.client(transport, "1.2", "login:whoever", "passcode:" + token())
        self.client(transport, "1.2", "passcode:" + token())
        self.client(transport, "1.2", "Authorization:Bearer " + token())

    def test_S_AUTH_03_a_token_in_the_upgrade(self):
        self.client("ws", "1.2", fields=(("Authorization", "Bearer " + token()),))
        basic = base64.b64encode(b"anna:hunter2-canary").decode()
        self.client("ws", "1.2", fields=(("Authorization", "Basic " + basic),))

    def test_S_AUTH_03_what_is_wrong_first_is_not_mended_by_what_follows(self):
        bad = token(secret=b"x" * 32)
        self.refused("ws", *login("anna", "hunter2-canary"), fields=(("Authorization", "Bearer " + bad),))
        self.refused("tcp", "Authorization:Bearer " + bad, *login("anna", "hunter2-canary"))

    @each({"foreign": {"secret": b"x" * 32}, "issuer": {"iss": "https://id.example/"}, "audience": {"aud": "other"},
           "user": {"sub": "a/b"}, "late": {"nbf": int(time.time()) + 3600}})
    def test_S_AUTH_10_bad_tokens(self, wrong):
        self.refused("tcp", "passcode:" + token(**wrong))

    def test_S_AUTH_12_an_old_token(self):
        self.refused("tcp", "passcode:" + token(lifetime=-60), token="token-expired")

    @over_transports
    def test_S_AUTH_12_CVE_2020_26892_a_token_that_runs_out(self, transport):
        peer = self.client(transport, "1.2", "passcode:" + token(lifetime=1))
        peer.subscribe("/topic/a")
        self.assert_refused(peer, "token-expired", seconds=20)

    @over_transports
    def test_S_AUTH_01_what_follows_a_bad_login_has_no_effect(self, transport):
        watcher = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/early")
        peer = self.peer(transport)
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "guess")) + send_to("/topic/early", b"no"))
        self.assert_refused(peer, "auth-failed", seconds=20)
        self.assert_silent(watcher)

    @over_transports
    def test_S_ACL_02_what_nobody_allows_is_refused(self, transport):
        peer = self.client(transport, "1.2", *login("bert", "swordfish-canary"))
        peer.publish("/topic/mine/bert", b"x")
        peer.send(send_to("/topic/mine/anna", b"x"))
        self.assert_refused(peer, "access-denied")

    def test_S_ACL_06_what_is_denied_is_left_out(self):
        reader = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/**")
        writer = self.client("tcp", "1.2", "passcode:" + token())
        writer.publish("/topic/secret/a", b"no")
        writer.publish("/topic/open/a", b"yes")
        self.assertEqual(reader.read_message().body, b"yes")


class FailedLogins(OwnBrokerCase):
    """Guessing gets slower, for the one who guesses."""

    def test_S_AUTH_16_refusals_wait_and_others_do_not(self):
        place = Place()
        self.addCleanup(shutil.rmtree, place.folder)
        config = place.config()
        config["auth"]["failed_logins"] = 2
        config["log"] = {"level": "debug"}
        self.broker = Broker(config)
        self.addCleanup(self.broker.kill)
        for _ in range(3):
            peer = self.peer("tcp", source="127.0.0.9")
            peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "guess")))
            self.assert_refused(peer, "auth-failed", seconds=20)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("refusal-held-back")))
        held_back = [record for record in self.broker.records if record["event"] == "refusal-held-back"]
        self.assertEqual([(record["remote"], record["delay_ms"]) for record in held_back], [("127.0.0.9", 1000)])
        self.client("tcp", "1.2", *login("anna", "hunter2-canary"))
        # It may still come in, behind all others.
        self.client("tcp", "1.2", *login("bert", "swordfish-canary"), source="127.0.0.9")
        self.assertEqual(self.broker.stop(), 0)


class Reload(OwnBrokerCase):
    """SIGHUP: what was taken away is gone, who keeps his rights notices nothing, what is broken changes nothing."""

    def setUp(self):
        self.place = Place()
        self.addCleanup(shutil.rmtree, self.place.folder)
        self.broker = Broker(self.place.config())
        self.addCleanup(self.broker.kill)

    def tearDown(self):
        self.assertEqual(self.broker.stop(), 0)

    def reload(self, event="reloaded"):
        before = len(self.broker.records)
        self.broker.signal(signal.SIGHUP)
        done = self.broker.wait_for(
            lambda: any(record.get("event") == event for record in self.broker.records[before:]))
        self.assertTrue(done, self.broker.log_text())

    def write(self, **config):
        with open(os.path.join(self.broker.folder, "stampede.toml"), "w", encoding="utf-8") as out:
            out.write(to_toml(self.place.config(**config)))

    def test_S_ACL_11_a_user_who_is_removed_is_gone(self):
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/a")
        bert = self.client("ws", "1.2", *login("bert", "swordfish-canary"))
        self.place.remove("bert")
        self.reload()
        self.assert_refused(bert, "revoked")
        anna.publish("/topic/a", b"still here")
        self.assertEqual(anna.read_message().body, b"still here")

    def test_S_ACL_11_so_is_one_whose_passcode_was_changed(self):
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary"))
        self.place.passwd("anna", "another-canary", "staff")
        self.reload()
        self.assert_refused(anna, "revoked")
        peer = self.peer("tcp")
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "hunter2-canary")))
        self.assert_refused(peer, "auth-failed", seconds=20)
        self.client("tcp", "1.2", *login("anna", "another-canary"))

    def test_S_ACL_11_CVE_2026_67420_a_right_that_is_taken_away(self):
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/a", id="7")
        bert = self.client("tcp", "1.2", *login("bert", "swordfish-canary")).subscribe("/topic/mine/bert")
        self.write(rules=RULES[2:])
        self.reload()
        self.assert_refused(anna, "revoked", subscription="7")
        bert.publish("/topic/mine/bert", b"x")
        self.assertEqual(bert.read_message().body, b"x")

    def test_S_ACL_11_CVE_2021_34434_for_who_is_away_nothing_more_is_kept(self):
        durable = "durable:true", "activemq.subscriptionName:kept"
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary"), "client-id:1").subscribe("/topic/a", *durable)
        anna.ask("DISCONNECT")
        operator = Api(self.broker)
        def publish(body):
            self.assertEqual(operator.call("POST", "/api/v1/publish", {"destination": "/topic/a", "body": body}).status, 200)
        publish("before")
        for change in (lambda: self.write(rules=RULES[2:]), lambda: self.place.remove("anna")):
            change()
            self.reload()
            self.assertTrue(self.broker.wait_for(lambda: self.broker.event("denied", reason="revoked")))
            denied = [record for record in self.broker.records if record.get("reason") == "revoked"]
            self.assertEqual([(record["event"], record["user"], record["destination"]) for record in denied],
                             [("denied", "anna", "/topic/a")])
            publish("meanwhile")
        self.write()
        self.place.passwd("anna", "hunter2-canary", "staff")
        self.reload()
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("durable-allowed", user="anna")))
        publish("after")
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary"), "client-id:1").subscribe("/topic/a", *durable)
        self.assertEqual([anna.read_message().body for _ in range(2)], [b"before", b"after"])

    def test_S_BIND_05_a_broken_file_keeps_what_was(self):
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/a")
        with open(self.place.users, "a", encoding="utf-8") as out:
            out.write("carl:secret-in-clear\n")
        self.reload("reload-failed")
        self.assertNotIn("secret-in-clear", self.broker.log_text())
        self.write(rules=[{"who": ["user:anna"], "allow": ["fly"], "on": ["/topic/a"]}])
        self.reload("reload-failed")
        anna.publish("/topic/a", b"x")
        self.assertEqual(anna.read_message().body, b"x")
        self.client("tcp", "1.2", *login("anna", "hunter2-canary"))

    def test_CVE_2017_7652_without_descriptors_or_files_it_keeps_what_was(self):
        anna = self.client("tcp", "1.2", *login("anna", "hunter2-canary")).subscribe("/topic/a")
        with self.broker.short_of(resource.RLIMIT_NOFILE, 3):
            self.reload("reload-failed")
        os.rename(self.place.users, self.place.users + ".gone")
        self.reload("reload-failed")
        for lines in ((), login("guest", "guest"), login("anna", "guess")):
            peer = self.peer("tcp")
            peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
            self.assert_refused(peer, "auth-failed", seconds=20)
        anna.publish("/topic/a", b"x")
        self.assertEqual(anna.read_message().body, b"x")
        self.client("tcp", "1.2", *login("bert", "swordfish-canary"))


class Start(OwnBrokerCase):
    """A broker that could let in the wrong ones does not start."""

    def setUp(self):
        self.place = Place()
        self.addCleanup(shutil.rmtree, self.place.folder)

    def fails(self, config, *words):
        with self.assertRaises(RuntimeError) as failure:
            Broker(config).kill()
        for word in words:
            self.assertIn(word, str(failure.exception))

    def test_S_BIND_05_CVE_2026_95848_without_its_files(self):
        os.rename(self.place.users, self.place.users + ".gone")
        self.fails(self.place.config(), "users")
        os.rename(self.place.users + ".gone", self.place.users)
        with open(self.place.keys, "w", encoding="utf-8") as out:
            out.write("{\"keys\": []}")
        self.fails(self.place.config(), "keys.json")

    def test_S_BIND_05_with_an_empty_users_file(self):
        with open(self.place.users, "w", encoding="utf-8") as out:
            out.write("# nobody yet\n")
        self.fails(self.place.config(), "users")

    def test_S_AUTH_10_with_half_a_verifier(self):
        config = self.place.config()
        del config["jwt"]["audience"]
        self.fails(config, "jwt.audience")
