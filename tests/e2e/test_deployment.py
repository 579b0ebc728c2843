"""The configurations of docs/deployment.md and the proxy of docs/security.md are whole, and let in whom they should."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

from support.auth import login
from support.authority import Authority
from support.broker import Broker, binary, run_tool, until
from support.case import OwnBrokerCase
from support.peers import TcpPeer, WsPeer, upgrade_request

DOCS = pathlib.Path(__file__).parents[2] / "docs"
PASSCODE = "hunter2-canary"
ANNA = login("anna", PASSCODE)
PAGE = ("Origin", "https://broker.example")
AROUND = """daemon off;
master_process off;
pid %s/nginx.pid;
error_log stderr;
events {}
http {
access_log off;
%s%s}
"""


def blocks(page, title, kind):
    """The blocks of that kind in a section of a page."""
    parts = re.split(r"^## (.*)\n", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = dict(zip(parts[1::2], parts[2::2]))[title]
    return re.findall(r"^```%s\n(.*?)^```$" % kind, section, re.MULTILINE | re.DOTALL)


CONFIGURATIONS = {title: blocks("deployment.md", title, "toml")[0] for title in (
    "Browsers and others, with TLS at the broker", "Tokens of Keycloak", "Client certificates")}
CONFIGURATIONS["Behind a proxy"] = blocks("security.md", "Behind a proxy", "toml")[0]


class Deployment(OwnBrokerCase):
    """The files that the pages name are in a folder of their own; so is what the broker writes."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(cls)
        cls.folder = cls.authority.folder
        cls.authority.issue("server", names="DNS:broker.example,DNS:localhost,IP:127.0.0.1")
        cls.authority.issue("orders", names="URI:spiffe://broker.example/orders")
        cls.authority.issue("billing")
        cls.authority.issue("stranger")
        for source, name in (("server.pem", "chain.pem"), ("server-key.pem", "key.pem"), ("ca.pem", "clients-ca.pem"),
                             ("crl.pem", "clients.crl")):
            shutil.copy(cls.authority.path(source), cls.authority.path(name))
            os.chmod(cls.authority.path(name), 0o640)
        subprocess.run([binary(), "passwd", cls.authority.path("users"), "anna", "--role", "staff", "--kind", "bcrypt"],
                       input=PASSCODE.encode() + b"\n", check=True, capture_output=True)

    def placed(self, text):
        return re.sub(r"/etc/stampede/|/var/lib/stampede/|/etc/nginx/broker\.example/", self.folder + "/", text)

    def start(self, title):
        """On free ports of this machine."""
        text = re.sub(r"^address = .*", 'address = "127.0.0.1:0"', self.placed(CONFIGURATIONS[title]), flags=re.M)
        self.broker = Broker(text, ["--data", os.path.join(self.folder, "data")], listeners=False)
        self.addCleanup(self.broker.kill)
        self.assertEqual([record for record in self.broker.records if record["level"] in ("warn", "error")], [])
        return self.broker

    def test_S_BIND_05_every_configuration_is_good(self):
        for title, text in CONFIGURATIONS.items():
            with self.subTest(title):
                file = self.authority.path("stampede.toml")
                pathlib.Path(file).write_text(self.placed(text), encoding="utf-8")
                self.assertEqual(run_tool("check-config", file), (0, file + ": ok\n", ""))

    def test_S_AUTH_04_users_come_in_over_tls(self):
        self.start("Browsers and others, with TLS at the broker")
        for transport in ("tcp", "ws"):
            client = self.client(transport, "1.2", *ANNA, tls=self.authority.client())
            client.subscribe("/topic/news/today").publish("/topic/news/today", b"x")
            self.assertEqual(client.read_message().body, b"x")
        stranger = self.peer(tls=self.authority.client())
        stranger.send(b"CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0")
        self.assert_refused(stranger, "auth-failed")

    def test_S_SEC_02_the_token_of_the_admin_api_is_where_the_page_says(self):
        self.start("Browsers and others, with TLS at the broker")
        self.assertEqual(os.stat(self.authority.path("admin-token")).st_mode & 0o777, 0o600)

    def test_S_AUTH_13_certificates_come_in(self):
        self.start("Client certificates")
        for name in ("orders", "billing"):
            client = TcpPeer(self.broker.address("tcp"), tls=self.authority.client(name))
            self.addCleanup(client.close)
            client.connect().subscribe("/queue/orders.new")
            self.assertEqual(client.connected["user-name"], name)
        stranger = TcpPeer(self.broker.address("tcp"), tls=self.authority.client("stranger"))
        self.addCleanup(stranger.close)
        stranger.send(b"CONNECT\naccept-version:1.2\n\n\0")
        self.assert_refused(stranger, "auth-failed")

    def start_nginx(self):
        """With the server of the page, on a free port; the port."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = blocks("security.md", "Behind a proxy", "nginx")[0]
        for old, new in (("listen 443", "listen 127.0.0.1:%d" % port),
                         ("127.0.0.1:15674", "%s:%d" % self.broker.address("ws")),
                         ("fullchain.pem", "chain.pem"), ("privkey.pem", "key.pem")):
            self.assertIn(old, server)
            server = server.replace(old, new)
        paths = "".join("%s_temp_path %s/%s;\n" % (kind, self.folder, kind)
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.authority.path("nginx.conf")
        pathlib.Path(conf).write_text(AROUND % (self.folder, paths, self.placed(server)), encoding="utf-8")
        nginx = subprocess.Popen(["nginx", "-p", self.folder, "-e", "stderr", "-c", conf], stderr=subprocess.DEVNULL)
        self.addCleanup(nginx.wait)
        self.addCleanup(nginx.kill)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self.assertTrue(until(answers))
        return port

    @unittest.skipUnless(shutil.which("nginx"), "nginx is not installed")
    def test_S_BIND_06_through_nginx_each_client_is_itself(self):
        """Whatever it says about itself; and a page comes in by its own origin only."""
        self.start("Behind a proxy")
        port = self.start_nginx()

        def ask(*fields):
            peer = WsPeer(("127.0.0.1", port), upgrade=False, source="127.0.0.3", tls=self.authority.client(),
                          server_name="broker.example")
            self.addCleanup(peer.close)
            peer.raw(upgrade_request(host="broker.example", fields=fields))
            return peer.read_answer().status, peer

        forged = [(name, "10.9.9.9") for name in ("X-Forwarded-For", "X-Forwarded-Host")]
        for fields in ([PAGE], [("Origin", "https://app.example")], [PAGE, *forged, ("Forwarded", "for=10.9.9.9")]):
            status, peer = ask(*fields)
            self.assertEqual(status, 101)
            peer.connect("1.2", *ANNA).publish("/topic/a", b"x")
        for origin in ("https://evil.example", "http://localhost:3000", "https://10.9.9.9"):
            self.assertEqual(ask(("Origin", origin), *forged)[0], 403)
        remotes = [record["remote"] for record in self.broker.records if record.get("event") == "auth-ok"]
        self.assertEqual(set(remotes), {"127.0.0.3"})


if __name__ == "__main__":
    unittest.main()
