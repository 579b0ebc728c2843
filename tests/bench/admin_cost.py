#!/usr/bin/env python3
"""What a scrape of /metrics and the console's calls cost while connections are idle.

STAMPEDE=BIN python3 tests/bench/admin_cost.py 10000. The console asks for its list every 2 s, for the overview too.

Needs twice as many descriptors as connections, some more, and nothing else busy.
"""
import os
import pathlib
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
# pylint: disable=wrong-import-position
from support import metrics  # noqa: E402
from support.broker import Broker  # noqa: E402
from support.openapi import Api  # noqa: E402
from support.peers import TcpPeer  # noqa: E402

CALLS = 300
PAGES = ("overview", "connections?sort=connected_at&order=desc&limit=100",
         "connections?sort=messages_in_rate&order=desc&limit=100", "subscriptions?limit=100", "destinations?limit=100")
IDLE_SECONDS = 10


def processor_seconds(broker):
    with open("/proc/%d/stat" % broker.process.pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_of(broker, idle, ask):
    """(seconds of a core, seconds) of one call."""
    ask()
    before, begin = processor_seconds(broker), time.monotonic()
    for _ in range(CALLS):
        ask()
    took = time.monotonic() - begin
    return (processor_seconds(broker) - before - idle * took) / CALLS, took / CALLS


def main(count):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    broker = Broker(threads=2)
    peers = [TcpPeer(broker.address("tcp"), source="127.0.0.%d" % (1 + i % 4)).connect() for i in range(count)]
    before, begin = processor_seconds(broker), time.monotonic()
    while time.monotonic() < begin + IDLE_SECONDS:
        time.sleep(0.1)
    idle = (processor_seconds(broker) - before) / (time.monotonic() - begin)
    print("%d connections, idle: %.2f %% of a core" % (len(peers), idle * 100))
    api = Api(broker)
    pages = {path: (lambda path=path: api.get("/api/v1/" + path)) for path in PAGES}
    for name, ask in {"/metrics": lambda: metrics.text_of(broker), **pages}.items():
        cost, took = cost_of(broker, idle, ask)
        print("%-62s %6.2f ms of a core, answered in %5.1f ms" % (name, cost * 1000, took * 1000))
    broker.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
