#!/usr/bin/env python3
"""A drain under load: 5,000 connections, publishers with receipts, SIGTERM, and the count after the restart.

Run by hand: tests/bench/drain.py BINARY [--connections N] [--spread TIME] [--signal USR2] [--threads N]. Exits 0 if
everybody was told to leave, over the spread, the broker ended with 0 within drain.timeout, and nothing that was confirmed
is lost.
"""
import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--publishers", type=int, default=16)
    parser.add_argument("--spread", default="10s")
    parser.add_argument("--timeout", type=float, default=30, help="drain.timeout, in seconds")
    parser.add_argument("--signal", default="TERM", choices=["TERM", "INT", "USR2"])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    os.environ["STAMPEDE"] = options.binary
    from support.broker import Broker  # pylint: disable=import-outside-toplevel
    from support.drain_load import DrainLoad, kept_in  # pylint: disable=import-outside-toplevel

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = tempfile.mkdtemp(prefix="stampede-drain-")
    config = {"storage": {"directory": folder + "/data", "allow_unsafe_filesystem": True, "disk_floor": "1MiB"},
              "drain": {"spread": options.spread, "lame_duck": options.spread, "timeout": "%ds" % options.timeout}}
    broker = Broker(config, threads=options.threads)
    try:
        begin = time.monotonic()
        load = DrainLoad(broker, options.connections, options.publishers)
        print("%d connections after %.1f s" % (options.connections, time.monotonic() - begin), flush=True)
        if not load.run(lambda: load.confirmed() >= 20000, 120):
            sys.exit("too few receipts: %d" % load.confirmed())
        before = load.confirmed()
        number = getattr(signal, "SIG" + options.signal)
        begin = time.monotonic()
        is_empty = load.drain(lambda: broker.signal(number), 3 * options.timeout)
        code = broker.wait(3 * options.timeout)
        took = time.monotonic() - begin
        must = load.must_be_kept()
        broker.kill()
        broker = Broker(config, threads=options.threads)
        lost = must - kept_in(broker)
        tenths = load.tenths()
        print("told to leave: %d, not told: %d, from %.1f s to %.1f s; by tenths of that: %s"
              % (len(load.ends), len(load.untold), min(load.ends), max(load.ends), tenths))
        print("confirmed: %d before the signal, %d after it; lost: %d" % (before, len(must) - before, len(lost)))
        print("exit code %d after %.1f s" % (code, took))
        good = (is_empty and not load.untold and not lost and code == 0 and took <= options.timeout + 1
                and max(tenths) < options.connections * 0.3)
        print("ok" if good else "FAILED")
        return 0 if good else 1
    finally:
        broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
