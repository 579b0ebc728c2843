"""`stampede healthcheck`: alive or ready, as an exit code (operations, section 4)."""
import json
import signal
import socket
import tempfile
import threading
import unittest

from support.broker import Broker, run_tool
from support.case import OwnBrokerCase, each


class Healthcheck(OwnBrokerCase):
    def start(self, config=None):
        self.broker = Broker(config or {})
        self.addCleanup(self.broker.kill)
        return self.broker.ports["admin"]

    @each([(), ("--ready",)])
    def test_O_4_0_while_it_serves(self, *flags):
        admin = self.start()
        code, text, _ = run_tool("healthcheck", "--admin", admin, *flags)
        self.assertEqual((code, text), (0, "ok\n"))

    def test_O_4_alive_but_not_ready_while_it_drains(self):
        admin = self.start({"drain": {"pre_stop_delay": "60s"}})
        self.broker.signal(signal.SIGTERM)
        self.assertTrue(self.broker.wait_for(lambda: self.broker.event("draining")))
        self.assertEqual(run_tool("healthcheck", "--admin", admin)[0], 0)
        code, text, _ = run_tool("healthcheck", "--admin", admin, "--ready")
        self.assertEqual((code, text), (1, "unavailable: serving: draining\n"))
        code, text, _ = run_tool("healthcheck", "--admin", admin, "--ready", "--json")
        self.assertEqual((code, json.loads(text)["checks"]["serving"]), (1, "draining"))

    def test_O_4_finds_the_admin_listener_by_the_configuration(self):
        self.start()
        _, port = self.broker.address("admin")
        environment = {"STAMPEDE_ADMIN__ADDRESS": "127.0.0.1:%d" % port}
        self.assertEqual(run_tool("healthcheck", environment=environment)[0], 0)
        everywhere = {"STAMPEDE_ADMIN__ADDRESS": "*:%d" % port}
        self.assertEqual(run_tool("healthcheck", environment=everywhere)[0], 0)

    def test_O_4_takes_the_address_that_the_other_commands_take(self):
        environment = {"STAMPEDE_ADMIN": self.start()}
        self.assertEqual(run_tool("healthcheck", environment=environment)[0], 0)
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[admin]\naddress = "off"\n')
            file.flush()
            self.assertEqual(run_tool("healthcheck", "--config", file.name, environment=environment)[0], 3)
        code, _, text = run_tool("healthcheck", environment={"STAMPEDE_ADMIN": "https://broker.example"})
        self.assertEqual(code, 2)
        self.assertIn("STAMPEDE_ADMIN: expected", text)

    def test_O_4_1_when_nobody_is_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            code, _, text = run_tool("healthcheck", "--admin", "http://127.0.0.1:%d" % closed.getsockname()[1])
        self.assertEqual(code, 1)
        self.assertRegex(text, r"^stampede: http://(127\.0\.0\.1:\d+): connection to \1 refused: is the broker running")
        self.assertEqual(text.count("\n"), 1)

    def test_O_4_1_when_the_answer_does_not_come(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            code, _, text = run_tool("healthcheck", "--timeout", "50ms", "--admin",
                                     "127.0.0.1:%d" % silent.getsockname()[1])
        self.assertEqual(code, 1)
        self.assertIn("does not answer in time", text)

    def answered_with(self, octets, *flags):
        """What the command makes of a listener that answers with `octets`."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            def answer():
                client, _ = other.accept()
                with client:
                    client.recv(4096)
                    client.sendall(octets)
            thread = threading.Thread(target=answer)
            thread.start()
            result = run_tool("healthcheck", "--admin", "127.0.0.1:%d" % other.getsockname()[1], *flags)
            thread.join()
        return result

    def test_O_4_1_when_somebody_else_answers(self):
        self.assertEqual(self.answered_with(b"SSH-2.0-OpenSSH\r\n")[0], 1)
        page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\x1b[31mx"
        code, text, error = self.answered_with(page, "--json")
        self.assertEqual((code, text), (1, ""))
        self.assertIn("no JSON", error)

    @each([(), ("--json",)])
    def test_O_4_what_a_listener_says_does_not_steer_the_terminal(self, *flags):
        body = json.dumps({"checks": {"a\x1b[2J": "\x9b31m bad"}}, ensure_ascii=len(flags) != 0).encode()
        head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n" % len(body)
        code, text, _ = self.answered_with(head + body, *flags)
        self.assertEqual(code, 1)
        self.assertIn("bad", text)
        self.assertNotIn("\x1b", text)
        if not flags:
            self.assertEqual(text, "unavailable: a\\x1b[2J: \\xc2\\x9b31m bad\n")

    def test_O_4_wrong_use(self):
        self.assertEqual(run_tool("healthcheck", "--admin", "broker.example")[0], 2)
        code, _, text = run_tool("healthcheck", environment={"STAMPEDE_ADMIN__ADDRESS": "off"})
        self.assertEqual(code, 3)
        self.assertIn("admin.address", text)


if __name__ == "__main__":
    unittest.main()
