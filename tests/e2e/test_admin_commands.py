"""`stampede admin` and `stampede trace` against what openapi.json promises (operations, sections 8 and 10)."""
import json
import os
import socket
import subprocess
import tempfile
import unittest

from support.admin_api import AdminApi
from support.broker import Broker, binary, run_tool, wait_time


def connections(total):
    """A list that comes in pages."""
    def page(_, query, __):
        begin, limit = int(query.get("cursor", 0)), int(query["limit"])
        items = [{"id": "c-%d" % n, "user": "anna\x1b[2J", "outbound_bytes": 2048} for n in range(begin, min(total, begin + limit))]
        return {"total": total, "items": items, **({"next": str(begin + limit)} if begin + limit < total else {})}
    return page


class AdminCase(unittest.TestCase):
    def setUp(self):
        self.api = AdminApi()
        self.addCleanup(self.api.close)

    def tool(self, *arguments, code=0):
        status, out, self.said = run_tool(*arguments, environment=self.api.environment)
        self.assertEqual(status, code, self.said)
        return out


class Admin(AdminCase):
    def test_O_8_every_command_is_a_call_of_the_document(self):
        """With --json, too; what it prints is what was answered."""
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump({"version": 1}, file)
            file.flush()
            for operation, *words in (
                    ("connections", "connections", "--user", "anna", "--sort", "unacked", "--order", "asc"),
                    ("destinations", "destinations", "--type", "queue", "--sort", "depth", "--match", "a b"),
                    ("subscriptions", "subscriptions", "--sort", "lag"),
                    ("kick", "kick", "c-1", "--reason", "too loud & more"),
                    (None, "kick", "--user", "anna/1"),
                    (None, "queue", "browse", "/queue/a b", "-n", "3"),
                    (None, "queue", "purge", "/queue/a", "--yes"),
                    (None, "queue", "move", "/queue/DLQ.a", "--redrive"),
                    (None, "definitions", "export"),
                    (None, "definitions", "import", file.name, "--dry-run"),
                    (None, "reload"), (None, "drain", "--lame-duck"), (None, "log-level"), (None, "log-level", "off")):
                for more in ((), ("--json",)):
                    out = self.tool("admin", *words, *more)
                    name = self.api.calls[-1][0]
                    self.assertEqual(operation or name, name)
                    if more:
                        self.assertIsInstance(json.loads(out), dict)

    def test_O_8_names_are_encoded_once(self):
        self.tool("admin", "queue", "browse", "/queue/a b%2F\u00e9?#")
        self.assertEqual(self.api.calls[-1][1], {"name": "/queue/a b%2F\u00e9?#"})
        self.tool("admin", "kick", "c-1", "--reason", "a&b=c d")
        self.assertEqual(self.api.calls[-1][1:3], ({"id": "c-1"}, {"reason": "a&b=c d"}))

    def test_O_8_long_lists_come_in_pages(self):
        self.api.answers["connections"] = connections(2500)
        told = json.loads(self.tool("admin", "connections", "--limit", "2200", "--json"))
        self.assertEqual([item["id"] for item in told["items"]], ["c-%d" % n for n in range(2200)])
        self.assertEqual([call[2]["limit"] for call in self.api.calls], ["1000", "1000", "200"])
        lines = self.tool("admin", "connections", "-n", "2").splitlines()
        self.assertEqual((len(lines), lines[0].split()[:2], lines[1].split()[:2]), (3, ["ID", "USER"], ["c-0", "anna\\x1b[2J"]))
        self.assertIn("2.0 KiB", lines[1])
        self.assertIn("2 of 2500", self.said)

    def test_O_8_a_purge_wants_a_word_more(self):
        self.tool("admin", "queue", "purge", "/queue/a", code=2)
        self.assertEqual(self.api.calls, [])

    def test_O_8_moves_go_on_until_all_is_moved(self):
        parts = iter([(1000, False), (1000, False), (7, True)])
        self.api.answers["move"] = lambda *_: dict(zip(("messages", "is_complete"), next(parts)))
        self.assertIn("moved 2007 messages", self.tool("admin", "queue", "move", "/queue/a", "--to", "/queue/b"))
        self.assertEqual(self.api.calls[-1][3], {"to": "/queue/b"})
        self.tool("admin", "queue", "move", "/queue/a", code=2)

    def test_O_8_a_configuration_that_is_not_taken_is_exit_3(self):
        self.api.answers["reload"] = {"ok": False, "errors": ["stampede.toml:7: unknown key"]}
        self.assertIn("stampede.toml:7: unknown key", self.tool("admin", "reload", code=3))

    # --- What goes wrong.

    def test_O_8_refusals_say_what_the_broker_says(self):
        self.api.answers["kick"] = 404
        self.tool("admin", "kick", "c-9", code=1)
        self.assertIn("There is none of that name.\\x1b[2J", self.said)
        self.api.token.truncate(0)
        self.api.token.seek(0)
        self.api.token.write("wrong-token-wrong-token")
        self.api.token.flush()
        self.tool("admin", "connections", code=4)
        self.assertIn(self.api.token.name, self.said)
        self.assertNotIn("wrong-token", self.said)

    def test_O_8_nobody_there_and_something_else_there(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = "http://127.0.0.1:%d" % silent.getsockname()[1]
            self.tool("admin", "reload", "--admin", url, "--timeout", "50ms", code=5)
        self.tool("admin", "reload", "--admin", url, code=1)
        self.assertIn("refused", self.said)
        self.tool("admin", "reload", "--admin", "http://broker.example:15680", code=2)
        self.tool("admin", "reload", "--token-file", "/nonexistent", code=2)

    def test_O_8_no_token_because_no_broker_runs(self):
        with tempfile.TemporaryDirectory() as directory, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            environment = {"TMPDIR": directory, "STAMPEDE_ADMIN": "http://127.0.0.1:%d" % closed.getsockname()[1]}
            for words in (("admin", "connections"), ("top", "--once"), ("trace", "c-1")):
                code, _, said = run_tool(*words, environment=environment)
                self.assertEqual(code, 1, said)
                self.assertRegex(said, r"^stampede: connection to 127\.0\.0\.1:\d+ refused: is the broker running")

    def test_O_8_the_token_of_this_machine_is_not_sent_to_another(self):
        environment = {**self.api.environment, "STAMPEDE_ADMIN__TOKEN_FILE": self.api.token.name}
        environment.pop("STAMPEDE_ADMIN_TOKEN_FILE", None)
        code, _, said = run_tool("admin", "reload", "--admin", "https://broker.invalid:15680", environment=environment)
        self.assertEqual(code, 4, said)
        self.assertIn("--token-file", said)

    def test_O_8_the_token_of_a_broker_of_ours_is_found(self):
        """In the directory for temporary files; not what somebody else could have put there."""
        # In the common one, brokers that were killed may have left tokens of the same port.
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        broker = Broker(environment={"TMPDIR": directory.name})
        self.addCleanup(broker.kill)
        own = broker.event("admin-token")["file"]
        self.assertEqual(os.path.dirname(own), directory.name)
        host, port = broker.address("admin")
        with tempfile.NamedTemporaryFile(prefix="stampede-admin-%d-" % port, suffix=".token", dir=directory.name) as loose:
            loose.write(b"somebody-elses-token")
            loose.flush()
            os.chmod(loose.name, 0o666)
            environment = {key: value for key, value in os.environ.items() if not key.startswith("STAMPEDE_ADMIN")}
            environment["TMPDIR"] = directory.name
            command = [binary(), "admin", "destinations", "--admin", "http://%s:%d" % (host, port)]

            def run():
                return subprocess.run(command, capture_output=True, text=True, env=environment, check=False,
                                      timeout=wait_time(20))
            done = run()
            self.assertEqual(done.returncode, 0, done.stderr)
            os.unlink(own)
            done = run()
            self.assertEqual((done.returncode, done.stdout), (4, ""))
            self.assertIn("--token-file", done.stderr)


class Trace(AdminCase):
    FRAME = {"at": "2026-01-01T00:00:00Z", "direction": "in", "command": "SEND", "size": 3,
             "headers": [["destination", "/queue/a\x1b[2J"]], "body": "abc"}

    def test_O_8_frames_are_shown_as_they_come(self):
        self.api.answers["trace"] = ("event: frame\ndata: %s\n\nevent: end\ndata: time\n\nevent: frame\ndata: {}\n\n"
                                     % json.dumps(self.FRAME)).encode()
        out = self.tool("trace", "c-1", "--duration", "90s", "--bodies")
        self.assertEqual(self.api.calls[-1][1:3], ({"id": "c-1"}, {"seconds": "90", "bodies": "true"}))
        self.assertEqual(out, "2026-01-01T00:00:00Z --> SEND, 3 B\n    destination:/queue/a\\x1b[2J\n    | abc\n")
        self.assertIn("end: time", self.said)
        lines = [json.loads(line) for line in self.tool("trace", "c-1", "--json").splitlines()]
        self.assertEqual((lines[0]["data"], lines[1]["event"]), (self.FRAME, "end"))

    def test_O_8_a_connection_that_is_not_there(self):
        self.api.answers["trace"] = 404
        self.tool("trace", "c-9", code=1)
        self.assertIn("There is none of that name", self.said)


if __name__ == "__main__":
    unittest.main()
