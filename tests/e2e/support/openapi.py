"""The admin API, asked and held against its own description: every answer must be one that openapi.json promises.

`Api.call` checks status, content type and schema of each answer. A module of tests names the operations that it
covers and says `load_tests = covers(...)`: a last test fails if one of them was never called.
"""
import json
import os
import re
import unittest
import urllib.error
import urllib.parse
import urllib.request

import jsonschema

from .broker import wait_time

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "broker", "admin", "openapi.json")
LIST = "/api/v1/destinations"
QUEUES = "/api/v1/queues/"
PUBLISH = "/api/v1/publish"
METHODS = ("get", "put", "post", "delete", "patch")
called = set()  # (method, path) of the document, by this process.


FORMATS = jsonschema.FormatChecker([])
FORMATS.checks("date-time")(lambda text: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text) is not None)


class Disagreement(AssertionError):
    """The broker's answer is none that its description allows."""


class Document:
    def __init__(self, document):
        self.document = document
        self.operations = {(method, path): operation for path, methods in document["paths"].items()
                           for method, operation in methods.items() if method in METHODS}

    def path_of(self, path):
        """The described path that `path` is an instance of, or None. Literal segments win."""
        segments = path.split("/")
        fitting = [known for known in self.document["paths"] if fits(known.split("/"), segments)]
        return min(fitting, key=lambda known: known.count("{"), default=None)

    def methods_of(self, path):
        return {method for method, known in self.operations if known == path}

    def check(self, method, path, status, content_type, body):
        """Raises Disagreement; `path` without its query. What is no call of the API is a 404 or a 405."""
        known = self.path_of(path)
        operation = self.operations.get((method.lower(), known))
        if operation is None:
            if status not in (401, 404, 405, 421):
                raise Disagreement("%s %s is not described, and answers %d" % (method, path, status))
            return self._check_body(self._problem(), "application/problem+json", content_type, body)
        called.add((method.lower(), known))
        response = operation["responses"].get(str(status))
        if response is None:
            raise Disagreement("%s %s answers %d: %r" % (method, known, status, body[:300]))
        self._check_content(response, content_type, body)
        return None

    def _problem(self):
        return {"$ref": "#/components/schemas/Problem"}

    def _check_content(self, response, content_type, body):
        kind = (content_type or "").split(";")[0].strip()
        content = response.get("content", {})
        if not content:
            if body:
                raise Disagreement("a body where there is to be none: %r" % body[:300])
        elif kind not in content:
            raise Disagreement("content type %s instead of %s" % (kind, " or ".join(content)))
        elif "json" in kind:
            self._check_body(content[kind].get("schema", {}), kind, content_type, body)

    def _check_body(self, schema, kind, content_type, body):
        if (content_type or "").split(";")[0] != kind:
            raise Disagreement("content type %s instead of %s" % (content_type, kind))
        described = {"allOf": [schema], "components": self.document["components"]}
        validator = jsonschema.Draft4Validator(described, format_checker=FORMATS)
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(body)))
        if error is not None:
            raise Disagreement("at %s: %s" % ("/".join(map(str, error.absolute_path)) or "the top", error.message))


def fits(pattern, segments):
    return len(pattern) == len(segments) and all(
        known == given or (known.startswith("{") and re.fullmatch(r"(?:[^%]|%[0-9a-fA-F]{2})+", given))
        for known, given in zip(pattern, segments))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        """Of a problem."""
        return self.json["detail"]

    def __repr__(self):
        return "%d %r" % (self.status, self.body[:300])


class Api:
    """The admin listener of `broker`, with its own token."""

    def __init__(self, broker, token=None):
        self.base = "http://%s:%d" % broker.address("admin")
        self.token = broker.admin_token() if token is None else token
        with open(DOCUMENT, encoding="utf-8") as file:
            self.document = Document(json.load(file))

    def _send(self, method, target, body, headers):
        request = urllib.request.Request(self.base + target, method=method, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=wait_time(20)) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def call(self, method, target, body=None, token=None, **headers):
        """`body`: what becomes JSON, or octets as they are. `token`: another one; empty: none. Header names have _
        for -. The answer is as described, or Disagreement is raised."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = "Bearer " + token
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Answer(*self._send(method, target, body, headers))
        self.document.check(
            method, target.split("?")[0], answer.status, answer.headers.get("Content-Type"), answer.body)
        return answer

    def get(self, target, **query):
        """The JSON of what must be 200."""
        return self._good("GET", target, None, query, 200).json

    def post(self, target, body=None, status=200, **query):
        answer = self._good("POST", target, body, query, status)
        return answer.json if answer.body else None

    def put(self, target, body=None, status=204, **query):
        return self._good("PUT", target, body, query, status)

    def delete(self, target, status=204, **query):
        answer = self._good("DELETE", target, None, query, status)
        return answer.json if answer.body else None

    def _good(self, method, target, body, query, status):
        if query:
            target += "?" + urllib.parse.urlencode(query)
        answer = self.call(method, target, body)
        if answer.status != status:
            raise AssertionError("%s %s: %r instead of %d" % (method, target, answer, status))
        return answer

    def pages(self, target, **query):
        """(total of each page, all items) of a paged list."""
        totals, items = [], []
        while True:
            page = self.get(target, **query)
            totals.append(page["total"])
            items += page["items"]
            if "next" not in page:
                return totals, items
            query["cursor"] = page["next"]


class Calls:
    """Calls with the admin token; answers are (status, JSON or None), as described."""

    def call(self, method, path, body=None, **headers):
        answer = Api(self.broker).call(method, path, body, **headers)
        if answer.status >= 400:
            self.assertEqual(answer.json["status"], answer.status)
            self.assertRegex(answer.detail, r"^\S.*\.$")
        return answer.status, answer.json if answer.body else None

    def get(self, path):
        status, answer = self.call("GET", path)
        self.assertEqual(status, 200, answer)
        return answer

    def one(self, name):
        return self.get(LIST + "/" + segment(name))

    def listed(self, query=""):
        return [item["name"] for item in self.get(LIST + query)["items"]]


def segment(name):
    """A name as one segment of a path."""
    return urllib.parse.quote(name, safe="")


def uncalled(operations):
    """Those among "GET /api/v1/..." that no call has reached."""
    return sorted(set(operations) - {"%s %s" % (method.upper(), path) for method, path in called})


def covers(*operations):
    """For `load_tests` of a module: after all its tests each of `operations` must have been called."""
    class Coverage(unittest.TestCase):
        def test_each_call_of_this_part_was_made(self):
            self.assertEqual(uncalled(operations), [])

    def load_tests(loader, tests, pattern):
        del pattern
        if not loader.testNamePatterns:
            tests.addTest(Coverage("test_each_call_of_this_part_was_made"))
        return tests

    load_tests.operations = operations
    return load_tests
