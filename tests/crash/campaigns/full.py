"""Disk full: an image of 512 MiB, a floor of 64 MiB, and a filler that comes and goes while the load runs.

Below the floor publishers must be refused with `disk-full` and consumers served; above it publishing resumes without a
restart. At the end of the run the disk is filled to the last octet at once, and a run is cut by a limit on the size of
files: then the broker may end with 7, and all it confirmed is there after a restart.
"""
import os
import resource
import threading
import time

from support import disk, script
from support.load import DEEP

SHORT, CONTROL, LONG = 2, 1, 100
CONTROLS = {"ignore-failure": "nobody is refused"}
CONFIG = '[storage]\ndurability = "sync"\ndisk_floor = "64MiB"\n'
MIB = 1024 * 1024
FLOOR = 64 * MIB

missing = disk.missing


def campaign(bench):
    image = disk.Image(bench.scratch, "512M")
    bench.data = os.path.join(image.mountpoint, "data")
    bench.refusals, bench.resumptions = [], []
    try:
        floor_cycles(bench, image)
        if bench.passed():
            to_the_last_octet(bench, image)
        if bench.passed():
            size_limit(bench)
    finally:
        bench.notes["refused after"] = "worst %.1f s" % max(bench.refusals, default=0)
        bench.notes["resumed after"] = "worst %.1f s" % max(bench.resumptions, default=0)
        image.close()


class Filler:
    """A file that takes all but `left` octets of the disk."""

    def __init__(self, image, left):
        self.path = os.path.join(image.mountpoint, "filler")
        with open(self.path, "wb") as file:
            size = 0
            while image.free() > left:
                step = max(64 * 1024, image.free() - left)
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                except OSError:
                    break
                size += step

    def remove(self):
        os.unlink(self.path)


def floor_cycles(bench, image):
    broker = bench.start(config=CONFIG)
    if broker is None:
        return
    for cycle in range(1, bench.options.cycles + 1):
        bench.cycles = cycle
        load = bench.loaded(broker, cycle)
        if load is None:
            return
        threading.Event().wait(bench.rng("full", cycle).uniform(0.2, 1))
        one_fill(bench, image, broker, cycle)
        if not bench.passed():
            broker.kill()
            load.wait()
            return
        if load.stop() != 0:
            bench.fail("the load of cycle %d did not end in order" % cycle)
        if not bench.drain(broker, cycle):
            break
        bench.renew_history()
        if not bench.passed():
            break
    code = broker.stop()
    if code != 0:
        bench.fail("exit code %s after SIGTERM:\n%s" % (code, broker.log_text()))


def one_fill(bench, image, broker, cycle):
    seconds = bench.rng("leave", cycle)
    refused = bench.checker.counts["ERROR disk-full"]
    filler = Filler(image, seconds.randrange(30, 60) * MIB)
    waited = await_history(bench, lambda counts: counts["ERROR disk-full"] > refused, 10)
    if waited is None:
        bench.fail("cycle %d: %d MiB are free, and nobody is refused:\n%s"
                   % (cycle, image.free() // MIB, broker.log_text()))
        filler.remove()
        return
    bench.refusals.append(waited)
    outcome = script.glance(broker.address, bench.history, 500 + cycle, DEEP, 5)
    if outcome != "done":
        bench.fail("cycle %d: a consumer is not served while the disk is full: %s\n%s"
                   % (cycle, outcome, broker.log_text()))
    bench.read_history()
    confirmed = bench.checker.counts["confirmed"]
    filler.remove()
    waited = await_history(bench, lambda counts: counts["confirmed"] > confirmed + 100, 30)
    if waited is None:
        bench.fail("cycle %d: publishing does not resume:\n%s" % (cycle, broker.log_text()))
    else:
        bench.resumptions.append(waited)


def await_history(bench, condition, seconds):
    """Seconds until the history shows it; None if it never does."""
    begin = time.monotonic()
    while time.monotonic() < begin + seconds * bench.options.slack:
        bench.read_history()
        if condition(bench.checker.counts):
            return time.monotonic() - begin
        threading.Event().wait(0.02)
    return None


def to_the_last_octet(bench, image):
    """Faster than any watcher: the store itself meets ENOSPC."""
    cycle = bench.options.cycles + 1
    broker = bench.start(config=CONFIG)
    if broker is None:
        return
    load = bench.loaded(broker, cycle)
    if load is None:
        return
    threading.Event().wait(bench.rng("last octet").uniform(0.2, 1))
    filler = Filler(image, 0)
    await_history(bench, lambda counts: not broker.is_alive(), 3)
    finish(bench, broker, load, filler, cycle, "a disk filled to the last octet")


def size_limit(bench):
    """Short writes: no file may grow beyond some MiB."""
    cycle = bench.options.cycles + 2
    limit = bench.rng("size limit").randrange(MIB, 8 * MIB)
    broker = bench.start(config=CONFIG,
                         limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    if broker is None:
        return
    load = bench.load(broker, cycle)
    await_history(bench, lambda counts: not broker.is_alive(), 10)
    finish(bench, broker, load, None, cycle, "files limited to %d octets" % limit)


def finish(bench, broker, load, filler, cycle, what):
    """Whatever the broker did: it ended well or with 7, and everything is there after a restart."""
    if filler is not None:
        filler.remove()
    if broker.is_alive():
        bench.notes[what] = "the broker lives on"
        load.stop()
        code = broker.stop()
    else:
        code = broker.wait()
        bench.notes[what] = "the broker ended with %s" % code
        load.wait()
    if code not in (0, 7):
        bench.fail("exit code %s with %s:\n%s" % (code, what, broker.log_text()))
    bench.read_history()
    broker = bench.start(config=CONFIG)
    if broker is None:
        return
    bench.drain(broker, cycle + 10)
    if broker.stop() != 0:
        bench.fail("exit code after SIGTERM, %s:\n%s" % (what, broker.log_text()))
