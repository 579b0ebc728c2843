"""A broker's /metrics: read with the admin token, parsed strictly, compared."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest
import urllib.request

import yaml

from .broker import wait_time

ROOT = pathlib.Path(__file__).resolve().parents[3]
ALERTS = ROOT / "deploy/prometheus"
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
ADDED = ("job", "instance")
NAME = re.compile(r"\b((?:stampede|process)_[a-z0-9_]+)")


def promtool(*arguments, text=None, folder=None):
    program = shutil.which("promtool")
    if program is None:
        raise unittest.SkipTest("promtool is not installed (package prometheus)")
    done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, cwd=folder, check=False,
                          timeout=wait_time(20))
    return done.returncode, done.stdout + done.stderr


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
    status, text, _ = page(broker, broker.admin_token())
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


def lacking(found, expression, text=""):
    """The selectors of `expression` for which a scrape has no series, or none with the labels that it groups by and
    that `text` shows. Prometheus itself adds job and instance."""
    wanted = set(re.findall(r"{{ ?(?:\$labels\.)?(\w+) ?}}", text))
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        wanted |= set(re.split(r",\s*", group))
    lacks = set()
    for name, inside in re.findall(NAME.pattern + r"(?:{([^}]*)})?", expression):
        chosen = {label for label in LABEL.findall(inside) if label[0] not in ADDED}
        series = [set(labels) for other, labels in found if other == name and chosen <= set(labels)]
        if not series or any(wanted - {label for label, _ in labels} - set(ADDED) for labels in series):
            lacks.add("%s{%s}" % (name, inside))
    return lacks


def expressions(value):
    """(expression, what the legend says) of all under `expr` and `query` of a dashboard."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("expr", "query") and isinstance(item, str):
                yield item, value.get("legendFormat", "")
            else:
                yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


def rules():
    """Those of alerts.yml."""
    with open(ALERTS / "alerts.yml", encoding="utf-8") as file:
        return [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]


def dashboard():
    return json.loads((ROOT / "deploy/grafana/dashboard.json").read_text(encoding="utf-8"))
