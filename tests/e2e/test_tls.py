"""TLS on both listeners: large bodies, slow and broken handshakes, mixed-up ports, versions, ends (security, 2.5)."""
import ctypes
import ctypes.util
import os
import random
import selectors
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest
import warnings

from support.broker import MIB, Broker, until, wait_time
from support.case import BrokerCase, combined, each, make_certificate, send_to, stomp
from support.peers import BINARY, PING, TcpPeer, WsPeer, upgrade_request, ws_frame

SECURE = ("stomps", "wss")


def pause(seconds):
    threading.Event().wait(seconds)


class TlsCase(BrokerCase):
    """A broker with `stomps` and `wss`; its first TLS listener of each kind is in the ports file."""

    limits = {}
    growth_max = 96 * MIB

    @classmethod
    def setUpClass(cls):
        cls.folder = make_certificate(cls)
        cls.trust = cls.folder + "/cert.pem"
        cls.broker = Broker({"tls": {"certificate": cls.trust, "key": cls.folder + "/key.pem"}, "limits": cls.limits,
                             "listener": [{"kind": "ws", "address": "127.0.0.1:0", "tls": True},
                                          {"kind": "tcp", "address": "127.0.0.1:0", "tls": True}]},
                            listeners=False, threads=cls.threads)
        cls.addClassCleanup(cls.broker.kill)
        cls.context = ssl.create_default_context(cafile=cls.trust)

    @classmethod
    def tearDownClass(cls):
        broker = cls.broker
        if not broker.is_alive():
            raise AssertionError("the broker has died:\n" + broker.log_text())
        if broker.stop() != 0 or broker.bad_log_lines or broker.event("handler-failed"):
            raise AssertionError("no clean end:\n" + broker.log_text())

    def address(self, transport):
        return self.broker.address({"stomps": "tcp", "wss": "ws"}[transport])

    def peer(self, transport="stomps", **options):
        options.setdefault("tls", self.context)
        peer = (TcpPeer if transport == "stomps" else WsPeer)(self.address(transport), **options)
        self.addCleanup(peer.close)
        return peer

    def client(self, transport="stomps", version="1.2", *lines, **options):
        return self.peer(transport, **options).connect(version, *lines)

    def plain(self, transport):
        """A TCP connection to a TLS port."""
        peer = TcpPeer(self.address(transport))
        self.addCleanup(peer.close)
        return peer

    def check_others(self):
        self.client("stomps").close()


class Conversations(TlsCase):
    @each(combined(SECURE, ["1.0", "1.1", "1.2"]))
    def test_P_TCP_01_the_same_frames(self, transport, version):
        peer = self.client(transport, version).subscribe("/topic/tls.a")
        peer.publish("/topic/tls.a", b"x")
        self.assertEqual(peer.read_message().body, b"x")
        peer.send(stomp("DISCONNECT", "receipt:bye"))
        self.assertEqual(peer.read_frame()["receipt-id"], "bye")

    @each(SECURE)
    def test_P_ERR_05_the_error_comes_before_the_end(self, transport):
        peer = self.client(transport)
        peer.send(stomp("ABORT", "transaction:none"))
        frames = peer.read_end()
        self.assertEqual(frames[-1]["message"], "bad-state")
        if transport == "wss":
            self.assertEqual(peer.close_code, 1002)

    @each(combined(SECURE, SECURE))
    def test_P_FRAME_12_large_bodies_both_ways(self, sender, receiver):
        reader = self.client(receiver).subscribe("/queue/tls.large.%s.%s" % (sender, receiver))
        writer = self.client(sender)
        draw = random.Random(4)
        bodies = [draw.randbytes(size) for size in (0, 1, 16383, 16384, 16385, 65536, 500000, 1000000)] * 3

        def write():
            for body in bodies:
                writer.send(send_to("/queue/tls.large.%s.%s" % (sender, receiver), body))
        thread = threading.Thread(target=write)
        thread.start()
        for body in bodies:
            self.assertEqual(reader.read_message(seconds=20).body, body)
        thread.join(wait_time(20))

    @each(SECURE)
    def test_P_FRAME_01_octet_by_octet_in_records(self, transport):
        peer = self.client(transport).subscribe("/topic/tls.octets")
        frame = send_to("/topic/tls.octets", "nul \0 \u20ac".encode())
        octets = ws_frame(BINARY, frame) if transport == "wss" else frame
        for octet in octets:
            peer.raw(bytes([octet]))
        self.assertEqual(peer.read_message().body, "nul \0 \u20ac".encode())

    @each(SECURE)
    def test_P_SEND_02_many_small_frames(self, transport):
        # More than fits a read buffer: octets that wait inside TLS raise no event.
        peer = self.client(transport).subscribe("/topic/tls.many.%s" % transport)
        count = 20000
        sent = b"".join(send_to("/topic/tls.many.%s" % transport, b"%d" % i) for i in range(count))
        octets = sent if transport == "stomps" else b"".join(ws_frame(BINARY, sent[start:start + 60000])
                                                             for start in range(0, len(sent), 60000))
        numbers = self.pump(peer, octets, count)
        self.assertEqual(numbers, list(range(count)))

    def pump(self, peer, octets, count):
        """Sends and reads at the same time."""
        numbers, at = [], 0
        end = time.monotonic() + wait_time(30)
        with selectors.DefaultSelector() as selector:
            selector.register(peer.sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while len(numbers) < count:
                self.assertLess(time.monotonic(), end, "%d of %d" % (len(numbers), count))
                selector.select(0.2)
                peer.sock.setblocking(False)
                try:
                    while at < len(octets):
                        at += peer.sock.send(octets[at:at + 65536])
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
                try:
                    while True:
                        got = peer.sock.recv(65536)
                        self.assertTrue(got)
                        peer.buffer += got
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
                frame = peer.take_frame()
                while frame is not None:
                    numbers.append(int(frame.body))
                    frame = peer.take_frame()
        return numbers

    @each(SECURE)
    def test_P_TCP_03_close_notify_ends_the_input(self, transport):
        peer = self.client(transport)
        peer.send(stomp("BEGIN", "transaction:t", "receipt:1"))
        self.assertEqual(peer.read_frame()["receipt-id"], "1")
        try:
            peer.sock.settimeout(wait_time(5))
            peer.sock.unwrap().close()
        except (OSError, ssl.SSLError):
            pass
        self.check_others()

    @each(SECURE)
    def test_P_HB_04_beats(self, transport):
        peer = self.client(transport, "1.2", "heart-beat:0,1000")
        peer.read_beat()

    def test_P_WS_09_pings(self):
        peer = self.client("wss")
        peer.raw(ws_frame(PING, b"x"))
        self.assertEqual(peer.read_control("pongs"), b"x")

    def test_P_WS_02_sub_protocol_and_origin(self):
        host = "localhost:%d" % self.address("wss")[1]
        peer = self.peer("wss", protocols=["v12.stomp"], fields=[("Origin", "https://" + host)])
        self.assertEqual(peer.answer["Sec-WebSocket-Protocol"], ["v12.stomp"])

    def test_S_WEB_01_http_is_another_origin_than_https(self):
        peer = self.peer("wss", upgrade=False)
        host = "127.0.0.1:%d" % self.address("wss")[1]
        peer.raw(upgrade_request(host=host, fields=[("Origin", "http://evil.example")]))
        self.assertEqual(peer.read_answer().status, 403)


class OnShards(Conversations):
    threads = 3


class Handshake(TlsCase):
    limits = {"tls_handshake_time": "400ms", "connect_time": "1s", "upgrade_time": "600ms", "close_time": "500ms"}

    HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(32) + b"\x00"

    @each(combined(SECURE, {"nothing": b"", "one_octet": b"\x16", "half_a_hello": HELLO, "a_record_head": b"\x16\x03\x01\x40"
                            b"\x00"}))
    def test_S_TLS_01_a_slow_handshake_is_cut(self, transport, octets):
        peer = self.plain(transport)
        begin = time.monotonic()
        peer.raw(octets)
        while peer.receive(5):
            pass
        self.assertGreaterEqual(time.monotonic() - begin, 0.35)
        self.assertLess(time.monotonic() - begin, wait_time(2))
        self.check_others()

    @each(SECURE)
    def test_S_TLS_01_trickling_does_not_help(self, transport):
        peer = self.plain(transport)
        begin = time.monotonic()
        for octet in self.HELLO:
            if not peer.raw(bytes([octet])):
                break
            try:
                if not peer.receive(0.05):
                    break
            except TimeoutError:
                pass
        self.assertLess(time.monotonic() - begin, wait_time(2))

    @each(SECURE)
    def test_P_CONN_11_silence_after_the_handshake(self, transport):
        peer = self.peer(transport, **({"upgrade": False} if transport == "wss" else {}))
        if transport == "wss":
            self.assertEqual(peer.read_answer().status, 408)
        else:
            self.assertEqual(peer.read_end()[-1]["message"], "connect-timeout")

    PLAIN = {"stomp": stomp("CONNECT", "accept-version:1.2"), "http": upgrade_request(), "zeros": b"\0" * 300,
             "ones": b"\xff" * 300, "ssl2": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700"
                                                          "c0") + b"\0" * 16,
             "alert": bytes.fromhex("15030100020228"), "application_data": bytes.fromhex("1703030010") + b"\0" * 16,
             "huge_record": b"\x16\x03\x01\xff\xff" + b"\0" * 70000, "many_alerts": bytes.fromhex("15030100020100") * 500,
             "empty_records": bytes.fromhex("1603010000") * 500, "version_0": bytes.fromhex("1600000005") + b"\1\0\0\1\0",
             "hello_of_16_MiB": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\0" * 16380}

    @each(combined(SECURE, PLAIN))
    def test_P_TCP_04_other_octets_on_a_tls_port(self, transport, octets):
        peer = self.plain(transport)
        peer.raw(octets)
        while peer.receive(5):
            pass
        self.assertNotIn(b"CONNECTED", peer.buffer)
        self.assertNotIn(b"HTTP/1.1 101", peer.buffer)
        self.check_others()

    @each(combined(SECURE, list(range(10))))
    def test_S_TLS_01_hellos_with_changed_octets(self, transport, seed):
        draw = random.Random("%s %d" % (transport, seed))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = bytearray(outgoing.read())
        for _ in range(draw.randrange(1, 8)):
            hello[draw.randrange(len(hello))] = draw.randrange(256)
        peer = self.plain(transport)
        peer.raw(bytes(hello))
        peer.half_close()
        while peer.receive(5):
            pass
        self.check_others()

    @each(combined(SECURE, {"junk_record": b"\x17\x03\x03\x00\x20" + b"x" * 32, "plain_stomp": stomp("BEGIN", "transaction:t"),
                            "long_record": b"\x17\x03\x03\x48\x00" + b"x" * 18432, "plain_alert": b"\x15\x03\x03\x00\x02\x01\x00",
                            "cut_record": b"\x17\x03\x03\x10\x00" + b"x" * 10}))
    def test_S_TLS_01_octets_past_tls_end_the_connection(self, transport, octets):
        peer = self.client(transport)
        descriptor = os.dup(peer.sock.fileno())
        with socket.socket(fileno=descriptor) as below:
            below.setblocking(True)
            below.settimeout(wait_time(5))
            try:
                below.sendall(octets)
                below.shutdown(socket.SHUT_WR)
                while below.recv(65536):
                    pass
            except TimeoutError:
                self.fail("the connection still stands")
            except OSError:
                pass
        self.check_others()

    @each(SECURE)
    def test_P_ERR_05_a_reset_in_the_middle(self, transport):
        for _ in range(30):
            peer = self.client(transport).subscribe("/topic/tls.reset")
            peer.send(send_to("/topic/tls.reset", b"x" * 50000))
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        self.check_others()

    def context_of(self, version):
        context = ssl.create_default_context(cafile=self.trust)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context

    @each(combined(SECURE, {"1_2": ssl.TLSVersion.TLSv1_2, "1_3": ssl.TLSVersion.TLSv1_3}))
    def test_S_TLS_01_versions_that_work(self, transport, version):
        peer = self.client(transport, tls=self.context_of(version))
        self.assertEqual(peer.sock.version(), {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version])

    @each(combined(SECURE, {"1_0": ssl.TLSVersion.TLSv1, "1_1": ssl.TLSVersion.TLSv1_1}))
    def test_S_TLS_01_versions_that_do_not(self, transport, version):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.peer(transport, tls=self.context_of(version))

    @each(["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384", "NULL"])
    def test_S_TLS_01_weak_suites_do_not(self, suite):
        context = self.context_of(ssl.TLSVersion.TLSv1_2)
        try:
            context.set_ciphers(suite + ":@SECLEVEL=0")
        except ssl.SSLError:
            self.skipTest("this OpenSSL does not know " + suite)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.peer("stomps", tls=context)

    def test_S_TLS_01_alpn(self):
        for offered, chosen in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
            context = ssl.create_default_context(cafile=self.trust)
            context.set_alpn_protocols(offered)
            self.assertEqual(self.peer("wss", tls=context).sock.selected_alpn_protocol(), chosen)

    def test_S_TLS_01_no_session_is_resumed(self):
        context = self.context_of(ssl.TLSVersion.TLSv1_2)
        first = self.peer("stomps", tls=context)
        session = first.sock.session
        with socket.create_connection(self.address("stomps")) as sock:
            with context.wrap_socket(sock, server_hostname="localhost", session=session) as again:
                self.assertFalse(again.session_reused)

    def key_updates(self, count):
        """openssl's client after so many KeyUpdates; a `K` that begins what it reads is one."""
        host, port = self.address("stomps")
        process = subprocess.Popen(["openssl", "s_client", "-connect", "%s:%d" % (host, port), "-CAfile", self.trust,
                                    "-tls1_3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        self.read_until(process, b"Verify return code")
        try:
            self.say(process, stomp("CONNECT", "accept-version:1.2", "heart-beat:0,0"))
            self.read_until(process, b"session:")
            for _ in range(count):
                self.say(process, b"K\n")
                self.read_until(process, b"KEYUPDATE")
        except (BrokenPipeError, EOFError):
            pass
        return process

    @staticmethod
    def hang_up(process):
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass

    @staticmethod
    def say(process, octets):
        process.stdin.write(octets)
        process.stdin.flush()

    @staticmethod
    def read_until(process, text):
        seen = b""
        while text not in seen:
            octet = process.stdout.read1(1)
            if not octet:
                raise EOFError(seen)
            seen += octet
        return seen

    FLOOD = 100_000

    @staticmethod
    def flood(address, kind):
        """How many KeyUpdates OpenSSL could send before the connection broke, of FLOOD."""
        library = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(library, name).restype = ctypes.c_void_p
        context = ctypes.c_void_p(library.SSL_CTX_new(ctypes.c_void_p(library.TLS_client_method())))
        connection = ctypes.c_void_p(library.SSL_new(context))
        try:
            with socket.create_connection(address, 10) as sock:
                sock.settimeout(None)
                library.SSL_set_fd(connection, sock.fileno())
                if library.SSL_connect(connection) != 1:
                    raise AssertionError("no handshake")
                for sent in range(Handshake.FLOOD):
                    if library.SSL_key_update(connection, kind) != 1 or library.SSL_do_handshake(connection) != 1:
                        return sent
                return Handshake.FLOOD
        finally:
            library.SSL_free(connection)
            library.SSL_CTX_free(context)

    @each({"that_ask_for_none": 0, "that_ask_for_one_back": 1})
    def test_CVE_2026_39304_a_hundred_thousand_key_updates(self, kind):
        before = self.broker.rss()
        self.assertLess(self.flood(self.address("stomps"), kind), self.FLOOD)
        self.assertTrue(self.broker.is_alive())
        self.assertLess(self.broker.rss() - before, 16 * MIB)
        self.check_others()

    def test_S_TLS_02_key_updates_without_end(self):
        process = self.key_updates(60)
        self.assertTrue(until(lambda: process.poll() is not None, 3), "the connection still stands")
        self.hang_up(process)
        self.check_others()

    def test_S_TLS_02_a_few_key_updates_are_welcome(self):
        process = self.key_updates(5)
        self.say(process, stomp("BEGIN", "transaction:t", "receipt:after"))
        self.read_until(process, b"receipt-id:after")
        self.hang_up(process)

    def test_S_TLS_01_many_handshakes_at_once(self):
        failures = []

        def connect():
            try:
                for _ in range(15):
                    with TcpPeer(self.address("stomps"), tls=self.context) as peer:
                        peer.connect()
            except BaseException as error:  # pylint: disable=broad-except
                failures.append(error)
        threads = [threading.Thread(target=connect) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wait_time(30))
        self.assertEqual(failures, [])


class Slow(TlsCase):
    limits = {"outbound_bytes": "256KiB", "outbound_ahead": "64KiB", "outbound_stall": "700ms", "close_time": "500ms"}

    @each(SECURE)
    def test_P_LIM_03_slow_consumers_are_cut(self, transport):
        before = self.broker.descriptors()
        peer = self.client(transport, receive_buffer=4096).subscribe("/topic/tls.slow")
        writer = self.client("stomps")
        for _ in range(1500):
            writer.send(send_to("/topic/tls.slow", b"x" * 10000))
        self.assert_lives(writer)
        writer.close()
        self.assertTrue(until(lambda: self.broker.descriptors() <= before))
        peer.close()

    @each(SECURE)
    def test_P_LIM_03_a_stalled_consumer_of_a_queue(self, transport):
        before = self.broker.descriptors()
        peer = self.client(transport, receive_buffer=4096).subscribe("/queue/tls.stall." + transport)
        writer = self.client("stomps")
        for _ in range(1500):
            writer.send(send_to("/queue/tls.stall." + transport, b"x" * 10000))
        self.assert_lives(writer)
        writer.close()
        self.assertTrue(until(lambda: self.broker.descriptors() <= before))
        peer.close()


class Drain(TlsCase):
    limits = {"linger_time": "300ms", "close_time": "500ms", "tls_handshake_time": "20s"}

    def test_P_ERR_06_all_are_told(self):
        tcp, web = self.client("stomps"), self.client("wss")
        silent = self.plain("wss")
        self.broker.signal()
        self.assertEqual(tcp.read_end()[-1]["message"], "shutdown")
        self.assertEqual(web.read_end(), [])
        self.assertEqual((web.close_code, web.close_reason), (1012, "shutdown"))
        tcp.close()
        web.close()
        self.assertEqual(self.broker.wait(), 0)
        silent.close()

    @classmethod
    def tearDownClass(cls):
        pass

    def tearDown(self):
        pass


class PlainPorts(BrokerCase):
    """TLS to listeners without it."""

    @each(["tcp", "ws"])
    def test_P_TCP_04_tls_to_a_plain_port(self, transport):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        begin = time.monotonic()
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            TcpPeer(self.broker.address(transport), tls=context)
        self.assertLess(time.monotonic() - begin, wait_time(6))
        self.check_good_client()


class NewCertificates(TlsCase):
    """Files that are exchanged while clients are connected (S-TLS-03)."""

    def certificate_of(self, peer):
        return peer.sock.getpeercert(binary_form=True)

    def put(self, folder, *names):
        for name in names:
            shutil.copy(folder + "/" + name, self.folder + "/new")
            os.rename(self.folder + "/new", self.folder + "/" + name)

    def wait_for_event(self, name, before):
        done = self.broker.wait_for(
            lambda: any(record.get("event") == name for record in self.broker.records[before:]))
        self.assertTrue(done, self.broker.log_text())

    def test_S_TLS_03_new_connections_get_the_new_one_and_nobody_is_dropped(self):
        old = ssl.create_default_context(cafile=self.trust)
        there = self.client("wss", tls=old).subscribe("/topic/tls.reload")
        first = self.certificate_of(there)
        other = make_certificate(type(self))
        before = len(self.broker.records)
        # A key without its certificate: the old pair stays, and the log says why.
        self.put(other, "key.pem")
        self.wait_for_event("reload-failed", before)
        self.client("stomps", tls=old)
        before = len(self.broker.records)
        self.put(other, "cert.pem")
        self.wait_for_event("certificate-reloaded", before)
        new = ssl.create_default_context(cafile=other + "/cert.pem")
        peer = self.client("wss", tls=new)
        self.assertNotEqual(self.certificate_of(peer), first)
        peer.publish("/topic/tls.reload", b"still here")
        self.assertEqual(there.read_message().body, b"still here")

    def test_S_TLS_03_on_sighup_too(self):
        before = len(self.broker.records)
        self.broker.signal(signal.SIGHUP)
        self.wait_for_event("certificate-reloaded", before)



if __name__ == "__main__":
    unittest.main()