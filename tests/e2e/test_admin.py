"""The admin listener: its token, faulty requests, crowds, and delayed messages that an operator lists and cancels
(S-WEB-04, -05, -07, S-RATE-03, P-QOS-03)."""
import http.client
import json
import os
import re
import shutil
import socket
import stat
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

from support.broker import MIB, Broker, until, wait_time
from support.case import BrokerCase, OwnBrokerCase, each, send_to
from support.peers import upgrade_request


def call(broker, path, method="GET", token=None, **headers):
    """(status, JSON or None, headers)"""
    host, port = broker.address("admin")
    request = urllib.request.Request("http://%s:%d%s" % (host, port, path), method=method)
    if token is not None:
        request.add_header("Authorization", "Bearer " + token)
    for name, value in headers.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=wait_time(10)) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers


class Access(BrokerCase):
    def test_S_WEB_07_the_token_is_in_a_file_that_only_its_owner_reads(self):
        name = self.broker.event("admin-token")["file"]
        self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)
        token = self.broker.admin_token()
        self.assertRegex(token, "^[0-9a-f]{64}$")
        self.assertNotIn(token, self.broker.log_text())

    @each(["", "x", "Bearer", "0" * 64, "0" * 63, "0" * 65])
    def test_S_WEB_07_without_it_nothing_is_told(self, token):
        for path in ("/api/v1/scheduled", "/api/v1/nothing", "/nothing"):
            status, body, headers = call(self.broker, path, token=token)
            self.assertEqual((status, body["status"]), (401, 401))
            self.assertEqual(headers["WWW-Authenticate"], "Bearer")
            self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.assertEqual(call(self.broker, "/api/v1/scheduled/x", "DELETE", token)[0], 401)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("admin-denied", status=401)))

    def test_S_WEB_07_health_needs_none(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.broker.http(path)[0], 200)

    def test_S_WEB_08_a_file_that_the_browser_has_is_not_sent_again(self):
        connection = http.client.HTTPConnection(*self.broker.address("admin"), timeout=wait_time(10))
        self.addCleanup(connection.close)

        def ask(**headers):
            connection.request("GET", "/", headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, len(answer.read()), answer.getheader("ETag")
        status, size, tag = ask()
        self.assertEqual(status, 200)
        self.assertGreater(size, 0)
        self.assertEqual(ask(If_None_Match=tag), (304, 0, tag))
        self.assertEqual(ask(If_None_Match='"x", W/' + tag), (304, 0, tag))
        self.assertEqual(ask(If_None_Match='"x"'), (200, size, tag))

    def test_S_WEB_04_other_hosts_are_not_served(self):
        token = self.broker.admin_token()
        for host in ("evil.example", "evil.example:80", "localhost.evil.example"):
            self.assertEqual(call(self.broker, "/api/v1/scheduled", token=token, Host=host)[0], 421)
        for host in ("localhost", "localhost:1", "127.0.0.1", "[::1]:9"):
            self.assertEqual(call(self.broker, "/api/v1/scheduled", token=token, Host=host)[0], 200)

    @each(["limit=0", "limit=1001", "limit=-1", "limit=x", "offset=100001", "offset=99999999999999999999",
           "what=1", "destination=%", "destination=%zz", "limit"])
    def test_S_WEB_07_NATS_2026_28_a_wrong_query_is_refused(self, query):
        status, body, _ = call(self.broker, "/api/v1/scheduled?" + query, token=self.broker.admin_token())
        self.assertEqual(status, 400)
        self.assertRegex(body["detail"], "limit|offset|percent-encoded")

    def test_S_WEB_07_methods_and_paths(self):
        token = self.broker.admin_token()
        self.assertEqual(call(self.broker, "/api/v1/scheduled", "DELETE", token)[0], 405)
        self.assertEqual(call(self.broker, "/api/v1/scheduled/x", "GET", token)[0], 405)
        for path in ("/api/", "/api/v1/", "/api/schedule", "/api/v1/scheduledx", "/api/v2/scheduled"):
            self.assertEqual(call(self.broker, path, token=token)[0], 404, path)
        for name in ("unknown", "x" * 65, "%00"):
            self.assertEqual(call(self.broker, "/api/v1/scheduled/" + name, "DELETE", token)[0], 404, name)


class Refusing(BrokerCase):
    @each({"a_large_body": ("POST /api/v1/publish", "", 4 * MIB, 413), "no_body_there": ("GET /api/v1/overview", "", MIB, 413),
           "no_call": ("POST /api/v1/nothing", "", MIB, 404), "no_token": ("POST /api/v1/publish", "x", MIB, 401),
           "a_large_head": ("GET /api/v1/overview?" + "x" * 9000, "", MIB, 431)})
    def test_O_10_a_refusal_reaches_who_has_not_yet_sent_it_all(self, call, token, size, status):
        """Everything is sent before the answer is read: a close that resets would have discarded it."""
        head = ("%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                "Content-Length: %d\r\n\r\n" % (call, token or self.broker.admin_token(), size))
        with socket.create_connection(self.broker.address("admin"), wait_time(10)) as sock:
            sock.sendall(head.encode() + b" " * size)
            with sock.makefile("rb") as file:
                answer = file.read()
        self.assertRegex(answer.decode(), r"^HTTP/1\.1 %d [^{]*\r\n\r\n{.*\.\".*}\n$" % status)


class Faulty(BrokerCase):
    """A request of which nobody can be sure where it ends, whom it asks or who asks is not answered but refused."""

    BEHIND = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def assert_ends(self, octets, status=400, seconds=10):
        """One answer to all of it, the end of the connection, and health as before."""
        with socket.create_connection(self.broker.address("admin"), wait_time(seconds)) as sock:
            sock.sendall(octets if isinstance(octets, bytes) else octets.encode())
            with sock.makefile("rb") as file:
                answer = file.read().decode()
        self.assertRegex(answer, r"^HTTP/1\.1 %d " % status)
        self.assertEqual(len(re.findall(r"HTTP/1\.1 \d", answer)), 1, answer)
        self.assertEqual(self.broker.http("/healthz")[0], 200)

    def publishing(self, *fields):
        """The head of a call that may have a body."""
        return "\r\n".join(("POST /api/v1/publish HTTP/1.1", "Host: localhost", "Content-Type: application/json",
                             "Authorization: Bearer " + self.broker.admin_token(), *fields, "", ""))

    @each({"gzip": "gzip", "identity": "identity", "unknown": "xchunked", "chunked_identity": "chunked, identity",
           "chunked_gzip": "chunked, gzip", "gzip_chunked": "gzip, chunked", "parameter": "chunked;q=1", "empty": "",
           "with_a_length": "gzip\r\nContent-Length: %d" % len(BEHIND)})
    def test_S_WEB_05_another_transfer_coding_than_chunked(self, coding):
        field = "Transfer-Encoding: " + coding
        self.assert_ends(self.publishing(field) + self.BEHIND)
        for call in ("GET /healthz", "DELETE /api/v1/scheduled/x"):
            self.assert_ends("%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s" % (call, field, self.BEHIND))

    def test_S_WEB_05_chunks_are_of_HTTP_1_1(self):
        self.assert_ends("GET /healthz HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

    @each({"length": ("Content-Length", str(len(BEHIND))), "chunks": ("Transfer-Encoding", "chunked")})
    def test_S_WEB_05_an_upgrade_has_no_body(self, name, value):
        self.assert_ends(upgrade_request(fields=[(name, value)]) + self.BEHIND.encode())

    @each({"negative": "-1\r\nx\r\n", "no_number": "zz\r\nx\r\n", "no_line_end": "2\r\n{}XX0\r\n\r\n"})
    def test_S_WEB_05_broken_chunks(self, chunks):
        self.assert_ends(self.publishing("Transfer-Encoding: chunked") + chunks)

    def test_S_WEB_05_another_version(self):
        self.assert_ends("GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 505)

    def test_S_WEB_05_half_a_head_is_told_that_its_time_is_over(self):
        self.assert_ends("GET /healthz HTTP/1.1\r\nHost: loc", 408, seconds=30)

    @each({"the_other_second": ["localhost", "evil.example"], "the_other_first": ["evil.example", "localhost"],
           "the_same_twice": ["localhost", "localhost"], "none": []})
    def test_S_WEB_04_there_is_one_host(self, hosts):
        fields = "".join("Host: %s\r\n" % host for host in hosts)
        for path in ("/healthz", "/", "/api/v1/scheduled"):
            self.assert_ends("GET %s HTTP/1.1\r\n%s\r\n%s" % (path, fields, self.BEHIND))
        self.assert_ends(upgrade_request(leave_out=["Host"], fields=[("Host", host) for host in hosts]))

    @each({"first": (True, False), "second": (False, True), "twice": (True, True)})
    def test_S_WEB_07_there_is_one_authorization(self, *are_right):
        token = self.broker.admin_token()
        fields = "".join("Authorization: Bearer %s\r\n" % (token if is_right else "x") for is_right in are_right)
        self.assert_ends("GET /api/v1/scheduled HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s" % (fields, self.BEHIND))


class Crowd(BrokerCase):
    """More connections than the listener has places."""

    def connected(self, octets=b"", received=None):
        sock = socket.socket()
        self.addCleanup(sock.close)
        if received is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, received)
        sock.settimeout(wait_time(10))
        sock.connect(self.broker.address("admin"))
        sock.sendall(octets)
        return sock

    def assert_healthy(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.broker.http(path)[0], 200)

    def scheduled(self):
        return call(self.broker, "/api/v1/scheduled", token=self.broker.admin_token())

    @each({"silent": b"", "half_a_head": b"GET /healthz HTTP/1.1\r\n", "refused": b"GET /none HTTP/1.1\r\n\r\n",
           "served": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"})
    def test_S_RATE_03_who_waited_longest_makes_room(self, octets):
        crowd = [self.connected(octets) for _ in range(200)]
        self.assert_healthy()
        self.assertEqual(self.scheduled()[0], 200)
        last = self.connected(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(last.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("admin-connections", connections=64)))
        if not octets:
            self.assertEqual(crowd[0].recv(1), b"")
            crowd[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(crowd[-1].recv(100).startswith(b"HTTP/1.1 200 "))

    def test_S_RATE_03_nobody_who_is_served_makes_room(self):
        peer = self.client()
        headers = {"Authorization": "Bearer " + self.broker.admin_token()}
        traced = http.client.HTTPConnection(*self.broker.address("admin"), timeout=wait_time(10))
        self.addCleanup(traced.close)
        traced.request("GET", "/api/v1/connections/%s/trace" % peer.connected["session"], headers=headers)
        frames = traced.getresponse()
        self.addCleanup(frames.close)
        self.assertEqual(frames.readline(), b": frames follow\n")
        body = b'{"destination": "/topic/crowd", "body": "x"}'
        sender = self.connected((
            "POST /api/v1/publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Length: %d\r\n"
            "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n" % (headers["Authorization"], len(body))
        ).encode())
        self.assertTrue(sender.recv(100).startswith(b"HTTP/1.1 100 "))
        for _ in range(200):
            self.connected()
        self.assert_healthy()
        sender.sendall(body)
        self.assertTrue(sender.recv(100).startswith(b"HTTP/1.1 200 "))
        peer.send(send_to("/topic/crowd", b"x"))
        while b'"SEND"' not in frames.readline():
            pass

    def slow_readers(self, path, *fields):
        """They ask for much and read nothing of it."""
        request = "\r\n".join(("GET %s HTTP/1.1" % path, "Host: localhost", *fields, "", "")).encode()
        return [self.connected(request * 150, received=4096) for _ in range(80)]

    def test_S_RATE_03_slow_readers_without_a_token_leave_room(self):
        script = re.search(r'src="(/[^"]+\.js)"', self.broker.http("/")[1]).group(1)
        self.slow_readers(script)
        self.assertTrue(until(lambda: self.broker.http(script)[0] == 503))
        self.assert_healthy()
        self.assertEqual(self.scheduled()[0], 200)

    def test_S_RATE_03_slow_readers_with_a_token_leave_room_for_health(self):
        self.slow_readers("/api/v1/openapi.json", "Authorization: Bearer " + self.broker.admin_token())
        # The log takes ten of these lines a second.
        self.assertTrue(until(
            lambda: self.scheduled()[0] == 503 and self.broker.event("admin-connections", busy=48) is not None))
        status, body, headers = self.scheduled()
        self.assertEqual((status, body["reason"], headers["Retry-After"]), (503, "overload", "5"))
        self.assert_healthy()


class Scheduled(BrokerCase):
    threads = 3

    def test_P_QOS_03_listed_by_time_from_all_shards_and_cancelled(self):
        token = self.broker.admin_token()
        peer = self.client()
        for i in range(20):
            peer.publish("/queue/listed%d" % (i % 5), b"%d" % i, "x-delay:%d" % (1000000 - 1000 * i))
        status, page, _ = call(self.broker, "/api/v1/scheduled", token=token)
        self.assertEqual((status, page["total"], len(page["messages"])), (200, 20, 20))
        times = [message["due"] for message in page["messages"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(set(page["messages"][0]),
                         {"id", "destination", "due", "period", "repeats", "size", "durable"})
        self.assertFalse(page["messages"][0]["durable"])
        part = call(self.broker, "/api/v1/scheduled?offset=5&limit=3", token=token)[1]
        self.assertEqual(part["messages"], page["messages"][5:8])
        for spelling in ("/queue/listed2", "listed2", "/amq/queue/listed2"):
            query = urllib.parse.quote(spelling, safe="")
            some = call(self.broker, "/api/v1/scheduled?destination=" + query, token=token)[1]
            self.assertEqual((some["total"], {m["destination"] for m in some["messages"]}), (4, {"/queue/listed2"}))
        for message in page["messages"]:
            self.assertEqual(call(self.broker, "/api/v1/scheduled/" + message["id"], "DELETE", token)[0], 204)
            self.assertEqual(call(self.broker, "/api/v1/scheduled/" + message["id"], "DELETE", token)[0], 404)
        self.assertEqual(call(self.broker, "/api/v1/scheduled", token=token)[1]["total"], 0)

    def test_P_QOS_03_it_comes_when_due(self):
        peer = self.client()
        for destination in ("/queue/due", "/topic/due", "/queue/due2"):
            peer.subscribe(destination, id=destination)
            peer.publish(destination, b"x", "x-delay:300")
            self.assertEqual(peer.early, [])
            self.assertEqual(peer.read_message().body, b"x")

    def test_P_QOS_03_repeats_are_listed_with_what_is_left(self):
        token = self.broker.admin_token()
        self.client().publish("/topic/repeated", b"abc", "x-delay:60000", "AMQ_SCHEDULED_PERIOD:2000",
                              "AMQ_SCHEDULED_REPEAT:7")
        page = call(self.broker, "/api/v1/scheduled?destination=/topic/repeated", token=token)[1]
        message, = page["messages"]
        self.assertEqual((message["period"], message["repeats"], message["size"]), (2000, 7, 3))


class Durable(OwnBrokerCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="e2e-admin-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.token_file = os.path.join(self.folder, "token")

    def start(self, threads=2):
        storage = {"directory": os.path.join(self.folder, "data"), "allow_unsafe_filesystem": True,
                   "disk_floor": "1MiB"}
        self.broker = Broker({"storage": storage, "admin": {"token_file": self.token_file}}, threads=threads)
        self.addCleanup(self.broker.kill)

    def crash(self):
        self.broker.process.kill()
        self.broker.wait()
        self.broker.kill()

    def scheduled(self):
        return call(self.broker, "/api/v1/scheduled", token=self.broker.admin_token())[1]["messages"]

    def test_P_QOS_03_what_was_confirmed_comes_after_a_crash_and_what_was_cancelled_does_not(self):
        self.start()
        with open(self.token_file, encoding="ascii") as file:
            token = file.read().strip()
        peer = self.client()
        for body in (b"kept", b"cancelled"):
            peer.publish("/queue/a", body, "x-delay:1000")
        peer.publish("/queue/once", b"x", "dedup-id:1")
        messages = self.scheduled()
        self.assertEqual([message["durable"] for message in messages], [True, True])
        victim, = [message["id"] for message in messages if message["size"] == len(b"cancelled")]
        self.assertEqual(call(self.broker, "/api/v1/scheduled/" + victim, "DELETE", token)[0], 204)
        self.crash()
        self.start(threads=3)
        self.assertEqual(self.broker.admin_token(), token)
        peer = self.client().subscribe("/queue/a")
        self.assertEqual(peer.read_message().body, b"kept")
        self.assert_silent(peer)
        self.assertTrue(until(lambda: self.scheduled() == []))
        peer.publish("/queue/once", b"again", "dedup-id:1")
        peer = self.client().subscribe("/queue/once")
        self.assertEqual(peer.read_message().body, b"x")
        self.assert_silent(peer)
        self.assertEqual(self.broker.stop(), 0, self.broker.log_text())

    def test_S_SEC_02_a_token_of_the_operators_own(self):
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write("a-token-of-my-own\n")
        os.chmod(self.token_file, 0o644)
        self.start()
        self.assertEqual(call(self.broker, "/api/v1/scheduled", token="a-token-of-my-own")[0], 200)
        self.assertIn("0600", self.broker.event("key-file")["msg"])
        self.broker.stop()
        self.assertTrue(os.path.exists(self.token_file))

    def test_S_WEB_07_a_token_may_do_what_its_scopes_say(self):
        tokens = {scope: (scope + "-token") * 4 for scope in ("read", "publish", "admin", "read,publish")}
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write("# who may what\n\n" + "".join("%s %s\n" % line for line in tokens.items()))
        os.chmod(self.token_file, 0o600)
        self.start()
        for scope, token in tokens.items():
            with self.subTest(scope=scope):
                read = 200 if scope != "publish" else 403
                self.assertEqual(call(self.broker, "/api/v1/scheduled", token=token)[0], read)
                cancel = 404 if scope == "admin" else 403
                self.assertEqual(call(self.broker, "/api/v1/scheduled/x", "DELETE", token)[0], cancel)

    @each(["", "short", "with blanks in between", "\u00e4" * 20, "write " + "x" * 32, "# only a comment"])
    def test_S_SEC_02_what_is_no_token_stops_the_start(self, text):
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        with self.assertRaisesRegex(RuntimeError, "admin.token_file"):
            self.start()

    def test_S_SEC_02_a_file_for_one_run_goes_with_it(self):
        broker = Broker()
        self.addCleanup(broker.kill)
        name = broker.event("admin-token")["file"]
        self.assertTrue(os.path.exists(name))
        self.assertEqual(broker.stop(), 0)
        self.assertFalse(os.path.exists(name))


if __name__ == "__main__":
    unittest.main()
