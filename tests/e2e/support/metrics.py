"""A broker's /metrics: read with the admin token, parsed strictly, compared."""
import json
import pathlib
import re
import urllib.request

from .broker import wait_time

ROOT = pathlib.Path(__file__).resolve().parents[3]
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
NAME = re.compile(r"\b((?:stampede|process)_[a-z0-9_]+)")


def page(broker, token=None):
    """(status, text, content type)"""
    host, port = broker.address("admin")
    request = urllib.request.Request("http://%s:%d/metrics" % (host, port))
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=wait_time(10)) as answer:
            return answer.status, answer.read().decode("utf-8"), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8"), error.headers["Content-Type"]


def text_of(broker):
    with open(broker.event("admin-token")["file"], encoding="ascii") as file:
        status, text, _ = page(broker, file.read().strip())
    if status != 200:
        raise AssertionError("/metrics: %s %s" % (status, text))
    return text


class Scrape(dict):
    """{(name, ((label, value), ...)): number}; `types`: {family: type}."""

    def __init__(self, text):
        super().__init__()
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                if name in self.types:
                    raise AssertionError("two families %s" % name)
                self.types[name] = kind
            elif not line.startswith("# HELP "):
                self._add(line)

    def _add(self, line):
        match = LINE.match(line)
        if not match:
            raise AssertionError("no line of the format: %r" % line)
        name, labels, value = match.groups()
        found = LABEL.findall(labels or "")
        if ",".join('%s="%s"' % pair for pair in found) != (labels or ""):
            raise AssertionError("bad labels: %r" % line)
        key = name, tuple(sorted(found))
        if key in self:
            raise AssertionError("twice: %r" % line)
        self[key] = float(value)

    def get_value(self, name, **labels):
        return self[name, tuple(sorted(labels.items()))]

    def total(self, name, **labels):
        """The sum of all series of `name` with these labels."""
        wanted = set(labels.items())
        return sum(value for (other, has), value in self.items() if other == name and wanted <= set(has))


def scrape(broker):
    return Scrape(text_of(broker))


def documented():
    """{name: (type, row)} of docs/metrics.md."""
    rows = {}
    for line in (ROOT / "docs/metrics.md").read_text(encoding="utf-8").splitlines():
        match = re.match(r"\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \|", line)
        if match:
            rows[match.group(1)] = match.group(2), line
    return rows


def used_in(text):
    """The families that expressions use."""
    return {re.sub(r"_bucket$", "", name) for name in NAME.findall(text)}


def expressions(value):
    """All strings under `expr` and `query` of a dashboard."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("expr", "query") and isinstance(item, str):
                yield item
            else:
                yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


def dashboard():
    return json.loads((ROOT / "deploy/grafana/dashboard.json").read_text(encoding="utf-8"))
