"""The client commands against a broker: pub, sub, req, ping, bench, with certificates and terminals (operations, section 8)."""
import csv
import json
import os
import pty
import socket
import subprocess
import tempfile
import threading

from support.broker import binary, run_tool, wait_time
from support.case import BrokerCase
from support.peers import send_to
from test_certificates import CertificateCase


class Commands(BrokerCase):
    def tool(self, *arguments, code=0, body=None):
        """Its stdout; `body` is its stdin."""
        done = subprocess.run([binary(), *arguments], capture_output=True, check=False, timeout=wait_time(20),
                              input=body, env={**os.environ, "STAMPEDE_URL": self.broker.ports["ws"]})
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.said = done.stderr.decode()
        return done.stdout

    # --- pub and sub.

    def test_O_8_a_dedup_id_is_taken_once(self):
        for _ in range(2):
            self.tool("pub", "/queue/once", "x", "--dedup-id", "a", "--receipt")
            self.tool("pub", "/queue/once", "--lines", "--dedup-id", "b", "--receipt", body=b"y\nz\n")
        self.tool("pub", "/queue/once", "end")
        self.assertEqual(self.tool("sub", "/queue/once", "-n", "4"), b"x\ny\nz\nend\n")

    def test_O_8_a_body_comes_from_a_file_or_stdin(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\x00\xff of a file")
            file.flush()
            self.tool("pub", "/queue/bodies", "--file", file.name)
        self.tool("pub", "/queue/bodies", body=b"of stdin")
        self.assertEqual(self.tool("sub", "/queue/bodies", "-n", "2", "--raw"), b"\x00\xff of a fileof stdin")

    def test_O_8_count_and_transactions(self):
        told = json.loads(self.tool("pub", "/queue/many", "x", "--count", "5", "--tx", "2", "--receipt", "--json"))
        self.assertEqual((told["sent"], told["confirmed"]), (5, 5))
        self.assertEqual(self.tool("sub", "/queue/many", "-n", "5", "--ack", "client"), b"x\n" * 5)

    def test_O_8_a_count_leaves_the_rest_where_it_was(self):
        lines = [b"%d\n" % number for number in range(1000)]
        self.tool("pub", "/queue/rest", "--lines", "--receipt", body=b"".join(lines))
        for begin, end in ((0, 1), (1, 3), (3, 1000)):
            out = self.tool("sub", "/queue/rest", "-n", str(end - begin))
            self.assertEqual(out, b"".join(lines[begin:end]))
        self.tool("pub", "/queue/rest", "--lines", "--receipt", body=b"".join(lines[:9]))
        self.assertEqual(self.tool("sub", "/queue/rest", "-n", "2", "-H", "prefetch-count:5"), b"0\n1\n")
        self.assertEqual(self.tool("sub", "/queue/rest", "-n", "1", "--ack", "auto"), b"2\n")

    def test_O_8_a_count_larger_than_any_window(self):
        self.tool("pub", "/queue/window", "x", "--count", "700", "--receipt")
        self.assertEqual(self.tool("sub", "/queue/window", "-n", "70000", "-w", "1s", code=5), b"x\n" * 700)
        self.tool("sub", "/queue/window", "-n", "1", "-w", "10ms", code=5)

    def test_O_8_a_count_at_a_broker_of_stomp_1_0(self):
        """It knows the mode client alone, which acknowledges what came before as well."""
        seen = []

        def serve(listening):
            peer, _ = listening.accept()
            with peer, peer.makefile("rwb") as stream:
                command = ""
                while command != "DISCONNECT":
                    octets = stream.read(1)
                    while not octets.endswith(b"\0"):
                        octets += stream.read(1) or b"\0"
                    command, *lines = octets.strip(b"\0\n").decode().splitlines()
                    headers = dict(line.split(":", 1) for line in lines if line)
                    seen.append((command, headers))
                    if command == "CONNECT":
                        stream.write(b"CONNECTED\nsession:1\n\n\0")
                    if "receipt" in headers:
                        stream.write(b"RECEIPT\nreceipt-id:%s\n\n\0" % headers["receipt"].encode())
                    if command == "SUBSCRIBE":
                        for number in b"123":
                            stream.write(b"MESSAGE\nmessage-id:%c\ndestination:/queue/a\n\nx\0" % number)
                    stream.flush()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=serve, args=(listening,))
            thread.start()
            url = "stomp://127.0.0.1:%d" % listening.getsockname()[1]
            self.assertEqual(self.tool("sub", "/queue/a", "-n", "2", "--url", url), b"x\nx\n")
            thread.join()
        self.assertEqual([headers["ack"] for command, headers in seen if command == "SUBSCRIBE"], ["client"])
        self.assertEqual([headers["message-id"] for command, headers in seen if command == "ACK"], ["1", "2"])

    def test_O_8_a_time_without_unit_is_told_with_an_example(self):
        self.tool("sub", "/queue/a", "-w", "1", code=2)
        self.assertIn("--wait: 1: write a time with its unit, such as 250ms, 1s", self.said)

    def test_O_8_nothing_received_is_exit_5(self):
        self.assertEqual(self.tool("sub", "/queue/empty", "--wait", "10ms", code=5), b"")

    def test_O_8_a_durable_subscription_is_kept(self):
        self.tool("sub", "/topic/kept", "--durable", "archive", "--wait", "10ms", code=5)
        self.tool("pub", "/topic/kept", "meanwhile", "--receipt")
        self.assertEqual(self.tool("sub", "/topic/kept", "--durable", "archive", "-n", "1"), b"meanwhile\n")
        self.tool("sub", "/topic/a", "/topic/b", "--durable", "archive", code=2)
        self.assertIn("--durable", self.said)

    def on_terminal(self, *arguments):
        """What the command writes to a terminal."""
        ours, theirs = pty.openpty()
        try:
            subprocess.run([binary(), *arguments], stdout=theirs, stderr=subprocess.DEVNULL, check=True,
                           timeout=wait_time(20), env={**os.environ, "STAMPEDE_URL": self.broker.ports["ws"]})
            return os.read(ours, 4096)
        finally:
            os.close(ours)
            os.close(theirs)

    def test_O_8_messages_cannot_steer_a_terminal(self):
        hostile = b"\x1b]0;owned\x07\xc2\x9b2J"
        for format, shown in (([], b"\\x1b]0;owned\\x07\\xc2\\x9b2J\r\n"), (["--raw"], hostile),
                              (["--format", "%{evil}\\n"], b"\\x1bc\r\n")):
            self.tool("pub", "/queue/hostile", "-H", "evil:\x1bc", body=hostile)
            self.assertEqual(self.on_terminal("sub", "/queue/hostile", "-n", "1", *format), shown)

    def test_O_8_a_pipe_gets_messages_as_they_are(self):
        self.tool("pub", "/queue/pipe", body=b"\x1b[2J")
        self.assertEqual(self.tool("sub", "/queue/pipe", "-n", "1"), b"\x1b[2J\n")

    # --- req.

    def answer_one(self):
        """A service on /queue/double that answers one request; returns its thread."""
        peer = self.client("tcp")
        peer.subscribe("/queue/double")

        def serve():
            request = peer.read_message(seconds=20)
            peer.send(send_to(request["reply-to"], request.body * 2, "correlation-id:" + request["correlation-id"]))
            peer.close()
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)

    def test_O_8_a_request_gets_its_reply(self):
        self.answer_one()
        self.assertEqual(self.tool("req", "/queue/double", "ab"), b"abab\n")
        self.answer_one()
        told = json.loads(self.tool("req", "/queue/double", "--json", "-H", "correlation-id:7", body=b"x"))
        self.assertEqual((told["body"], told["headers"]["correlation-id"]), ("xx", "7"))

    def test_O_8_a_request_that_nobody_answers_is_exit_5(self):
        self.tool("req", "/queue/nobody", "x", "--wait", "50ms", code=5)
        self.assertIn("no reply within 50 ms: does anybody consume from /queue/nobody", self.said)

    # --- ping and bench.

    def test_O_8_ping_tells_what_was_negotiated(self):
        told = json.loads(self.tool("ping", "--count", "3", "--json"))
        self.assertEqual((told["version"], told["sub_protocol"], len(told["round_trips_ms"])), ("1.2", "v12.stomp", 3))
        self.assertEqual(told["advice"], [])
        self.assertIn(b"round trips", self.tool("ping"))

    def bench(self, *arguments):
        return json.loads(self.tool("bench", *arguments, "--warmup", "0", "--duration", "30s", "--json"))

    def test_O_8_bench_counts_messages(self):
        told = self.bench("fanout", "--clients", "3", "--msgs", "50", "--size", "64")
        self.assertEqual((told["subscribers"], told["missing"], told["error_frames"]), (3, 0, 0))
        for name in ("machine", "seed", "latency_p50_us", "latency_p99_us", "published_per_s"):
            self.assertIn(name, told)
        told = self.bench("queue", "--msgs", "50", "--ack", "client-individual", "--persistent", "true", "--rate", "5000")
        self.assertEqual((told["missing"], told["rate"]), (0, 5000))
        self.assertGreater(self.bench("pub", "--clients", "2", "--msgs", "50", "--receipt-every", "1")["receipts_per_s"], 0)

    def test_O_8_bench_as_csv(self):
        lines = self.tool("bench", "connect", "--clients", "5", "--csv").decode().splitlines()
        names, values = csv.reader(lines)
        told = dict(zip(names, values, strict=True))
        self.assertEqual((told["bench"], told["connected"], told["failed_connections"]), ("connect", "5", "0"))


class Certificates(CertificateCase):
    def ping(self, broker, kind, *arguments):
        _, port = broker.address(kind)
        url = {"tcp": "stomps://localhost:%d", "ws": "wss://localhost:%d/ws"}[kind] % port
        return run_tool("ping", url, "--ca-file", self.authority.file, "--json", *arguments)

    def test_O_8_a_client_command_shows_its_certificate(self):
        broker = self.start(self.config(client_certificates="required"))
        own = ["--cert", self.authority.path("anna.pem"), "--key", self.authority.path("anna-key.pem")]
        for kind in ("tcp", "ws"):
            code, out, err = self.ping(broker, kind, *own)
            self.assertEqual((code, json.loads(out)["user"] if out else err), (0, "anna"))
            code, out, err = self.ping(broker, kind)
            self.assertEqual((code, out), (4, ""))
            self.assertIn("give one with --cert and --key", err)

    def test_O_8_a_certificate_that_cannot_be_used_is_told(self):
        broker = self.start(self.config(client_certificates="required"))
        anna = self.authority.path("anna.pem")
        code, _, err = self.ping(broker, "ws", "--cert", anna, "--key", self.authority.path("carl-key.pem"))
        self.assertEqual(code, 2)
        self.assertIn("does not belong to the certificate", err)
        self.assertEqual(self.ping(broker, "ws", "--cert", anna)[0], 2)


del CertificateCase  # Its tests are elsewhere.
