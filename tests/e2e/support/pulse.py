"""A well-behaved client in a process of its own: python -m support.pulse HOST PORT USER PASSCODE, until stdin ends.

It sends itself a message every 20 ms and prints `COUNT SLOWEST-SECONDS` at the end.
"""
import os
import select
import subprocess
import sys

from .broker import wait_time
from .case import GoodClient


TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Pulse:
    """The process, from the outside."""

    def __init__(self, broker, *login):
        host, port = broker.address("tcp")
        self.process = subprocess.Popen([sys.executable, "-B", "-m", "support.pulse", host, str(port), *login],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS)
        self.process.stdout.read(1)  # It is connected.

    def stop(self):
        """(round trips, the slowest in seconds)."""
        text, _ = self.process.communicate(timeout=wait_time(20))
        count, slowest = text.split()
        return int(count), float(slowest)


class Address:
    def __init__(self, host, port):
        self.tcp = (host, int(port))

    def address(self, _):
        return self.tcp


def main():
    client = GoodClient(Address(*sys.argv[1:3]), login=sys.argv[3:])
    sys.stdout.write(" ")
    sys.stdout.flush()
    slowest = 0.0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        slowest = max(slowest, client.round_trip())
    print(client.count, slowest)


if __name__ == "__main__":
    main()
