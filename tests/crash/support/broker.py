"""The broker under test: started on a data directory, killed, and what it left in its log."""
import atexit
import json
import os
import signal
import subprocess
import tempfile
import threading
import time


class StartFailed(Exception):
    """The broker ended before it was ready. `code`: its exit code; `text`: the end of its log."""

    def __init__(self, code, text):
        super().__init__("the broker ended with %s before it was ready:\n%s" % (code, text))
        self.code, self.text = code, text


class Broker:
    """One process. `scratch`: a folder on another file system than `data`."""

    def __init__(self, binary, data, scratch, config="", threads=1, environment=None, patience=60, limits=None):
        self.scratch = tempfile.mkdtemp(prefix="broker-", dir=scratch)
        self.ports_file = os.path.join(self.scratch, "ports.json")
        self.log_path = os.path.join(self.scratch, "log")
        config_file = os.path.join(self.scratch, "stampede.toml")
        with open(config_file, "w", encoding="utf-8") as out:
            out.write(config)
        command = [binary, "serve", "--data", data, "--config", config_file, "--ports-file", self.ports_file,
                   "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--threads", str(threads)]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("STAMPEDE_")}
        begin = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**clean, **(environment or {})}, preexec_fn=limits)
        atexit.register(self.kill)  # Nothing outlives a harness that fails itself.
        self.ports = self._await_ports(begin + patience)
        self.start_seconds = time.monotonic() - begin

    def _await_ports(self, end):
        """Readiness is awaited: the ports file is complete when it parses."""
        while True:
            try:
                with open(self.ports_file, encoding="utf-8") as ports:
                    return json.load(ports)
            except (OSError, ValueError):
                pass
            if self.process.poll() is not None:
                raise StartFailed(self.process.returncode, self.log_text())
            if time.monotonic() > end:
                self.kill()
                raise StartFailed("no answer in time", self.log_text())
            threading.Event().wait(0.002)

    @property
    def address(self):
        return self.ports["tcp"].rpartition("/")[2]

    @property
    def admin(self):
        return self.ports["admin"]

    def log_text(self, size=1500):
        with open(self.log_path, "rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - size))
            return log.read().decode("utf-8", "replace")

    def freeze(self, between_calls):
        """Stops every thread: none reaches user space again before thaw(). A thread that waits for the disk inside a
        call may still do so, unless `between_calls`."""
        self.process.send_signal(signal.SIGSTOP)
        waiting = "RS" if not between_calls else "RSD"
        while self.is_alive() and any(state in waiting for state in self._thread_states()):
            threading.Event().wait(0.0005)

    def _thread_states(self):
        folder = "/proc/%d/task" % self.process.pid
        for thread in os.listdir(folder):
            try:
                with open("%s/%s/stat" % (folder, thread), encoding="utf-8", errors="replace") as stat:
                    yield stat.read().rpartition(")")[2].split()[0]
            except OSError:
                continue

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def is_alive(self):
        return self.process.poll() is None

    def kill(self):
        atexit.unregister(self.kill)
        if self.is_alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=60):
        """SIGTERM and the exit code; None if it does not end."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=60):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
