"""One broker process: started with a configuration, watched, and ended.

The binary is named by the environment variable STAMPEDE. Readiness is awaited on the broker's own log line, then the
ports file is read. STAMPEDE_PATIENCE multiplies all waiting times; above 1 (sanitizers) memory is not judged.
"""
import contextlib
import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = float(os.environ.get("STAMPEDE_PATIENCE", "1"))
JUDGES_MEMORY = PATIENCE <= 1
MIB = 1024 * 1024


def wait_time(seconds):
    """The time to wait for what normally takes far less than `seconds`."""
    return seconds * PATIENCE


def binary():
    path = os.environ.get("STAMPEDE", "")
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError("set STAMPEDE to the path of the broker's binary")
    return os.path.abspath(path)


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value)


def to_toml(config):
    """{"limits": {...}, "policy": [{...}]} as TOML: a list of dictionaries is an array of tables."""
    lines = []
    for section, content in config.items():
        for table in content if isinstance(content, list) else [content]:
            lines.append(("[[%s]]" if isinstance(content, list) else "[%s]") % section)
            lines += ["%s = %s" % (key, toml_value(value)) for key, value in table.items()]
    return "\n".join(lines) + "\n"


def run_tool(*arguments, environment=None):
    """A sub-command that ends by itself: (exit code, stdout, stderr)."""
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=wait_time(20),
                          env={**os.environ, **(environment or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


class Broker:
    """`config` is a dictionary of sections. Listeners get free ports unless `arguments` or config name them.

    `wrapper`: a command that starts the broker in its own place; `popen`: further arguments of Popen.
    """

    def __init__(self, config=None, arguments=(), threads=1, files=None, listeners=True, wrapper=(),
                 environment=None, popen=None):
        self.folder = tempfile.mkdtemp(prefix="stampede-e2e-")
        self.ports_file = os.path.join(self.folder, "ports.json")
        self.records = []
        self.bad_log_lines = []
        self._changed = threading.Condition()
        self._raw = []
        config_file = os.path.join(self.folder, "stampede.toml")
        with open(config_file, "w", encoding="utf-8") as out:
            out.write(config if isinstance(config, str) else to_toml(config or {}))
        command = [*wrapper, binary(), "serve", "--config", config_file, "--ports-file", self.ports_file,
                   "--threads", str(threads), "--admin", "127.0.0.1:0"]
        if listeners:
            command += ["--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0"]
        environment = {**{key: value for key, value in os.environ.items() if not key.startswith("STAMPEDE_")},
                       **(environment or {})}
        environment["STAMPEDE_LOG__FORMAT"] = "json"
        self.process = subprocess.Popen(
            command + list(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment,
            **(popen or {"preexec_fn": (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, files)) if files else None}))
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self.wait_for(lambda: self.event("ready") is not None or not self.is_alive(), 20) or not self.is_alive():
            text = self.log_text()
            self.kill()
            raise RuntimeError("the broker did not start:\n" + text)
        with open(self.ports_file, encoding="utf-8") as ports:
            self.ports = json.load(ports)
        self.rss_at_start = self.rss()

    # --- Its log.

    def _read_log(self):
        for line in self.process.stderr:
            with self._changed:
                self._raw.append(line)
                try:
                    self.records.append(json.loads(line))
                except ValueError:
                    self.bad_log_lines.append(line)
                self._changed.notify_all()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(wait_time(5))  # So that who waits for the end sees it.
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, condition, seconds=10):
        """True once `condition()` holds; looked at whenever the broker logs, and at the end."""
        with self._changed:
            return self._changed.wait_for(condition, wait_time(seconds))

    def event(self, name, **fields):
        """The latest record of that event with those fields, or None."""
        for record in reversed(self.records):
            if record.get("event") == name and all(record.get(k) == v for k, v in fields.items()):
                return record
        return None

    def log_text(self):
        return b"".join(self._raw[-60:]).decode("utf-8", "replace")

    def admin_token(self):
        """The one that it has made."""
        with open(self.event("admin-token")["file"], encoding="ascii") as file:
            return file.read().strip()

    # --- Where it listens.

    def address(self, kind):
        """(host, port) of `tcp`, `ws` or `admin`."""
        url = urllib.parse.urlsplit(self.ports[kind])
        return url.hostname, url.port

    def http(self, path, kind="admin"):
        """GET: (status, text)."""
        host, port = self.address(kind)
        try:
            with urllib.request.urlopen("http://%s:%d%s" % (host, port, path), timeout=wait_time(10)) as answer:
                text = answer.read()
                if answer.headers["Content-Encoding"] == "gzip":
                    text = gzip.decompress(text)
                return answer.status, text.decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    # --- Its life.

    def is_alive(self):
        return self.process.poll() is None

    def rss(self, name="VmRSS"):
        """Resident octets (`VmHWM`: their peak)."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
        return 0

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    @contextlib.contextmanager
    def short_of(self, what, soft):
        """For a while it has no more than `soft` of a resource (RLIMIT_...)."""
        before = resource.prlimit(self.process.pid, what)
        resource.prlimit(self.process.pid, what, (soft, before[1]))
        try:
            yield
        finally:
            resource.prlimit(self.process.pid, what, before)

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=15):
        """Its exit code, once it has ended and all its log is here."""
        code = self.process.wait(wait_time(seconds))
        self._reader.join(wait_time(5))
        return code

    def stop(self, seconds=15):
        """SIGTERM, and the exit code."""
        if self.is_alive():
            self.signal()
        try:
            return self.wait(seconds)
        finally:
            self.kill()

    def kill(self):
        if self.is_alive():
            self.process.kill()
            self.process.wait()
        self._reader.join(wait_time(5))
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def until(condition, seconds=10):
    """Polls what raises no event (kernel state, another process's memory). True once it holds."""
    end = time.monotonic() + wait_time(seconds)
    pause = threading.Event()
    while not condition():
        if time.monotonic() >= end:
            return False
        pause.wait(0.005)
    return True
