"""Client certificates, several certificates on a listener, revocation, and whom our client believes (security, 2.2, 2.5)."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import warnings

from support.authority import Authority
from support.broker import Broker, binary, run_tool, to_toml
from support.case import OwnBrokerCase, combined, each, send_to, stomp
from support.peers import TcpPeer, WsPeer

SECURE = ("stomps", "wss")
RULES = [{"who": ["authenticated"], "allow": ["publish", "subscribe", "create"], "on": ["/topic/**", "/queue/**"]}]
URI = "uri:spiffe://example.org/anna"


def entry(identity, user, *roles):
    return {"identity": identity, "user": user, "roles": list(roles)}


class CertificateCase(OwnBrokerCase):
    """A CA, some clients, and brokers with `stomps` and `wss` listeners."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(cls)
        cls.pair = cls.authority.issue("server", names="DNS:localhost,IP:127.0.0.1")
        cls.authority.issue("anna", names="URI:spiffe://example.org/anna")
        cls.authority.issue("bert", names="email:bert@example.org")
        cls.authority.issue("carl")
        cls.authority.issue("stranger")
        cls.other = Authority(cls)
        cls.other.issue("anna", names="URI:spiffe://example.org/anna")
        cls.users = os.path.join(cls.authority.folder, "users")
        subprocess.run([binary(), "passwd", cls.users, "dora", "--kind", "bcrypt"], input=b"hunter2-canary\n", check=True,
                       capture_output=True)

    TABLE = [entry(URI, "anna", "staff"), entry("email:bert@example.org", "bert"), entry("dn:CN=carl,O=Example", "carl")]

    def config(self, table=None, tls=(), **listener):
        shared = {"certificate": self.pair[0], "key": self.pair[1], "client_ca": self.authority.file,
                  "crl": [self.authority.crl], **dict(tls)}
        keys = {"address": "127.0.0.1:0", "tls": True, **listener}
        return {"tls": shared, "auth": {"users_file": self.users, "failed_logins": 100},
                "listener": [{"kind": "tcp", **keys}, {"kind": "ws", **keys}], "acl": RULES,
                "certificate": self.TABLE if table is None else table}

    def start(self, config, **options):
        broker = Broker(config, listeners=False, **options)
        self.addCleanup(self.end, broker)
        return broker

    def end(self, broker):
        self.assertEqual(broker.stop(), 0, broker.log_text())
        self.assertFalse(broker.bad_log_lines or broker.event("handler-failed"), broker.log_text())

    def dial(self, broker, transport, name=None, authority=None, **options):
        options.setdefault("tls", (authority or self.authority).client(name, self.authority.file))
        kind, of = ("tcp", TcpPeer) if transport == "stomps" else ("ws", WsPeer)
        peer = of(broker.address(kind), **options)
        self.addCleanup(peer.close)
        return peer

    def answer(self, broker, transport, name, *lines, **options):
        """`user-name` or `session` of CONNECTED, or the token of the refusal, or None if TLS did not come about."""
        try:
            peer = self.dial(broker, transport, name, **options)
            peer.send(stomp("CONNECT", "accept-version:1.2", *lines))
            frame = peer.read_frame(20)
        except (ssl.SSLError, OSError, AssertionError):
            return None
        return "CONNECTED" if frame.command == "CONNECTED" else frame["message"]

    def wait_for(self, broker, event, before):
        done = broker.wait_for(lambda: any(record.get("event") == event for record in broker.records[before:]))
        self.assertTrue(done, broker.log_text())

    def assert_logged(self, broker, event, **fields):
        self.assertTrue(broker.wait_for(lambda: broker.event(event, **fields) is not None), broker.log_text())

    def reload(self, broker, event="reloaded"):
        before = len(broker.records)
        broker.signal(signal.SIGHUP)
        self.wait_for(broker, event, before)


DORA = ("login:dora", "passcode:hunter2-canary")


class Clients(CertificateCase):
    """Who comes in by certificate."""

    @each(SECURE)
    def test_S_AUTH_13_required(self, transport):
        broker = self.start(self.config(client_certificates="required"))
        for name in ("anna", "bert", "carl"):
            self.assertEqual(self.answer(broker, transport, name), "CONNECTED", broker.log_text())
        self.assertEqual(self.answer(broker, transport, "stranger"), "auth-failed")
        self.assert_logged(broker, "auth-failed",
                           why="certificate is not listed in [[certificate]]: dn:CN=stranger,O=Example")
        for name, authority in ((None, None), ("anna", self.other)):
            self.assertIsNone(self.answer(broker, transport, name, *DORA, authority=authority))
        self.assert_logged(broker, "auth-failed", msg="A client certificate was refused: none was given")
        # It decides alone, and no passcode mends it.
        self.assertEqual(self.answer(broker, transport, "stranger", *DORA), "auth-failed")
        self.assertEqual(self.answer(broker, transport, "anna", "login:dora", "passcode:guess"), "CONNECTED")

    @each(SECURE)
    def test_S_AUTH_13_optional(self, transport):
        broker = self.start(self.config(client_certificates="optional"))
        self.assertEqual(self.answer(broker, transport, "anna"), "CONNECTED")
        self.assertEqual(self.answer(broker, transport, None, *DORA), "CONNECTED")
        self.assertEqual(self.answer(broker, transport, None), "auth-failed")
        self.assertEqual(self.answer(broker, transport, "stranger", *DORA), "auth-failed")
        self.assertIsNone(self.answer(broker, transport, "anna", *DORA, authority=self.other))

    @each(SECURE)
    def test_S_AUTH_13_off(self, transport):
        broker = self.start(self.config(client_certificates="off"))
        self.assertEqual(self.answer(broker, transport, "anna"), "auth-failed")
        self.assertEqual(self.answer(broker, transport, "anna", *DORA), "CONNECTED")

    @each(SECURE)
    def test_S_AUTH_03_sources_of_a_listener(self, transport):
        broker = self.start(self.config(client_certificates="required", credentials=["passcode"]))
        self.assertEqual(self.answer(broker, transport, "anna"), "auth-failed")
        self.assertEqual(self.answer(broker, transport, "stranger", *DORA), "CONNECTED")
        broker = self.start(self.config(client_certificates="optional", credentials=["certificate"]))
        self.assertEqual(self.answer(broker, transport, "anna"), "CONNECTED")
        self.assertEqual(self.answer(broker, transport, None, *DORA), "auth-failed")

    def test_S_AUTH_03_basic_of_the_upgrade_can_be_off(self):
        fields = [("Authorization", "Basic ZG9yYTpodW50ZXIyLWNhbmFyeQ==")]
        for credentials, answer in ((["upgrade"], "CONNECTED"), (["passcode"], "auth-failed")):
            broker = self.start(self.config(credentials=credentials))
            self.assertEqual(self.answer(broker, "wss", None, fields=fields), answer)

    @each(SECURE)
    def test_S_AUTH_13_one_that_is_taken_off_the_list_is_gone(self, transport):
        broker = self.start(self.config(client_certificates="optional"), threads=2)
        anna = self.dial(broker, transport, "anna").connect().subscribe("/topic/a")
        bert = self.dial(broker, transport, "bert").connect().subscribe("/topic/b")
        dora = self.dial(broker, transport).connect("1.2", *DORA)
        with open(os.path.join(broker.folder, "stampede.toml"), "w", encoding="utf-8") as out:
            out.write(to_toml(self.config(self.TABLE[1:], client_certificates="optional")))
        self.reload(broker)
        self.assertEqual(anna.read_end()[-1]["message"], "revoked")
        dora.publish("/topic/b", b"still here")
        self.assertEqual(bert.read_message().body, b"still here")
        self.assertEqual(self.answer(broker, transport, "anna"), "auth-failed")

    def test_S_AUTH_12_a_session_ends_with_its_certificate(self):
        ends = time.time() + 5
        stamp = time.strftime("%y%m%d%H%M%SZ", time.gmtime(ends))
        self.authority.issue("brief", names="URI:spiffe://example.org/anna", dates=["-enddate", stamp])
        broker = self.start(self.config(client_certificates="required"))
        peer = self.dial(broker, "stomps", "brief").connect()
        self.assertEqual(peer.read_end(20)[-1]["message"], "token-expired")
        self.assertLess(abs(time.time() - ends), 3)
        self.assertIsNone(self.answer(broker, "stomps", "brief"))

    def test_CVE_2026_33248_other_subjects_with_the_same_parts(self):
        broker = self.start(self.config(client_certificates="required"))
        subjects = ("/CN=carl/O=Example", "/O=Example/CN=x/CN=carl", "/O=Example/CN=carl/CN=x", "/CN=carl,O=Example",
                    "/O=Example/CN=Carl", "/O=Example/CN=carl ", "/O=Example+CN=carl")
        for number, subject in enumerate(subjects):
            name = "odd%d" % number
            self.authority.issue(name, subject=subject)
            self.assertEqual(self.answer(broker, "stomps", name), "auth-failed", subject)
        self.assertEqual(self.answer(broker, "stomps", "carl"), "CONNECTED")


class Revocation(CertificateCase):
    @each(combined(SECURE, {"on_sighup": True, "by_itself": False}))
    def test_S_AUTH_13_new_handshakes_of_a_revoked_one_fail_and_nobody_is_dropped(self, transport, by_signal):
        broker = self.start(self.config(client_certificates="required"), threads=2)
        name = "gone-%s-%s" % (transport, by_signal)
        self.authority.issue(name, names="URI:spiffe://example.org/anna")
        there = self.dial(broker, transport, "bert").connect().subscribe("/topic/a")
        self.assertEqual(self.answer(broker, transport, name), "CONNECTED")
        stop = threading.Event()
        sent = []

        def publish():
            writer = self.dial(broker, transport, "carl").connect()
            while not stop.is_set():
                writer.send(send_to("/topic/a", b"%d" % len(sent)))
                sent.append(1)
                stop.wait(0.01)
            writer.send(send_to("/topic/a", b"end"))
            stop.writer = writer
        thread = threading.Thread(target=publish)
        thread.start()
        before = len(broker.records)
        self.authority.revoke(name)
        if by_signal:
            broker.signal(signal.SIGHUP)
        self.wait_for(broker, "certificate-reloaded", before)
        self.assertTrue(broker.wait_for(lambda: sum(
            record.get("event") == "certificate-reloaded" for record in broker.records[before:]) >= 2))
        self.assertIsNone(self.answer(broker, transport, name))
        self.assert_logged(broker, "auth-failed", msg="A client certificate was refused: certificate revoked")
        self.assertEqual(self.answer(broker, transport, "anna"), "CONNECTED")
        stop.set()
        thread.join(20)
        bodies = []
        while not bodies or bodies[-1] != b"end":
            bodies.append(there.read_message().body)
        self.assertEqual(bodies[:-1], [b"%d" % i for i in range(len(sent))])

    def test_S_AUTH_13_an_outdated_list_refuses_and_is_told(self):
        self.authority.publish("-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z")
        self.addCleanup(self.authority.publish)
        broker = self.start(self.config(client_certificates="optional"))
        self.assertIn("is out of date", broker.event("key-file")["msg"])
        self.assertIsNone(self.answer(broker, "stomps", "anna"))
        self.assert_logged(broker, "auth-failed", msg="A client certificate was refused: CRL has expired")
        self.assertEqual(self.answer(broker, "stomps", None, *DORA), "CONNECTED")

    def test_S_BIND_05_a_bad_list_keeps_the_old_one(self):
        self.authority.publish()
        broker = self.start(self.config(client_certificates="required"))
        for text in ("", "garbage"):
            before = len(broker.records)
            with open(self.authority.crl, "w", encoding="utf-8") as out:
                out.write(text)
            self.wait_for(broker, "reload-failed", before)
            self.assertIn(self.authority.crl, broker.log_text())
            self.assertEqual(self.answer(broker, "stomps", "anna"), "CONNECTED")
            self.assertIsNone(self.answer(broker, "stomps", None))
        self.authority.publish()


class Names(CertificateCase):
    """Several certificates on one listener."""

    def pairs(self):
        first = self.authority.issue("one", names="DNS:localhost,DNS:one.example.org")
        second = self.authority.issue("two", names="DNS:two.example.org,DNS:*.many.example.org")
        return {"certificate": first[0], "key": first[1]}, {"certificate": second[0], "key": second[1]}

    def served(self, broker, transport, name):
        peer = self.dial(broker, transport, server_name=name, **({"upgrade": False} if transport == "wss" else {}))
        subject = dict(part[0] for part in peer.sock.getpeercert()["subject"])
        return subject["commonName"]

    @each(SECURE)
    def test_S_TLS_03_the_certificate_of_the_name(self, transport):
        first, second = self.pairs()
        config = self.config(tls=first)
        broker = self.start({**config, "tls.pair": [second]})
        for name, subject in (("localhost", "one"), ("one.example.org", "one"), ("two.example.org", "two"),
                              ("TWO.example.org", "two"), ("x.many.example.org", "two")):
            self.assertEqual(self.served(broker, transport, name), subject)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.served(broker, transport, "a.b.many.example.org")
        # The second is exchanged like the first.
        there = self.dial(broker, transport, server_name="two.example.org").connect("1.2", *DORA)
        before = len(broker.records)
        fresh = self.authority.issue("fresh", names="DNS:two.example.org")
        os.rename(fresh[1], second["key"])
        os.rename(fresh[0], second["certificate"])
        self.wait_for(broker, "certificate-reloaded", before)
        self.assertTrue(broker.wait_for(lambda: sum(
            record.get("event") == "certificate-reloaded" for record in broker.records[before:]) >= 2))
        self.assertEqual(self.served(broker, transport, "two.example.org"), "fresh")
        self.assert_lives(there)

    STYLES = ("file", "environment", "own_pair", "server_key", "by_name", "client_certificates")

    def broker_in_style(self, style):
        """The same TLS, written in another way."""
        first, second = self.pairs()
        config = self.config(tls=first)
        options = {}
        if style == "own_pair":
            for listener in config["listener"]:
                del listener["tls"]
                listener.update({"tls_certificate": first["certificate"], "tls_key": first["key"]})
        elif style == "server_key":
            config["server"] = {"tcp": "127.0.0.1:0", "ws": "127.0.0.1:0"}
        elif style == "environment":
            del config["tls"]["certificate"], config["tls"]["key"]
            options["environment"] = {"STAMPEDE_TLS__CERTIFICATE": first["certificate"], "STAMPEDE_TLS__KEY": first["key"]}
        elif style == "by_name":
            config["tls.pair"] = [second]
        elif style == "client_certificates":
            for listener in config["listener"]:
                listener["client_certificates"] = "optional"
        return self.start(config, **options), "two.example.org" if style == "by_name" else "localhost"

    @each(combined(STYLES, SECURE))
    def test_CVE_2021_32026_the_same_suites_in_every_style(self, style, transport):
        broker, name = self.broker_in_style(style)

        def offers(suites, version):
            context = self.authority.client()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
            context.set_ciphers(suites + ":@SECLEVEL=0")
            try:
                address = broker.address("tcp" if transport == "stomps" else "ws")
                with socket.create_connection(address, 10) as sock:
                    with context.wrap_socket(sock, server_hostname=name) as wrapped:
                        return wrapped.cipher()[0]
            except (ssl.SSLError, ConnectionError):
                return None
        old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        self.assertIsNotNone(offers("DEFAULT", new))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        known = [suite["name"] for suite in context.get_ciphers() if not suite["name"].startswith("TLS_")]
        taken = {suite for suite in known if offers(suite, old)}
        self.assertEqual(taken, {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                 "ECDHE-ECDSA-CHACHA20-POLY1305"})
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            self.assertIsNone(offers("ALL", version))


class Refusals(CertificateCase):
    """What stops the start, and where it is said to be."""

    def refuse(self, words, config):
        """Neither the check nor the start takes it, and both say why."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.toml")
            with open(path, "w", encoding="utf-8") as out:
                out.write(to_toml(config))
            code, _, text = run_tool("check-config", path)
            self.assertEqual(code, 3, text)
            self.assertIn(words, text)
            done = subprocess.run([binary(), "serve", "--config", path, "--admin", "off"], capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertIn(done.returncode, (1, 3), done.stderr)
            self.assertIn(words, done.stderr)

    def without_tls(self, **listener):
        config = self.config(**listener)
        for keys in config["listener"]:
            del keys["tls"]
        return config

    def test_S_BIND_05_half_of_it(self):
        required = {"client_certificates": "required"}
        cases = (
            ("name the file of those who issue them in client_ca", self.config(tls={"client_ca": ""}, **required)),
            ("only TLS has certificates", self.without_tls(**required)),
            ("set client_certificates", self.config(client_ca=self.authority.file)),
            ("set client_certificates", self.config(crl=[self.authority.crl])),
            ("expected certificate, upgrade, authorization or passcode", self.config(credentials=["cookie"])),
            ("without any nobody could come in", self.config(credentials=[])),
            ("off, optional or required", self.config(client_certificates="maybe")),
            ("listed twice", self.config([entry(URI, "anna"), entry(URI, "bert")], **required)),
            ("expected \"uri:\"", self.config([entry("CN=anna", "anna")], **required)),
            ("which separates", self.config([entry(URI, "spiffe://example.org/anna")], **required)),
            ("name both", {**self.config(), "tls.pair": [{"certificate": self.pair[0]}]}),
            ("the first pair is", {**self.config(tls={"certificate": "", "key": ""}, tls_certificate=self.pair[0],
                                                 tls_key=self.pair[1]),
                                   "tls.pair": [{"certificate": self.pair[0], "key": self.pair[1]}]}),
        )
        for words, config in cases:
            self.refuse(words, config)

    def test_S_BIND_05_bad_files_are_named(self):
        folder = self.authority.folder
        bad = os.path.join(folder, "bad.pem")
        for text in ("", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n"):
            with open(bad, "w", encoding="utf-8") as out:
                out.write(text)
            for tls in ({"client_ca": bad}, {"crl": [self.authority.crl, bad]}):
                self.refuse(bad, self.config(tls=tls, client_certificates="optional"))
            for pair in ({"certificate": bad, "key": self.pair[1]}, {"certificate": self.pair[0], "key": bad}):
                self.refuse(bad, {**self.config(), "tls.pair": [pair]})
        missing = os.path.join(folder, "missing.pem")
        self.refuse(missing, self.config(tls={"client_ca": missing}, client_certificates="optional"))
        foreign = {"certificate": self.pair[0], "key": os.path.join(folder, "anna-key.pem")}
        self.refuse("does not belong", {**self.config(), "tls.pair": [foreign]})

    def test_S_TLS_03_modes_of_each_key(self):
        loose = os.path.join(self.authority.folder, "loose-key.pem")
        shutil.copy(self.pair[1], loose)
        os.chmod(loose, 0o644)
        config = {**self.config(), "tls.pair": [{"certificate": self.pair[0], "key": loose}]}
        self.assertIn(loose, self.start(config).event("key-file")["msg"])
        config["tls"]["strict_file_modes"] = True
        self.refuse(loose, config)


class OurClient(CertificateCase):
    """The command-line client believes nobody who does not prove who he is (S-TLS-04)."""

    def ping(self, pair):
        broker = self.start(self.config(tls={"certificate": pair[0], "key": pair[1]}))
        port = broker.address("ws")[1]
        passcode = self.authority.path("passcode")
        with open(passcode, "w", encoding="utf-8") as out:
            out.write("hunter2-canary\n")
        code, said, complaint = run_tool("ping", "wss://localhost:%d/ws" % port, "--ca-file", self.authority.file, "--user",
                                         "dora", "--pass-file", passcode)
        return code, said + complaint

    def test_S_TLS_04_one_that_proves_it(self):
        code, text = self.ping(self.pair)
        self.assertEqual(code, 0, text)

    def test_S_TLS_04_others(self):
        names = "DNS:localhost,IP:127.0.0.1"
        past = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
        itself = self.authority.path("self.pem"), self.authority.path("self-key.pem")
        self.authority.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                           "-subj", "/CN=localhost", "-addext", "subjectAltName=" + names, "-keyout", itself[1], "-out",
                           itself[0])
        for words, pair in (("unable to get local issuer certificate|certificate signature failure",
                             self.other.issue("server", names=names)),
                            ("ostname mismatch", self.authority.issue("elsewhere", names="DNS:example.org")),
                            ("expired", self.authority.issue("old", names=names, dates=past)),
                            ("self-signed", itself)):
            code, text = self.ping(pair)
            self.assertNotEqual(code, 0, text)
            self.assertRegex(text, words)
            self.assertNotIn("canary", text)


if __name__ == "__main__":
    import unittest
    unittest.main()
