"""Planted secrets are found nowhere but where they were put: not in the log at its most talkative, not on the admin
listener, not in the arguments, not in what the tools print (S-SEC-01, S-SEC-02, S-LOG-01; CVE-2026-57219, CVE-2026-33216)."""
import base64
import gzip
import http.client
import os
import shutil
import signal
import tempfile
import unittest

from support.auth import SECRET, Place, b64, login, token
from support.broker import Broker, run_tool, to_toml
from support.case import OwnBrokerCase, make_certificate
from support.http_service import Service
from support.peers import send_to, stomp

GUESS = "guess-canary"
BODY = "body-canary"
HEADER = "header-canary"
BEFORE = "before-connect-canary"
USERS = ("hunter2-canary", "swordfish-canary")
CALLS = ("overview", "history", "config", "connections", "subscriptions", "destinations", "policies", "definitions",
         "scheduled", "log-levels", "logs?limit=1000", "openapi.json")
PATHS = ("/", "/healthz", "/readyz", "/metrics", "/api", "/api/", "/api/v1/scheduled/canary", "/debug", "/varz", "/connz",
         *("/api/v1/" + call for call in CALLS))


class Canaries(OwnBrokerCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(shutil.rmtree, self.place.folder)
        self.config = self.place.config()
        self.config["log"] = {"level": "trace"}
        self.config["auth"]["failed_logins"] = 100
        self.broker = Broker(self.config)
        self.addCleanup(self.broker.kill)
        self.planted = [*USERS, SECRET.decode(), b64(SECRET), GUESS, BODY, HEADER, BEFORE]
        with open(self.place.users, encoding="utf-8") as users:
            self.planted += [line.split(":")[1] for line in users.read().split()]
        self.admin_token = self.broker.admin_token()
        self.planted.append(self.admin_token)

    def plant(self, text):
        self.planted.append(text)
        return text

    def refuse(self, transport, *lines, fields=()):
        peer = self.peer(transport, **({"fields": fields} if transport == "ws" else {}))
        peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
        self.assertEqual(peer.read_frame(seconds=20).command, "ERROR")
        peer.close()

    def use_everything(self):
        good = self.plant(token())
        bad = self.plant(token(secret=b"another secret of thirty-two octets"))
        old = self.plant(token(lifetime=-3600))
        basic = self.plant(base64.b64encode(b"anna:hunter2-canary").decode())
        guess = self.plant(base64.b64encode(b"anna:" + GUESS.encode()).decode())
        for transport in ("tcp", "ws"):
            anna = self.client(transport, "1.2", *login("anna", USERS[0])).subscribe("/topic/a")
            anna.send(send_to("/topic/a", BODY.encode(), "secret:" + HEADER))
            self.assertEqual(anna.read_message().body, BODY.encode())
            # What is refused is named, but not shown.
            anna.send(stomp("SEND", "destination:/topic/\x01", "secret:" + HEADER, body=BODY.encode()))
            self.assertEqual(anna.read_frame().command, "ERROR")
            self.client(transport, "1.2", "passcode:" + good)
            self.client(transport, "1.2", "Authorization:Bearer " + good)
            for lines in (login("anna", GUESS), ("passcode:" + bad,), ("Authorization:Bearer " + old,),
                          ("login:anna", "passcode:" + GUESS, "heart-beat:x"),
                          ("login:anna", "passcode:" + GUESS, "secret:" + HEADER)):
                self.refuse(transport, *lines)
            early = self.peer(transport)
            early.send(stomp("SEND", "destination:/topic/a", "passcode:" + BEFORE, body=BEFORE.encode()))
            self.assertEqual(early.read_frame().command, "ERROR")
        self.client("ws", fields=(("Authorization", "Bearer " + good),))
        self.client("ws", fields=(("Authorization", "Basic " + basic),))
        for value in ("Bearer " + bad, "Basic " + guess):
            self.refuse("ws", fields=(("Authorization", value),))
        self.client("ws", protocols=("v12.stomp", "bearer." + good), fields=(("Authorization", "Bearer " + good),))

    def ask_admin(self):
        """What every known path answers, with the token, without, and with a wrong one."""
        said = ""
        for path in PATHS:
            for authorization in (None, "Bearer " + self.admin_token, "Bearer " + GUESS, "Basic " + GUESS):
                connection = http.client.HTTPConnection(*self.broker.address("admin"), timeout=20)
                connection.request("GET", path, headers={"Authorization": authorization} if authorization else {})
                answer = connection.getresponse()
                if path.startswith("/api/v1/") and authorization == "Bearer " + self.admin_token and "canary" not in path:
                    self.assertEqual(answer.status, 200, path)
                body = answer.read()
                if answer.getheader("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                said += "%s %s\n%s\n" % (path, answer.getheaders(), body.decode())
                connection.close()
        return said

    def run_tools(self):
        config = os.path.join(self.broker.folder, "stampede.toml")
        said = ""
        for arguments in (("print-config", config), ("check-config", config), ("check-config", config, "--json"),
                          ("acl", "check", "--config", config, "--user", "anna", "publish", "/topic/a")):
            code, out, err = run_tool(*arguments)
            self.assertIn(code, (0, 4), err)
            said += out + err
        return said

    def test_S_SEC_01_S_SEC_02_CVE_2026_57219_CVE_2026_33216_are_nowhere(self):
        self.use_everything()
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("reloaded") is not None))
        said = {"admin": self.ask_admin(), "tools": self.run_tools()}
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (self.broker.process.pid, name), encoding="utf-8", errors="replace") as file:
                said[name] = file.read()
        self.assertEqual(self.broker.stop(), 0)
        # pylint: disable=protected-access
        said["log"] = b"".join(self.broker._raw).decode("utf-8", "replace")
        for place, text in said.items():
            self.assertGreater(len(text), 40, place)
            for canary in self.planted:
                self.assertNotIn(canary, text, place)
        # The log did say something of all that.
        self.assertIn("auth-failed", said["log"])
        self.assertIn("reloaded", said["log"])


class Queries(OwnBrokerCase):
    """What stands in the query of a URL opens a door, as in `?key=...`: it is sent, and told nobody."""

    KEYS, HOOK = "keys-query-canary", "hook-query-canary"

    def start_services(self):
        """One that gives no keys, and one that fails; `self.asked`: their paths."""
        self.asked = []

        def answer(path, _):
            self.asked.append(path)
            return 503, "{}"
        folder = make_certificate(type(self))
        services = Service(answer, folder), Service(answer)
        for service in services:
            self.addCleanup(service.close)
        return {"jwt": {"keys_url": services[0].url + "?key=" + self.KEYS, "keys_ca_file": folder + "/cert.pem",
                        "issuer": "https://id.example", "audience": "stampede"},
                "hook": {"url": services[1].url + "?key=" + self.HOOK}, "log": {"level": "trace"}}

    def print_and_check(self, config, *codes):
        """What the tools say about it; the exit codes of print-config and check-config are `codes`."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.toml")
            with open(path, "w", encoding="utf-8") as out:
                out.write(to_toml(config))
            said = ""
            for tool, code in zip(("print-config", "check-config"), codes):
                done = run_tool(tool, path)
                self.assertEqual(done[0], code, done)
                said += done[1] + done[2]
            return said

    def assert_untold(self, text):
        for canary in (self.KEYS, self.HOOK):
            self.assertFalse(canary in text, canary + " is told")

    def test_S_SEC_01_queries_of_urls_are_nowhere(self):
        config = self.start_services()
        self.broker = Broker(config)
        self.addCleanup(self.broker.kill)
        for transport in ("tcp", "ws"):
            peer = self.peer(transport)
            peer.send(stomp("CONNECT", "accept-version:1.2", *login("anna", "guess")))
            self.assertEqual(peer.read_frame(seconds=20).command, "ERROR")
            peer.close()
        self.broker.signal(signal.SIGHUP)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("reloaded") is not None))
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("keys-not-fetched") is not None))
        self.assertEqual(self.broker.stop(), 0)
        for canary in (self.KEYS, self.HOOK):
            self.assertIn("/login?key=" + canary, self.asked)
        # pylint: disable=protected-access
        self.assert_untold(b"".join(self.broker._raw).decode())
        said = self.print_and_check(config, 0, 0)
        self.assert_untold(said)
        for url in (config["jwt"]["keys_url"], config["hook"]["url"]):
            self.assertIn(url.split("?")[0], said)  # All else is shown.

    def test_S_SEC_01_nor_are_those_of_wrong_urls(self):
        for url in ("ftp://127.0.0.1/x?key=%s", "http://example.org/x?key=%s", "https://a b/?key=%s", "https://?key=%s",
                    "https://user:%s@localhost/", "https://localhost:99999/?key=%s", "https://localhost/?a=b&key=%s#f"):
            for section, key, canary in (("hook", "url", self.HOOK), ("jwt", "keys_url", self.KEYS)):
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "a.toml")
                    with open(path, "w", encoding="utf-8") as out:
                        tokens = {"issuer": "https://id.example", "audience": "stampede"} if section == "jwt" else {}
                        out.write(to_toml({section: {key: url % canary, **tokens}}))
                    for tool in ("print-config", "check-config"):
                        code, text, complaint = run_tool(tool, path)
                        self.assertIn(code, (0, 3), complaint)
                        self.assert_untold(text + complaint)


if __name__ == "__main__":
    unittest.main()
