"""A clean Debian 12 that is booted, by systemd-nspawn: what only a service manager shows."""
import os
import shutil
import subprocess

from clean_system import Failure, System, expect, output
from support.broker import until  # Found by clean_system.
from support.manager import NotifySocket

SOCKETS = ("stampede-ws.socket", "stampede-tcp.socket")
DROP_IN = "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n"


class Booted(System):
    """Its processes run beside a systemd of their own, without a network."""

    def __init__(self, folder):
        super().__init__(folder)
        self.manager = NotifySocket()
        self.container = None
        self.leader = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.container is not None:
            self.container.terminate()
            try:
                self.container.wait(20)
            except subprocess.TimeoutExpired:
                self.container.kill()
                self.container.wait()
        self.manager.close()

    def boot(self):
        """False if containers cannot be booted here."""
        if shutil.which("systemd-nspawn") is None:
            return False
        self.container = subprocess.Popen(
            ["systemd-nspawn", "--directory", self.folder, "--boot", "--private-network", "--register=no", "--keep-unit",
             "--console=pipe", "--notify-ready=yes"], env={**os.environ, **self.manager.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not until(lambda: "READY=1" in self.manager.read() or self.container.poll() is not None, 60):
            return False
        leaders = [line for line in self.manager.read() if line.startswith("X_NSPAWN_LEADER_PID=")]
        self.leader = leaders[-1].split("=")[1] if leaders and self.container.poll() is None else None
        return self.leader is not None

    def enter(self):
        return ["nsenter", "-t", self.leader, "-a", "--"] if self.leader else super().enter()

    def shows(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, "stampede.service").strip()

    def becomes(self, name, value, seconds=20):
        expect(until(lambda: self.shows(name) == value, seconds), "%s is %s, not %s:\n%s" % (
            name, self.shows(name), value, self.run("journalctl", "-u", "stampede", "-n", "20", "--no-pager")))


def check_service(system):
    """Installed, it runs; a reload, a stop, a hang, its sockets and a lame duck go as the manual says."""
    system.run("dpkg", "-i", "/stampede.deb")
    system.becomes("ActiveState", "active")
    expect(system.shows("StatusText").startswith("Accepting connections"), "its status is " + system.shows("StatusText"))
    expect(system.run("stampede", "healthcheck", "--ready").startswith("ok"), "it is not ready")
    process = system.shows("MainPID")
    system.run("systemctl", "reload", "stampede")
    expect((system.shows("MainPID"), system.shows("ActiveState")) == (process, "active"), "a reload is a restart")
    log = system.run("journalctl", "-u", "stampede", "--no-pager", "-o", "cat")
    expect('"event":"reloaded"' in log, "a reload reads nothing:\n" + log)
    system.run("systemctl", "stop", "stampede")
    expect((system.shows("Result"), system.shows("ExecMainStatus")) == ("success", "0"), "a stop is no success")


def check_watchdog(system):
    folder = system.path("/etc/systemd/system/stampede.service.d")
    os.makedirs(folder)
    with open(os.path.join(folder, "watchdog.conf"), "w", encoding="utf-8") as file:
        file.write(DROP_IN)
    system.run("systemctl", "daemon-reload")
    system.run("systemctl", "start", "stampede")
    system.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "stampede")
    system.becomes("NRestarts", "1")
    system.becomes("ActiveState", "active")
    system.run("systemctl", "stop", "stampede")
    shutil.rmtree(folder)
    system.run("systemctl", "daemon-reload")


def check_sockets(system):
    system.run("systemctl", "start", *SOCKETS)
    expect(system.shows("ActiveState") == "inactive", "it runs before anybody asks")
    for url in ("ws://127.0.0.1:15674/ws", "stomp://[::1]:61613"):
        expect("round trips" in system.run("stampede", "ping", url), "nobody answers at " + url)
    expect(system.shows("ActiveState") == "active", "somebody else answers")
    system.run("systemctl", "kill", "--kill-whom=main", "--signal=USR2", "stampede")
    system.becomes("ActiveState", "inactive")
    expect(system.shows("Result") == "success", "a lame duck is no success")
    system.run("systemctl", "stop", *SOCKETS)


def check_removal(system):
    system.run("systemctl", "start", *SOCKETS)
    system.run("systemctl", "start", "stampede")
    said = system.run("dpkg", "--remove", "stampede")
    expect("/var/lib/stampede" in said, "the removal does not say what stays:\n" + said)
    for unit in ("stampede.service", *SOCKETS):
        state = system.run("systemctl", "is-active", unit, accept=(0, 3, 4)).strip()
        expect(state == "inactive", "%s is %s after the removal" % (unit, state))
    expect("stampede" not in output("ps", "--no-headers", "-o", "comm", "--ppid", system.leader), "a process is left")


def check(folder):
    """Whether it could be tried; a Failure if it does not do what it should."""
    with Booted(folder) as system:
        system.apt("install", "--no-install-recommends", "systemd", "systemd-sysv", "dbus")
        if not system.boot():
            return False
        try:
            check_service(system)
            check_watchdog(system)
            check_sockets(system)
            check_removal(system)
        except subprocess.TimeoutExpired as error:
            raise Failure(str(error)) from error
        return True
