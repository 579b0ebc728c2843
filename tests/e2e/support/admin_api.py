"""A stand-in for the admin API: it answers what openapi.json promises, and refuses calls that openapi.json has not."""
import json
import pathlib
import re
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPEC = json.loads((pathlib.Path(__file__).parents[3] / "broker" / "admin" / "openapi.json").read_text(encoding="utf-8"))
TOKEN = "0123456789abcdef-admin"


def resolved(schema):
    while "$ref" in schema:
        target = SPEC
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def example(schema, name=""):
    """A value of that schema: numbers are 1, texts their own name."""
    schema = resolved(schema)
    if "allOf" in schema:
        value = {}
        for part in schema["allOf"]:
            value.update(example(part))
        return value
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {key: example(part, key) for key, part in schema.get("properties", {}).items() if key != "next"}
    if kind == "array":
        return [example(schema["items"], name)]
    return {"integer": 1, "number": 1.5, "boolean": True, "string": name}.get(kind)


def route(method, path):
    """(operation, parameters of the path) of the document, or None."""
    for template, methods in SPEC["paths"].items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)
        found = re.fullmatch(pattern, path)
        if found and method.lower() in methods:
            return methods[method.lower()], {k: urllib.parse.unquote(v) for k, v in found.groupdict().items()}
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, detail):
        self.send(status, json.dumps({"type": "about:blank", "title": "x", "status": status, "detail": detail}).encode(),
                  "application/problem+json")

    def answer(self):
        api = self.server.api
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(body) if body else None
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            return self.problem(401, "The token is missing or wrong.")
        found = route(self.command, url.path)
        if found is None:
            return self.problem(404, "openapi.json has no %s %s" % (self.command, url.path))
        operation, parameters = found
        known = {resolved(p)["name"] for p in operation.get("parameters", []) if resolved(p)["in"] == "query"}
        if set(query) - known or (body is not None) != ("requestBody" in operation):
            return self.problem(400, "not as openapi.json says: %s %s" % (query, body))
        name = operation["operationId"]
        api.calls.append((name, parameters, query, body))
        canned = api.answers.get(name)
        if callable(canned):
            canned = canned(parameters, query, body)
        if isinstance(canned, int):
            return self.problem(canned, "There is none of that name.\x1b[2J")
        if isinstance(canned, bytes):
            return self.send(200, canned, "text/event-stream")
        status, promised = next((int(code), answer) for code, answer in operation["responses"].items() if code < "3")
        if canned is None and "content" in promised:
            canned = example(next(iter(promised["content"].values()))["schema"])
        return self.send(status, json.dumps(canned).encode() if canned is not None else b"")

    do_GET = do_POST = do_PUT = do_DELETE = answer


class AdminApi:
    """`answers`: {operationId: an answer, a status, octets, or a function (path, query, body) of such}."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.calls = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.api = self
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.token = tempfile.NamedTemporaryFile("w", prefix="stampede-token-")
        self.token.write(TOKEN + "\n")
        self.token.flush()
        self.environment = {"STAMPEDE_ADMIN": self.url, "STAMPEDE_ADMIN_TOKEN_FILE": self.token.name}
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.token.close()
