"""Sync failure: the file system is shut down under load and the broker lives on.

It must stop confirming within 100 ms, tell its publishers `storage-failed`, and exit with 7 by itself. What it confirmed
before, or in those 100 ms, must be there after the next boot. It is stopped while the disk fails, so that no sync is
under way at that moment (see power.py).
"""
import os
import threading

from support import disk
from support.history import now

from . import power

SHORT, CONTROL, LONG = 3, 1, 100
CONTROLS = {"ignore-failure": "after the disk failed"}
CONFIRM_MS_MAX = 100
EXIT_CODE, EXIT_SECONDS = 7, 10

missing = disk.missing


def campaign(bench):
    bench.last_confirms, bench.exits = [], []
    for cycle in range(1, bench.options.cycles + 1):
        bench.cycles = cycle
        image = disk.Image(bench.scratch)
        bench.data = os.path.join(image.mountpoint, "data")
        bench.checker.durable_topics.clear()
        try:
            one_failure(bench, image, cycle)
        finally:
            image.close()
    worst = sorted(bench.last_confirms) or [0]
    bench.notes["last confirm after the failure"] = "p50 %.1f ms, worst %.1f ms" % (worst[len(worst) // 2], worst[-1])
    bench.notes["exit after the failure"] = "worst %.0f ms" % max(bench.exits, default=0)
    if not bench.checker.counts["ERROR storage-failed"]:
        bench.fail("no publisher was ever told storage-failed")


def one_failure(bench, image, cycle):
    rng = bench.rng("sync", cycle)
    broker = bench.start(threads=bench.options.threads or rng.choice((1, 2)), config=power.CONFIG)
    if broker is None:
        return
    load = bench.loaded(broker, cycle)
    if load is None:
        return
    threading.Event().wait(rng.uniform(0.1, min(1.5, bench.options.load_seconds)))
    broker.freeze(between_calls=True)
    image.cut()
    failed_at = now()
    broker.thaw()
    code = broker.wait(EXIT_SECONDS * bench.options.slack)
    bench.exits.append((now() - failed_at) / 1000)
    if code != EXIT_CODE:
        bench.fail("exit code %s after the disk failed in cycle %d, not %d:\n%s"
                   % (code, cycle, EXIT_CODE, broker.log_text()))
    load.wait()
    bench.read_history()
    bench.demand_progress(failed_at, cycle)
    late = max(0.0, (bench.checker.last_confirm - failed_at) / 1000)
    bench.last_confirms.append(late)
    if late > CONFIRM_MS_MAX * bench.options.slack:
        bench.fail("cycle %d: still confirming %.1f ms after the disk failed" % (cycle, late))
    image.power_on()
    power.restart_and_drain(bench, cycle)
