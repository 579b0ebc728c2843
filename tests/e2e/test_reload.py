"""Reload after reload under load: who is allowed notices nothing, who is not any more is gone, what is broken changes
nothing (S-ACL-11, S-BIND-05, S-TLS-03, S-RATE-01).

STAMPEDE_RELOADS says how many times.
"""
import os
import shutil
import signal
import ssl
import threading
import time
import unittest

from support.auth import Place, login, token
from support.broker import Broker, to_toml, until, wait_time
from support.case import OwnBrokerCase, broker_peer, make_certificate
from support.peers import send_to

RELOADS = int(os.environ.get("STAMPEDE_RELOADS", "100"))
CLIENTS = 6
KIB = 1024
FRAMES = (64 * KIB, 32 * KIB)  # Limits of a frame, by turns.
BETWEEN = 48 * KIB
GONE_AFTER = 1.0  # S-ACL-11

STAY = [{"who": ["role:staff"], "allow": ["publish", "subscribe"], "on": ["/topic/load/**"]}]
EXTRA = [{"who": ["role:staff"], "allow": ["subscribe"], "on": ["/topic/extra"]}]


class Worker(threading.Thread):
    """A client that keeps its rights: sends itself messages, one after the other, on one connection."""

    def __init__(self, broker, kind, number, context):
        super().__init__(daemon=True)
        options = {"tls": context} if kind == "wss" else {}
        user = "worker-%d" % number
        self.place = "/topic/load/%d" % number
        self.peer = broker_peer(broker, kind, **options).connect("1.2", "passcode:" + token(sub=user))
        self.peer.subscribe(self.place)
        self.count = 0
        self.fault = None
        self.is_over = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.is_over.is_set():
                body = b"%d" % self.count
                self.peer.send(send_to(self.place, body))
                got = self.peer.read_message(seconds=20)
                if got.body != body:
                    raise AssertionError("sent %r, got %s" % (body, got))
                self.count += 1
        except BaseException as fault:  # pylint: disable=broad-except
            self.fault = fault


class UnderLoad(OwnBrokerCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(shutil.rmtree, self.place.folder)
        self.pairs = [make_certificate(type(self)) for _ in range(3)]
        self.trust = ssl.create_default_context()
        for folder in self.pairs:
            self.trust.load_verify_locations(folder + "/cert.pem")
        with open(self.place.users, encoding="utf-8") as users:
            self.users = users.read()
        self.hash = self.users.splitlines()[0].split(":")[1]
        self.put_certificate(0)
        self.broker = Broker(self.config(0), listeners=False, threads=2)
        self.addCleanup(self.broker.kill)

    def config(self, number):
        config = self.place.config(rules=STAY + EXTRA if number % 2 == 0 else STAY)
        config["limits"] = {"frame": "%dKiB" % (FRAMES[number % 2] // KIB)}
        config["tls"] = {"certificate": self.place.folder + "/cert.pem", "key": self.place.folder + "/key.pem"}
        config["listener"] = [{"kind": "tcp", "address": "127.0.0.1:0"},
                              {"kind": "ws", "address": "127.0.0.1:0", "tls": True}]
        return config

    def write(self, path, text):
        with open(path + ".new", "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path + ".new", 0o640)
        os.rename(path + ".new", path)

    def put_config(self, text):
        self.write(os.path.join(self.broker.folder, "stampede.toml"), text)

    def put_users(self, *names):
        self.write(self.place.users, self.users + "".join("%s:%s:staff\n" % (name, self.hash) for name in names))

    def put_certificate(self, number):
        for name in ("key.pem", "cert.pem"):
            with open(self.pairs[number % len(self.pairs)] + "/" + name, encoding="ascii") as source:
                self.write(self.place.folder + "/" + name, source.read())

    def reload(self, *events):
        """SIGHUP, and the time at which the last of `events` was there."""
        before = len(self.broker.records)
        self.broker.signal(signal.SIGHUP)
        for event in events:
            done = self.broker.wait_for(
                lambda event=event: any(record.get("event") == event for record in self.broker.records[before:]))
            self.assertTrue(done, event + "\n" + self.broker.log_text()[-4000:])
        return time.monotonic()

    def assert_revoked_at_once(self, peer, since):
        self.assert_refused(peer, "revoked", seconds=20)
        self.assertLess(time.monotonic() - since, wait_time(GONE_AFTER))

    def check_limit(self, number):
        peer = self.client("tcp", "1.2", "passcode:" + token(sub="limits"))
        peer.send(send_to("/topic/load/limits", b"x" * BETWEEN, "receipt:r"))
        if FRAMES[number % 2] > BETWEEN:
            self.assertEqual(peer.read_frame().command, "RECEIPT")
        else:
            self.assert_refused(peer, "frame-too-large")
        peer.close()

    def check_certificate(self, number):
        with open(self.pairs[number % len(self.pairs)] + "/cert.pem", encoding="ascii") as file:
            wanted = ssl.PEM_cert_to_DER_cert(file.read())
        peer = self.peer("wss", tls=self.trust)
        self.assertEqual(peer.sock.getpeercert(binary_form=True), wanted)
        peer.close()

    def turn(self, number):
        """Rights, users, certificate and limits of turn `number - 1` give way to those of turn `number`."""
        passer = self.client("tcp", "1.2", *login("passer-%d" % (number - 1), "hunter2-canary"))
        reader = None
        if number % 2 == 1:
            reader = self.client("wss", "1.2", "passcode:" + token(sub="reader"), tls=self.trust)
            reader.subscribe("/topic/extra")
        self.put_users("passer-%d" % number)
        self.put_certificate(number)
        self.put_config(to_toml(self.config(number)))
        since = self.reload("reloaded", "certificate-reloaded")
        self.assert_revoked_at_once(passer, since)
        if reader:
            self.assert_revoked_at_once(reader, since)
        self.check_limit(number)
        self.check_certificate(number)

    def broken_turn(self, number):
        """Everything is broken in its turn, and everything stays as it was."""
        passer = self.client("tcp", "1.2", *login("passer-%d" % number, "hunter2-canary"))
        kind = number // 5 % 3
        if kind == 0:
            self.write(self.place.users, self.users + "carl:in-clear\n")
        elif kind == 1:
            self.put_config(to_toml(self.config(number)) + "\n[limits\nframe = 1")
        else:
            self.write(self.place.folder + "/key.pem", "no key\n")
        self.reload("reload-failed")
        self.put_users("passer-%d" % number)
        self.put_config(to_toml(self.config(number)))
        self.check_limit(number)
        self.check_certificate(number)
        passer.subscribe("/topic/load/passer")
        self.put_certificate(number)

    def test_S_ACL_11_S_BIND_05_S_TLS_03_S_RATE_01_reloads_under_load(self):
        self.put_users("passer-0")
        self.reload("reloaded")
        workers = [Worker(self.broker, ("tcp", "wss")[number % 2], number, self.trust) for number in range(CLIENTS)]
        seen = [0] * CLIENTS
        for number in range(1, RELOADS + 1):
            self.turn(number)
            if number % 5 == 0:
                self.broken_turn(number)
            going = until(lambda seen=seen: all(worker.fault or worker.count > before
                                                for worker, before in zip(workers, seen)))
            self.assertEqual([worker.fault for worker in workers], [None] * CLIENTS, "after reload %d" % number)
            self.assertTrue(going, "after reload %d" % number)
            seen = [worker.count for worker in workers]
        for worker in workers:
            worker.is_over.set()
        for worker in workers:
            worker.join(wait_time(20))
            self.assertIsNone(worker.fault)
            worker.peer.close()
        self.assertEqual(self.broker.stop(), 0)


if __name__ == "__main__":
    unittest.main()
