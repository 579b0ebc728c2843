#!/usr/bin/env python3
"""What one scrape of /metrics costs while connections are idle: STAMPEDE=BIN python3 tests/bench/scrape_cost.py 10000

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
from support.peers import TcpPeer  # noqa: E402

SCRAPES = 300
IDLE_SECONDS = 10


def processor_seconds(broker):
    with open("/proc/%d/stat" % broker.process.pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(count):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    broker = Broker(threads=2)
    peers = [TcpPeer(broker.address("tcp"), source="127.0.0.%d" % (1 + i % 4)).connect() for i in range(count)]
    size = len(metrics.text_of(broker))
    before, begin = processor_seconds(broker), time.monotonic()
    while time.monotonic() < begin + IDLE_SECONDS:
        time.sleep(0.1)
    idle = (processor_seconds(broker) - before) / (time.monotonic() - begin)
    before, begin = processor_seconds(broker), time.monotonic()
    for _ in range(SCRAPES):
        metrics.text_of(broker)
    took = time.monotonic() - begin
    cost = processor_seconds(broker) - before - idle * took
    print("%d connections: idle %.2f %% of a core; a scrape of %d octets: %.2f ms of a core, answered in %.1f ms"
          % (len(peers), idle * 100, size, cost / SCRAPES * 1000, took / SCRAPES * 1000))
    broker.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
