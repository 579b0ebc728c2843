"""Power cuts: the data directory lies on an ext4 image whose file system is shut down under load, journal and all.

Then the broker is killed, the image mounted again as after a boot, checked by e2fsck, and everything is drained.

The broker is stopped (SIGSTOP) while the power goes: ext4 may report success for an fdatasync that was under way at the
moment of the ioctl, though its data are gone (one in eight cuts of a probe that only appends and syncs; Linux 6.18). A
machine without power confirms nothing either. Limit: what reached the image without a flush of the device survives, so
a missing flush below the file system is not seen.
"""
import os
import threading

from support import disk
from support.history import now

SHORT, CONTROL, LONG = 5, 3, 300
CONTROLS = {"sync-off": "something missing"}
CUTS_PER_IMAGE = 5
CONFIG = '[storage]\ndurability = "sync"\ndisk_floor = "64MiB"\n'

missing = disk.missing


def campaign(bench):
    image, lossy = None, 0
    try:
        for cycle in range(1, bench.options.cycles + 1):
            bench.cycles = cycle
            if image is None or (cycle - 1) % CUTS_PER_IMAGE == 0:
                image = new_image(bench, image)
            before = bench.checker.counts["lost"]
            good = one_cut(bench, image, cycle)
            lossy += not good or bench.checker.counts["lost"] > before
            bench.say("cut %d: %d confirmed, %d lost" % (cycle, bench.checker.counts["confirmed"],
                                                        bench.checker.counts["lost"]))
            if not good:
                if not bench.options.expects_failure:
                    return
                image = new_image(bench, image)
    finally:
        bench.notes["cuts after which something was missing"] = "%d of %d" % (lossy, bench.cycles)
        if lossy >= 0.9 * bench.cycles and bench.cycles:
            bench.fail("something missing after at least nine in ten cuts")
        if image is not None and (bench.passed() or bench.options.expects_failure):
            image.close()


def new_image(bench, image):
    """An empty disk: nothing on it is owed any more, since everything was drained."""
    if image is not None:
        image.unmount()
    bench.checker.durable_topics.clear()
    image = disk.Image(bench.scratch)
    bench.data = os.path.join(image.mountpoint, "data")
    return image


def one_cut(bench, image, cycle):
    """False if the broker did not come back or could not be drained."""
    rng = bench.rng("power", cycle)
    broker = bench.start(threads=bench.options.threads or rng.choice((1, 2)), config=CONFIG)
    if broker is None:
        return False
    load = bench.loaded(broker, cycle)
    if load is None:
        return False
    threading.Event().wait(rng.uniform(0.2, bench.options.load_seconds))
    broker.freeze(between_calls=False)
    cut_at = now()
    image.cut()
    broker.kill()
    load.wait()
    bench.read_history()
    bench.demand_progress(cut_at, cycle)
    image.power_on()
    return restart_and_drain(bench, cycle)


def restart_and_drain(bench, cycle):
    broker = bench.start(config=CONFIG)
    if broker is None:
        bench.checker.drained()
        return False
    good = bench.drain(broker, cycle)
    if not good:
        bench.checker.drained()
    code = broker.stop()
    if code != 0:
        bench.fail("exit code %s after SIGTERM in cycle %d:\n%s" % (code, cycle, broker.log_text()))
        good = False
    bench.renew_history()
    return good
