"""Logins that an HTTP service decides about, and keys of tokens that are fetched (security, S-AUTH-04, -11, -14)."""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from support.auth import Key
from support.broker import Broker, run_tool, to_toml, wait_time
from support.case import OwnBrokerCase, each, make_certificate, over_transports
from support.http_service import Service
from support.peers import stomp

CANARY = "hunter2-canary"
RULES = [{"who": ["role:staff"], "allow": ["publish", "subscribe"], "on": ["/topic/**"]}]


def login(user, passcode):
    return "login:" + user, "passcode:" + passcode


def decide(_, request):
    """A little directory of users."""
    if request["passcode"] != CANARY:
        return 200, json.dumps({"result": "deny"})
    answers = {"anna": {"result": "allow", "roles": ["staff"]},
               "brief": {"result": "allow", "roles": ["staff"], "expires_in": 1},
               "alias": {"result": "allow", "user": "anna", "roles": ["staff"]},
               "stranger": {"result": "ignore"},
               "odd": {"result": "allow", "user": "a/b"},
               "empty": {}}
    if request["user"] == "broken":
        return 500, json.dumps({"result": "allow"})
    if request["user"] == "twice":
        return 200, '{"result":"deny","result":"allow"}'
    if request["user"] == "huge":
        return 200, json.dumps({"result": "allow", "x": "x" * 70000})
    return 200, json.dumps(answers.get(request["user"], {"result": "deny"}))


class HookCase(OwnBrokerCase):
    def make_folder(self):
        folder = tempfile.mkdtemp(prefix="stampede-hook-")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def start(self, answer, hook=None, **config):
        self.service = Service(answer)
        self.addCleanup(self.service.close)
        config.setdefault("auth", {}).setdefault("failed_logins", 100)
        self.broker = Broker({"hook": {"url": self.service.url, **(hook or {})}, "acl": RULES, **config})
        self.addCleanup(self.broker.kill)

    def refused(self, transport, *lines, token="auth-failed", **options):
        peer = self.peer(transport, **options)
        peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
        return self.assert_refused(peer, token, seconds=20)

    def end(self):
        self.assertEqual(self.broker.stop(), 0)
        log = b"".join(self.broker._raw).decode()  # pylint: disable=protected-access
        self.assertNotIn(CANARY, log)  # S-SEC-01
        self.assertIsNone(self.broker.event("handler-failed"))


class Hook(HookCase):
    """What an answer means."""

    def setUp(self):
        self.start(decide)

    def tearDown(self):
        self.end()

    @over_transports
    def test_S_AUTH_14_whoever_it_allows_is_in_with_the_roles_it_says(self, transport):
        peer = self.client(transport, "1.2", *login("anna", CANARY), "client-id:c1")
        peer.subscribe("/topic/a")
        peer.publish("/topic/a", b"x")
        self.assertEqual(peer.read_message().body, b"x")
        request = self.service.requests[-1]
        listener = request.pop("listener")
        self.assertTrue(listener.startswith(transport + " 127.0.0.1:"), listener)
        self.assertEqual(request, {"user": "anna", "passcode": CANARY, "client_ip": "127.0.0.1", "tls": False,
                                   "origin": "", "host": "localhost", "client_id": "c1"})

    def test_S_AUTH_14_the_origin_is_told(self):
        self.client("ws", "1.2", *login("anna", CANARY), fields=(("Origin", "http://localhost:3000"),))
        self.assertEqual(self.service.requests[-1]["origin"], "http://localhost:3000")

    def test_S_AUTH_14_everything_else_is_refused(self):
        for user in ("anna", "stranger", "odd", "empty", "broken", "twice", "huge", "nobody"):
            with self.subTest(user):
                self.refused("tcp", *login(user, "guess" if user == "anna" else CANARY))

    def test_S_AUTH_05_CVE_2014_3612_an_empty_passcode_is_not_asked_about(self):
        self.refused("tcp", *login("anna", ""))
        basic = base64.b64encode(b"anna:").decode()
        self.refused("ws", fields=(("Authorization", "Basic " + basic),))
        self.assertEqual(self.service.requests, [])

    def test_S_AUTH_14_basic_of_the_upgrade(self):
        basic = base64.b64encode(("anna:" + CANARY).encode()).decode()
        self.client("ws", "1.2", fields=(("Authorization", "Basic " + basic),))
        self.assertEqual(self.service.requests[-1]["user"], "anna")

    def test_S_AUTH_12_expires_in_ends_the_session(self):
        peer = self.client("tcp", "1.2", *login("brief", CANARY))
        peer.subscribe("/topic/a")
        self.assert_refused(peer, "token-expired", seconds=20)

    def test_S_AUTH_09_an_allow_is_remembered(self):
        for _ in range(3):
            self.client("tcp", "1.2", *login("anna", CANARY))
        self.assertEqual(len(self.service.requests), 1)


class HookFailures(HookCase):
    """A service that does not answer lets nobody in, and holds nobody else up."""

    def test_S_AUTH_14_silence_refuses_in_time_and_too_many_are_overload(self):
        release = threading.Event()

        def answer(_, request):
            if request["user"] != "anna":
                release.wait(wait_time(20))
            return decide(_, request)

        self.start(answer, hook={"timeout": "2s", "in_flight": 2})
        try:
            peers = []
            for number in range(2):
                peers.append(self.peer("tcp"))
                peers[-1].send(stomp("CONNECT", "accept-version:1.2", *login("slow%d" % number, CANARY)))
            self.wait_until(lambda: len(self.service.requests) == 2)
            self.refused("tcp", *login("anna", CANARY), token="overload")
            for peer in peers:
                self.assert_refused(peer, "auth-failed", seconds=20)
        finally:
            release.set()
        self.client("tcp", "1.2", *login("anna", CANARY))
        self.end()

    def test_S_AUTH_16_a_service_that_is_down_is_nobodys_failed_login(self):
        is_down = True

        def answer(path, request):
            return (503, "") if is_down else decide(path, request)

        self.start(answer, auth={"failed_logins": 2}, log={"level": "debug"})
        for _ in range(4):
            self.assertIn("hook.url", self.refused("tcp", *login("anna", CANARY)).body.decode())
        record = self.broker.event("auth-failed", user="anna")
        self.assertIn("status 503", record["why"])
        self.assertEqual(record["reason"], "auth-failed")
        self.assertIsNone(self.broker.event("refusal-held-back"))
        is_down = False
        self.client("tcp", "1.2", *login("anna", CANARY))
        self.end()

    def test_S_BIND_05_CVE_2026_95848_a_service_that_is_gone_refuses(self):
        self.start(decide)
        self.service.close()
        self.refused("tcp", *login("anna", CANARY))
        self.end()

    def test_S_BIND_05_errors_stop_the_start(self):
        folder = self.make_folder()
        for name, hook in {"clear": {"url": "http://id.example/"}, "file": {"url": "https://a/", "ca_file": "/none"},
                           "kind": {"url": "ldap://a/"}}.items():
            path = os.path.join(folder, name + ".toml")
            with open(path, "w", encoding="utf-8") as out:
                out.write(to_toml({"hook": hook, "acl": RULES}))
            for command in (("check-config", path), ("serve", "--config", path)):
                code, _, errors = run_tool(*command)
                self.assertNotEqual(code, 0, (name, command))
                self.assertIn("hook" if name != "file" else "/none", errors)

    def wait_until(self, condition):
        end = time.monotonic() + wait_time(10)
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


class Chain(HookCase):
    """The users file and the hook, one after the other."""

    def users_file(self):
        path = os.path.join(self.make_folder(), "users")
        for name in ("anna", "stranger"):
            code, _, errors = run_tool_with(["passwd", path, name, "--kind", "bcrypt", "--role", "staff"], b"file\n")
            self.assertEqual(code, 0, errors)
        return path

    def test_S_AUTH_04_the_file_knows_its_own(self):
        self.start(decide, auth={"users_file": self.users_file()})
        self.client("tcp", "1.2", *login("anna", "file"))
        self.refused("tcp", *login("anna", CANARY))
        self.assertEqual(self.service.requests, [])
        self.client("tcp", "1.2", *login("alias", CANARY))
        self.end()

    def test_S_AUTH_04_the_hook_first(self):
        self.start(decide, auth={"users_file": self.users_file(), "backends": ["hook", "users"]})
        self.refused("tcp", *login("anna", "file"))
        self.client("tcp", "1.2", *login("anna", CANARY))
        self.refused("tcp", *login("stranger", CANARY))
        self.end()


def run_tool_with(arguments, text):
    done = subprocess.run([os.path.abspath(os.environ["STAMPEDE"]), *arguments], input=text, capture_output=True,
                          timeout=wait_time(20), check=False)
    return done.returncode, done.stdout, done.stderr


class Trust(HookCase):
    """S-TLS-04: a service that cannot prove who it is is not told any passcode."""

    def login_over(self, name, trusts):
        folder = make_certificate(type(self), "DNS:" + name)
        service = Service(decide, folder)
        self.addCleanup(service.close)
        hook = {"url": service.url}
        if trusts != "the system's":
            hook["ca_file"] = (folder if trusts == "this" else make_certificate(type(self))) + "/cert.pem"
        self.broker = Broker({"hook": hook, "acl": RULES})
        self.addCleanup(self.broker.kill)
        peer = self.peer("tcp")
        peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", CANARY)))
        answer = peer.read_frame(seconds=20)
        self.end()
        return answer.command, service.requests

    def test_S_TLS_04_a_trusted_one_with_the_right_name(self):
        command, requests = self.login_over("localhost", "this")
        self.assertEqual((command, len(requests)), ("CONNECTED", 1))

    @each({"wrong_authority": ("localhost", "another"), "self_signed": ("localhost", "the system's"),
           "wrong_name": ("other.example", "this")})
    def test_S_TLS_04_CVE_2026_67404_others(self, name, trusts):
        self.assertEqual(self.login_over(name, trusts), ("ERROR", []))


class UnixSocket(HookCase):
    def test_S_AUTH_14_a_unix_socket(self):
        path = os.path.join(self.make_folder(), "hook.sock")
        service = Service(decide, unix=path)
        self.addCleanup(service.close)
        self.broker = Broker({"hook": {"url": service.url}, "acl": RULES})
        self.addCleanup(self.broker.kill)
        self.client("tcp", "1.2", *login("anna", CANARY))
        self.assertEqual(len(service.requests), 1)
        self.end()


class HookReload(HookCase):
    def test_S_ACL_11_users_stay_while_the_hook_is_the_same(self):
        self.start(decide)
        other = Service(decide)
        self.addCleanup(other.close)
        peer = self.client("tcp", "1.2", *login("anna", CANARY))
        self.reload({"hook": {"url": self.service.url, "timeout": "1s"}, "acl": RULES})
        peer.subscribe("/topic/a")
        peer.publish("/topic/a", b"still here")
        self.assertEqual(peer.read_message().body, b"still here")
        self.reload({"hook": {"url": other.url}, "acl": RULES})
        self.assert_refused(peer, "revoked", seconds=20)
        self.end()

    def reload(self, config):
        before = len(self.broker.records)
        with open(os.path.join(self.broker.folder, "stampede.toml"), "w", encoding="utf-8") as out:
            out.write(to_toml(config))
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(
            lambda: any(r.get("event") == "reloaded" for r in self.broker.records[before:])), self.broker.log_text())


class RemoteKeys(HookCase):
    """S-AUTH-11: keys of tokens from an https server."""

    def setUp(self):
        self.folder = make_certificate(type(self))
        self.first = Key(self.folder, "first")
        self.second = Key(self.folder, "second")
        self.keys = [self.first]
        self.status = 200
        self.service = Service(self.answer, self.folder)
        self.addCleanup(self.service.close)

    def answer(self, *_):
        return self.status, json.dumps({"keys": [key.jwk for key in self.keys]})

    def start_broker(self, ca_file=None):
        self.broker = Broker({"jwt": {"keys_url": self.service.url, "keys_ca_file": ca_file or self.folder + "/cert.pem",
                                      "issuer": "https://id.example", "audience": "stampede"},
                              "auth": {"failed_logins": 100}, "acl": RULES})
        self.addCleanup(self.broker.kill)

    def reload(self, event):
        before = len(self.broker.records)
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(
            lambda: any(r.get("event") == event for r in self.broker.records[before:])), self.broker.log_text())

    def test_S_AUTH_11_keys_are_exchanged_while_it_runs(self):
        self.start_broker()
        self.client("tcp", "1.2", "passcode:" + self.first.token())
        self.refused("tcp", "passcode:" + self.second.token())
        self.refused("tcp", "passcode:" + self.second.token(kid="first"))
        self.keys = [self.second]
        # The last fetch is not a minute old.
        for _ in range(3):
            self.refused("tcp", "passcode:" + self.second.token())
        self.assertEqual(len(self.service.requests), 1)
        self.reload("keys-fetched")
        self.client("tcp", "1.2", "passcode:" + self.second.token())
        self.refused("tcp", "passcode:" + self.first.token())
        self.end()

    def test_S_AUTH_11_the_last_good_set_outlives_a_bad_server(self):
        self.start_broker()
        self.client("tcp", "1.2", "passcode:" + self.first.token())
        self.status = 503
        self.reload("keys-not-fetched")
        self.client("tcp", "1.2", "passcode:" + self.first.token())
        self.end()

    def test_S_AUTH_11_without_keys_nobody_comes_in_until_they_are_there(self):
        self.status = 503
        self.start_broker()
        self.refused("tcp", "passcode:" + self.first.token())
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("keys-not-fetched", keys=0)))
        self.status = 200
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("keys-fetched"), 20), self.broker.log_text())
        self.client("tcp", "1.2", "passcode:" + self.first.token())
        self.end()

    def test_S_TLS_04_keys_of_a_stranger_are_not_taken(self):
        self.start_broker(make_certificate(type(self)) + "/cert.pem")
        self.refused("tcp", "passcode:" + self.first.token())
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("keys-not-fetched")))
        self.assertIn("certificate is refused", self.broker.event("keys-not-fetched")["err"])
        self.assertEqual(self.service.requests, [])
        self.end()
