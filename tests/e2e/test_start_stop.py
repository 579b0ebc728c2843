"""How the broker starts, refuses to start, and stops (operations, sections 1 to 4; security, 2.1; P-ERR-06)."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support.broker import Broker, binary, run_tool, to_toml, until, wait_time
from support.case import broker_peer, combined, each, label, send_to, stomp, OwnBrokerCase, TRANSPORTS
from support.peers import TcpPeer, WsPeer, upgrade_request

PROMPT = {"limits": {"linger_time": "300ms", "close_time": "500ms"}}


class Sessions(OwnBrokerCase):
    def test_S_SEC_03_CVE_2026_41838_session_ids_are_never_the_same(self):
        """They have 128 bits, and none of them stands still from connection to connection or from start to start."""
        names = []
        for _ in range(2):
            self.broker = Broker(threads=2)
            self.addCleanup(self.broker.kill)
            for transport in TRANSPORTS:
                for _ in range(100):
                    with broker_peer(self.broker, transport) as peer:
                        names.append(peer.connect().connected["session"])
            self.assertEqual(self.broker.stop(), 0)
        for name in names:
            self.assertRegex(name, "^[0-9a-f]{32}$")
        self.assertEqual(len(set(names)), 400)
        numbers = [int(name, 16) for name in names]
        for bit in range(128):
            # Within 10 standard deviations of what coins do.
            self.assertLess(abs(sum(number >> bit & 1 for number in numbers) - 200), 100, bit)
        # Nor does one follow from the one before: the differences are as many as there can be.
        self.assertEqual(len({(b - a) % 2 ** 128 for a, b in zip(numbers, numbers[1:])}), 399)


class DrainCase(OwnBrokerCase):
    """Each test starts and stops a broker of its own."""

    def start(self, config=None, *arguments, **options):
        self.broker = Broker({**PROMPT, **(config or {})}, arguments, **options)
        self.addCleanup(self.broker.kill)
        return self.broker


class CheckConfig(unittest.TestCase):
    def test_S_AUTH_10_half_a_verifier_is_3_with_its_place(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[jwt]\nkeys_url = "https://id.example/keys"\n')
            file.flush()
            code, _, text = run_tool("check-config", file.name)
        self.assertEqual(code, 3, text)
        self.assertIn("jwt.issuer", text)
        self.assertIn("jwt.audience", text)


class Drain(DrainCase):
    def test_OPS_03_tcp_is_told_by_an_error(self):
        broker = self.start()
        peer = self.client("tcp").subscribe("/topic/a")
        broker.signal()
        self.assert_refused(peer, "shutdown")
        peer.close()
        self.assertEqual(broker.wait(), 0)

    def test_P_ERR_06_websocket_is_closed_with_1012_without_error(self):
        broker = self.start()
        peer = self.client("ws").subscribe("/topic/a")
        broker.signal()
        self.assert_closed(peer, 1012, "shutdown")
        self.assertEqual(broker.wait(), 0)

    @each([signal.SIGTERM, signal.SIGINT])
    def test_P_ERR_06_both_signals(self, number):
        broker = self.start()
        peers = [self.client(transport) for transport in TRANSPORTS * 20]
        broker.signal(number)
        for peer in peers:
            peer.read_end()
            peer.close()
        self.assertEqual(broker.wait(), 0)
        self.assertEqual([broker.event(name) is None for name in ("draining", "drained", "stopped")], [False] * 3)

    def test_P_ERR_06_without_connections_it_ends_at_once(self):
        broker = self.start()
        begin = time.monotonic()
        self.assertEqual(broker.stop(), 0)
        self.assertLess(time.monotonic() - begin, wait_time(0.5))

    @each({"tcp_silent": ("tcp", b""), "tcp_half_connect": ("tcp", b"CONNECT\naccept"), "http_silent": ("http", b""),
           "http_half": ("http", upgrade_request()[:-2]), "ws_before_connect": ("ws", b"")})
    def test_P_ERR_06_those_not_yet_connected_go_too(self, kind, octets):
        broker = self.start()
        peer = TcpPeer(broker.address("tcp")) if kind == "tcp" else WsPeer(broker.address("ws"), upgrade=kind == "ws")
        self.addCleanup(peer.close)
        peer.raw(octets)
        self.client("tcp").close()  # The broker has seen the peer's octets by now.
        broker.signal()
        if kind == "ws":
            self.assert_closed(peer, 1012, "shutdown")
        else:
            while peer.receive():
                pass
        peer.close()
        self.assertEqual(broker.wait(), 0)

    def test_P_ERR_06_what_was_queued_is_flushed_first(self):
        broker = self.start()
        for transport in TRANSPORTS:
            self.client(transport).subscribe("/topic/flood")
        readers = [self.client(transport).subscribe("/topic/flood") for transport in TRANSPORTS]
        writer = self.client("tcp")
        for i in range(30):
            writer.publish("/topic/flood", b"%02d" % i + b"x" * 100000)
        broker.signal()
        for reader in readers:
            frames = reader.read_end()
            self.assertEqual([frame.body[:2] for frame in frames if frame.command == "MESSAGE"],
                             [b"%02d" % i for i in range(30)])
            reader.close()
        writer.close()
        broker.wait(20)

    @each(["TcpPeer", "WsPeer"])
    def test_P_ERR_05_a_client_that_never_reads_does_not_hold_it_up(self, kind):
        broker = self.start()
        peer = self.client("tcp" if kind == "TcpPeer" else "ws", receive_buffer=4096).subscribe("/topic/flood")
        writer = self.client("tcp")
        for _ in range(30):
            writer.publish("/topic/flood", b"x" * 100000)
        writer.close()
        begin = time.monotonic()
        self.assertEqual(broker.stop(), 0)
        self.assertLess(time.monotonic() - begin, wait_time(3))
        peer.close()

    @each(TRANSPORTS)
    def test_P_ERR_05_a_client_that_does_not_close_does_not_hold_it_up(self, transport):
        broker = self.start()
        peer = self.client(transport)
        if transport == "ws":
            peer.sent_close = True
        begin = time.monotonic()
        broker.signal()
        self.assertEqual(broker.wait(), 0)
        self.assertLess(time.monotonic() - begin, wait_time(3))

    def test_P_TX_06_open_transactions_and_deliveries_do_not_hold_it_up(self):
        broker = self.start()
        peer = self.client("tcp").subscribe("/queue/a", "ack:client")
        peer.ask("BEGIN", "transaction:t")
        peer.publish("/queue/b", b"x", "transaction:t")
        peer.publish("/queue/a", b"y")
        broker.signal()
        self.assertEqual(peer.read_end()[-1]["message"], "shutdown")
        peer.close()
        self.assertEqual(broker.wait(), 0)

    def test_P_RCPT_01_receipts_of_what_was_read_come_before_the_end(self):
        broker = self.start()
        peer = self.client("tcp")
        peer.send(b"".join(send_to("/queue/a", b"x", "receipt:%d" % i) for i in range(500)))
        broker.signal()
        frames = peer.read_end()
        receipts = [frame["receipt-id"] for frame in frames if frame.command == "RECEIPT"]
        self.assertEqual(receipts, [str(i) for i in range(len(receipts))])
        peer.close()
        self.assertEqual(broker.wait(), 0)

    def test_P_HB_04_beats_go_on_until_a_connections_turn(self):
        broker = self.start({"heartbeat": {"floor": "50ms"}, "drain": {"pre_stop_delay": "600ms"}})
        peer = self.client("tcp", "1.2", "heart-beat:0,50")
        broker.signal()
        for _ in range(3):
            peer.read_beat()
        self.assert_refused(peer, "shutdown")
        peer.close()
        self.assertEqual(broker.wait(), 0)

    def test_OPS_03_readiness_turns_red_first_and_listeners_stay_for_pre_stop_delay(self):
        broker = self.start({"drain": {"pre_stop_delay": "700ms"}})
        self.assertEqual(broker.http("/readyz")[0], 200)
        self.assertEqual(broker.http("/healthz")[0], 200)
        broker.signal()
        self.assertTrue(broker.wait_for(lambda: broker.event("draining")))
        status, text = broker.http("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("draining", text)
        json.loads(text)
        self.assertEqual(broker.http("/healthz")[0], 200)
        self.client("tcp").ask("BEGIN", "transaction:t")
        self.client("ws").ask("BEGIN", "transaction:t")
        self.assertEqual(broker.wait(), 0)

    def test_OPS_03_listeners_are_closed_while_connections_leave(self):
        broker = self.start({"limits": {"linger_time": "3s"}})
        peer = self.client("tcp")
        broker.signal()
        self.assertEqual(peer.read_end()[-1]["message"], "shutdown")  # And the peer does not close yet.
        for kind in ("tcp", "ws"):
            self.assertTrue(until(lambda where=kind: self.is_refused(broker.address(where))))
        status, _ = broker.http("/readyz")
        self.assertEqual(status, 503)
        peer.close()
        self.assertEqual(broker.wait(), 0)

    @staticmethod
    def is_refused(address):
        try:
            socket.create_connection(address, timeout=wait_time(2)).close()
            return False
        except ConnectionRefusedError:
            return True

    def test_OPS_03_the_timeout_ends_it_in_any_case(self):
        broker = self.start({"drain": {"spread": "100ms", "timeout": "500ms"},
                             "limits": {"close_time": "20s", "linger_time": "20s"}})
        peer = self.client("ws")
        peer.sent_close = True
        begin = time.monotonic()
        self.assertEqual(broker.stop(), 0)
        self.assertLess(time.monotonic() - begin, wait_time(2))
        self.assertTrue(broker.event("drain-timeout"))

    def test_OPS_03_the_connections_leave_one_by_one(self):
        broker = self.start({"drain": {"spread": "400ms"}})
        peers = [self.client("tcp") for _ in range(100)]
        begin = time.monotonic()
        broker.signal()
        times = []
        for peer in peers:
            self.assertEqual(peer.read_end()[-1]["message"], "shutdown")
            times.append(time.monotonic() - begin)
            peer.close()
        self.assertEqual(broker.wait(), 0)
        self.assertGreater(max(times), 0.2)

    @each([signal.SIGTERM, signal.SIGINT])
    def test_OPS_03_a_second_signal_ends_it_at_once(self, number):
        broker = self.start({"drain": {"pre_stop_delay": "60s"}})
        self.client("tcp")
        broker.signal()
        self.assertTrue(broker.wait_for(lambda: broker.event("draining")))
        begin = time.monotonic()
        broker.signal(number)
        self.assertIn(broker.wait(), (0, 1))
        self.assertLess(time.monotonic() - begin, wait_time(1))

    @each([signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE])
    def test_OPS_03_other_signals_do_not_end_it(self, number):
        broker = self.start()
        peer = self.client("tcp")
        for _ in range(3):
            broker.signal(number)
            self.assert_lives(peer)
        peer.close()
        self.assertEqual(broker.stop(), 0)

    @each([1, 2, 3])
    def test_OPS_03_under_load(self, threads):
        broker = self.start(threads=threads)
        peers = [self.client(("tcp", "ws")[i % 2]).subscribe("/topic/load", id="t").subscribe("/queue/load", id="q")
                 for i in range(20)]
        stop = threading.Event()

        def publish(peer):
            while not stop.is_set() and peer.send(send_to("/topic/load", b"x" * 500) + send_to("/queue/load", b"y")):
                pass
        writers = [broker_peer(broker, "tcp").connect() for _ in range(3)]
        threads_of_writers = [threading.Thread(target=publish, args=(writer,)) for writer in writers]
        for thread in threads_of_writers:
            thread.start()
        for peer in peers:
            peer.read_frames(50)
        broker.signal()
        for peer in peers:
            try:
                peer.read_end(10)
            except TimeoutError:
                self.fail("a reader was not told to leave")
            finally:
                peer.close()
        stop.set()
        for thread, writer in zip(threads_of_writers, writers):
            thread.join(wait_time(10))
            writer.close()
        self.assertEqual(broker.wait(20), 0)


class Start(DrainCase):
    def test_S_BIND_01_the_ports_file_says_where(self):
        broker = self.start()
        self.assertEqual(set(broker.ports), {"tcp", "ws", "admin"})
        self.assertRegex(broker.ports["tcp"], "^stomp://127.0.0.1:[0-9]+$")
        self.assertRegex(broker.ports["ws"], "^ws://127.0.0.1:[0-9]+/ws$")
        self.assertRegex(broker.ports["admin"], "^http://127.0.0.1:[0-9]+$")
        self.client("tcp")
        self.client("ws")
        self.assertEqual(broker.http("/readyz")[0], 200)

    def test_S_BIND_01_the_ports_file_appears_whole(self):
        folder = tempfile.mkdtemp()
        name = os.path.join(folder, "ports.json")
        for _ in range(5):
            process = subprocess.Popen([binary(), "serve", "--tcp", "127.0.0.1:0", "--ws", "off", "--admin", "off",
                                        "--ports-file", name], stderr=subprocess.DEVNULL)
            try:
                self.assertTrue(until(lambda: os.path.exists(name)))
                with open(name, encoding="utf-8") as ports:
                    self.assertEqual(list(json.load(ports)), ["tcp"])
            finally:
                process.terminate()
                process.wait(wait_time(10))
                os.remove(name)
        self.assertEqual(os.listdir(folder), [])
        os.rmdir(folder)

    def test_S_BIND_01_the_ports_file_of_an_earlier_broker_goes_at_once(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        name = os.path.join(folder, "ports.json")
        with open(name, "w", encoding="utf-8") as ports:
            ports.write("{}")
        code, _, _ = run_tool("serve", "--tcp", "127.0.0.1:1", "--ws", "off", "--admin", "off", "--data", __file__,
                              "--ports-file", name)
        self.assertNotEqual(code, 0)
        self.assertFalse(os.path.exists(name))

    def test_S_WEB_05_files_without_a_web_socket_listener_are_no_error(self):
        broker = self.start(None, "--tcp", "127.0.0.1:0", "--ws", "off", "--http-dir", tempfile.gettempdir(),
                            listeners=False)
        self.assertEqual(broker.stop(), 0)

    def test_O_2_a_file_that_the_configuration_names_and_that_is_no_good_is_exit_code_3(self):
        missing = os.path.join(tempfile.gettempdir(), "no", "such", "file")
        for config in ({"auth": {"users_file": missing}}, {"server": {"http_dir": missing}},
                       {"jwt": {"keys_file": missing, "issuer": "i", "audience": "a"}}):
            with self.subTest(config=config):
                listeners = ("--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0")
                code, errors = self.refuse(*listeners, config=config)
                self.assertEqual(code, 3, errors)
                self.assertIn(missing, errors)

    def test_S_BIND_01_a_ports_file_that_cannot_be_written_ends_the_start(self):
        name = os.path.join(tempfile.gettempdir(), "no", "such", "folder", "ports.json")
        code, _, text = run_tool("serve", "--tcp", "127.0.0.1:0", "--ws", "off", "--admin", "off", "--ports-file", name)
        self.assertEqual(code, 1)
        self.assertIn(name, text)

    def refuse(self, *arguments, config=None):
        """Starts what must not start: its exit code and what it says."""
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as out:
            out.write(to_toml(config or {}))
            out.flush()
            code, _, errors = run_tool("serve", "--admin", "127.0.0.1:0", "--config", out.name, *arguments)
        self.assertNotEqual(code, 0)
        return code, errors

    @each(["tcp", "ws", "admin"])
    def test_S_BIND_01_a_busy_port_is_a_clear_error(self, kind):
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = busy.getsockname()[1]
            flags = {"tcp": "127.0.0.1:0", "ws": "127.0.0.1:0", kind: "127.0.0.1:%d" % port}
            arguments = [part for name, address in flags.items() for part in ("--" + name, address)]
            if kind == "admin":
                code, _, errors = run_tool("serve", *arguments)
            else:
                code, errors = self.refuse(*arguments)
        self.assertEqual(code, 1, errors)
        self.assertIn(str(port), errors)
        self.assertRegex(errors.lower(), "in use")

    PUBLIC = {"nothing": ((), ["--insecure-no-auth", "--insecure-no-tls"]),
              "only_auth": (("--insecure-no-auth",), ["--insecure-no-tls"]),
              "only_tls": (("--insecure-no-tls",), ["--insecure-no-auth"])}

    @each(combined(["tcp", "ws"], {"v4": ("0.0.0.0:0",), "v6": ("[::]:0",)}, {k: v for k, v in PUBLIC.items()}))
    def test_S_BIND_03_a_public_address_needs_both_flags(self, kind, address, flags, named):
        other = "--ws" if kind == "tcp" else "--tcp"
        code, errors = self.refuse("--" + kind, address, other, "off", *flags)
        self.assertEqual(code, 3, errors)
        for flag in named:
            self.assertIn(flag, errors)

    def test_S_BIND_03_with_both_it_starts_and_warns(self):
        broker = self.start(None, "--insecure-no-auth", "--insecure-no-tls", "--tcp", "0.0.0.0:0", "--ws", "127.0.0.1:0",
                            listeners=False)
        warnings = [record["msg"] for record in broker.records if record["level"] == "warn"]
        self.assertEqual(len([text for text in warnings if "--insecure-no" in text]), 2, warnings)
        host, port = broker.address("tcp")
        self.assertEqual(host, "0.0.0.0")
        peer = TcpPeer(("127.0.0.1", port)).connect()
        peer.close()
        self.assertEqual(broker.stop(), 0)

    def test_S_BIND_03_the_admin_listener_too(self):
        code, _, errors = run_tool("serve", "--tcp", "127.0.0.1:0", "--ws", "off", "--admin", "0.0.0.0:0")
        self.assertEqual(code, 3, errors)

    @each({"flags": ("--insecure-no-auth", "--insecure-no-tls"), "none": ()})
    def test_S_WEB_05_test_echo_is_refused_on_a_public_address(self, *flags):
        code, errors = self.refuse("--ws", "0.0.0.0:0", "--tcp", "off", "--test-echo", "/echo", *flags)
        self.assertEqual(code, 3)
        self.assertIn("echo", errors)

    @each({"text": "junk", "no_port": "127.0.0.1", "port": "127.0.0.1:99999", "host": "no.such.host.invalid:1",
           "empty": "127.0.0.1:", "word": "127.0.0.1:http"})
    def test_S_BIND_05_bad_addresses(self, address):
        code, errors = self.refuse("--tcp", address)
        self.assertIn(code, (1, 2, 3))
        self.assertTrue(errors.strip())

    def test_S_BIND_05_a_missing_configuration_file(self):
        code, _, errors = run_tool("serve", "--config", "/no/such/file.toml")
        self.assertEqual(code, 3)
        self.assertIn("/no/such/file.toml", errors)

    @each({"missing": "/no/such/cert.pem", "directory": "/", "junk": "/proc/self/status"})
    def test_S_BIND_05_bad_certificates_stop_the_start(self, path):
        code, errors = self.refuse(config={"listener": [{"kind": "ws", "address": "127.0.0.1:0", "tls_certificate": path,
                                                         "tls_key": path}]})
        self.assertIn(code, (1, 3))
        self.assertIn(path, errors)

    def test_S_BIND_01_off_switches_a_listener_off(self):
        broker = self.start(None, "--tcp", "off", "--ws", "127.0.0.1:0", listeners=False)
        self.assertEqual(set(broker.ports), {"ws", "admin"})
        self.assertEqual(broker.stop(), 0)

    def test_S_BIND_01_ipv6_loopback(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        broker = self.start(None, "--tcp", "[::1]:0", "--ws", "[::1]:0", listeners=False)
        for transport in TRANSPORTS:
            peer = self.client(transport)
            self.assertEqual(peer.connected["user-name"], "anonymous")
            peer.close()
        self.assertEqual(broker.stop(), 0)


class Config(unittest.TestCase):
    """check-config, print-config, default-config: exit codes and every error at once."""

    def check(self, text, *arguments):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as out:
            out.write(text)
            out.flush()
            return run_tool("check-config", out.name, *arguments)

    def test_S_BIND_05_a_good_file_is_0(self):
        self.assertEqual(self.check("[limits]\nframe = \"2MiB\"\n")[0], 0)

    def test_S_BIND_05_a_file_that_needs_a_waiver_is_good_with_it(self):
        """As `serve` takes it."""
        text = "[[listener]]\nkind = \"tcp\"\naddress = \"*:61613\"\n"
        for waivers, code in (((), 3), (("--insecure-no-tls",), 3), (("--insecure-no-auth", "--insecure-no-tls"), 0)):
            with self.subTest(waivers):
                self.assertEqual(self.check(text, *waivers)[0], code)
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as out:
            out.write(text)
            out.flush()
            self.assertEqual(run_tool("print-config", out.name)[0], 3)
            self.assertEqual(run_tool("print-config", out.name, "--insecure-no-auth", "--insecure-no-tls")[0], 0)

    def test_S_BIND_05_the_defaults_are_good(self):
        code, text, _ = run_tool("default-config")
        self.assertEqual(code, 0)
        self.assertEqual(self.check(text)[0], 0)
        uncommented = "\n".join(line[1:] if line.startswith("#") and not line.startswith("# ") and "=" in line else line
                                for line in text.split("[[listener]]")[0].splitlines()[:-1])
        code, _, errors = self.check(uncommented.rsplit("# Sockets", 1)[0])
        self.assertEqual(code, 0, errors)

    def test_S_BIND_05_every_error_is_printed(self):
        code, _, errors = self.check("[limits]\nfrane = \"1MiB\"\nheader_count = 0\nconnect_time = 10\n[nonsense]\nx = 1\n")
        self.assertEqual(code, 3)
        for word in ("frane", "header_count", "connect_time", "nonsense"):
            self.assertIn(word, errors)
        self.assertIn("frame", errors)  # Did you mean?

    BAD = ["limits = 1", "[limits]\nconnections = 0", "[limits]\nweb_socket_message = 0", "[limits]\nframe = \"100MiB\"",
           "[limits]\nconnections_per_ip = 0", "[limits]\nprefetch_messages = -1", "[limits]\nmemory_alarm_1 = \"90%\"",
           "[heartbeat]\noffer = \"2h\"", "[drain]\nspread = \"1h\"", "[server]\nthreads = 0", "[server]\nstrict = \"yes\"",
           "[[listener]]\nkind = \"udp\"\naddress = \"127.0.0.1:0\"", "[[listener]]\nkind = \"ws\"", "not toml at all",
           "[[policy]]\nmatch = \"/queue/x\"\nslow_consumer = \"drop-oldest\"", "[log]\nlevel = \"loud\"",
           "[[policy]]\nmatch = \"/topic/x\"\nslow_consumer = \"conflate\"", "[limits]\nframe = \"1MiB\"\nframe = \"2MiB\""]

    @classmethod
    def add_cases(cls):
        for index, text in enumerate(cls.BAD):
            def test(self, text=text):
                code, _, errors = self.check(text + "\n")
                self.assertEqual(code, 3, errors)
                self.assertTrue(errors.strip())
            setattr(cls, "test_CVE_2026_67235_bad_values_are_3__%02d_%s" % (index, label(text)[:40]), test)

    def test_S_BIND_05_json(self):
        code, text, _ = self.check("[limits]\nframe = 1\n", "--json")
        self.assertEqual(code, 3)
        answer = json.loads(text)
        self.assertFalse(answer["ok"])
        self.assertEqual(len(answer["errors"]), 1)

    POLICIES = ("[[policy]]\nmatch = \"/queue/**\"\n[[policy]]\nmatch = \"/queue/jobs.*\"\nmax_messages = 5\n"
                "[[policy]]\nmatch = \"/topic/p\"\nhistory_messages = 9\n")

    def test_explain_tells_values_and_where_they_come_from(self):
        code, text, errors = self.check(self.POLICIES, "--explain", "/queue/jobs.eu", "--explain", "/topic/p")
        self.assertEqual(code, 0, errors)
        line = next(line for line in text.splitlines() if line.strip().startswith("max_messages"))
        self.assertIn(" 5 ", line)
        self.assertRegex(line, r'policy\[1\] "/queue/jobs\.\*" \(.*\.toml:5\)')
        self.assertRegex(text, r'policy\[0\] "/queue/\*\*" .*more specific')
        self.assertIn("/topic/p is the topic /topic/p", text)

    def test_explain_as_json(self):
        code, text, errors = self.check(self.POLICIES, "--json", "--explain", "jobs.eu")
        self.assertEqual(code, 0, errors)
        (answer,) = json.loads(text)["explained"]
        self.assertEqual((answer["kind"], answer["canonical"]), ("queue", "/queue/jobs.eu"))
        self.assertEqual([policy["counts"] for policy in answer["policies"]], [True, False])
        self.assertEqual(answer["settings"]["max_messages"]["value"], "5")
        self.assertEqual(answer["settings"]["message_ttl"]["argument"], "x-message-ttl")

    def test_explain_refuses_what_a_send_would_refuse(self):
        for name in ("/queue/a.*", "/topic//x", "/temp-queue/x"):
            code, _, errors = self.check(self.POLICIES, "--explain", name)
            self.assertEqual(code, 2, name)
            self.assertIn(name, errors)

    def test_explain_needs_a_good_configuration(self):
        self.assertEqual(self.check("[limits]\nframe = 1\n", "--explain", "/queue/a")[0], 3)

    def test_S_BIND_05_flags_win_over_environment_over_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as out:
            out.write("[limits]\nframe = \"2MiB\"\nheader_count = 32\n")
            out.flush()
            code, text, _ = run_tool("print-config", out.name, environment={"STAMPEDE_LIMITS__FRAME": "3MiB"})
        self.assertEqual(code, 0)
        values = {line.split("=")[0].strip().split(".")[-1]: line for line in text.splitlines() if "=" in line}
        self.assertIn("3MiB", values["frame"])
        self.assertIn("32", values["header_count"])

    def test_S_BIND_05_usage_errors_are_2(self):
        for arguments in (("serve", "--no-such-flag"), ("no-such-command",), ("serve", "--threads", "x")):
            self.assertEqual(run_tool(*arguments)[0], 2, arguments)

    def test_S_BIND_05_version_and_help_are_0(self):
        for arguments in (("version",), ("--version",), ("--help",), ("serve", "--help")):
            code, text, _ = run_tool(*arguments)
            self.assertEqual(code, 0, arguments)
            self.assertTrue(text.strip())


Config.add_cases()
del DrainCase

if __name__ == "__main__":
    unittest.main()
