"""The service manager's side, as systemd plays it: a notification socket, and sockets opened for the broker."""
import os
import socket
import sys
import tempfile

from .broker import until, wait_time

# Between fork and exec: LISTEN_PID is the process's own, and the sockets are descriptors from 3 on.
PASS_ON = """
import os, sys
count, names = int(sys.argv[1]), sys.argv[2]
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
"""


class NotifySocket:
    """What the broker tells its manager, line by line; `abstract`: not in the file system."""

    def __init__(self, abstract=False, folder=None):
        self.folder = tempfile.TemporaryDirectory(prefix="stampede-notify-", dir=folder)
        self.path = os.path.join(self.folder.name, "notify")
        self.environment = {"NOTIFY_SOCKET": "@" + self.path if abstract else self.path}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.path if abstract else self.path)
        self.socket.setblocking(False)
        self.lines = []

    def read(self):
        """All lines so far."""
        try:
            while True:
                self.lines += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.lines

    def count(self, line):
        return self.read().count(line)

    def hears(self, line, times=1, seconds=10):
        return until(lambda: self.count(line) >= times, seconds)

    def is_silent(self, line, seconds):
        """No such line comes for `seconds`."""
        return not self.hears(line, self.count(line) + 1, seconds / wait_time(1))

    def close(self):
        self.socket.close()
        self.folder.cleanup()


def listening(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.bind((host, 0))
    opened.listen(16)
    return opened


def passing(sockets):
    """(wrapper of the broker's command, keyword arguments of Popen) for [(name, socket)]: descriptors 3, 4 ..."""
    def place():
        spare = [os.dup2(opened.fileno(), 100 + i) for i, (_, opened) in enumerate(sockets)]
        for i, descriptor in enumerate(spare):
            os.dup2(descriptor, 3 + i)
            os.set_inheritable(3 + i, True)
            os.close(descriptor)
    names = ":".join(name for name, _ in sockets)
    return [sys.executable, "-c", PASS_ON, str(len(sockets)), names], {"preexec_fn": place, "close_fds": False}
