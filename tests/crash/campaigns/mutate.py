"""Mutated stores: a copy of a small store with one thing wrong in it, checked offline, then served and drained.

Allowed: all is there; or the damage is reported (check-store exits 6; the broker refuses to start, or says so in its
log). Not allowed: a crash, a hang, wrong octets, or fewer messages and no report. A live write-ahead log that was cut
short cannot be told from an unfinished write: what is lost so is counted apart.
"""
import collections
import copy
import glob
import os
import subprocess
import threading
import time

from support import script
from support.broker import Broker, StartFailed
from support.checker import Checker

SHORT, CONTROL, LONG = 100, 100, 10000
CONTROLS = {"hide-damage": "messages are missing"}
KINDS = ("flip", "flip", "flip", "zero", "zero", "truncate", "remove", "swap")
CONFIG = '[storage]\ndurability = "sync"\ndisk_floor = "1MiB"\nallow_unsafe_filesystem = true\n'
HARMLESS_FILES = ("LOG", "LOCK", "reserve")
REPORT = "record-damaged"  # The event in the log.
MAY_NEVER = ("C3", "C4")


class Template:
    """A store with known contents. `is_clean`: the last run ended by SIGTERM, not by SIGKILL."""

    def __init__(self, bench, is_clean):
        self.name = "stopped" if is_clean else "killed"
        self.folder = os.path.join(bench.scratch, "template-" + self.name)
        self.checker = Checker()
        bench.data = self.folder
        for part in range(3):
            broker = bench.start(config=CONFIG)
            if broker is None:
                return
            outcome = script.run(broker.address, bench.history, (part + 1) * 1000, rounds=20)
            if outcome != "done":
                bench.fail("the script without faults: %s\n%s" % (outcome, broker.log_text()))
            if part < 2 or is_clean:
                broker.stop()
            else:
                broker.kill()
        self.checker.feed_file(bench.history)
        os.truncate(bench.history, 0)
        self.files = sorted(os.path.relpath(path, self.folder) for path in
                            glob.glob(os.path.join(self.folder, "**"), recursive=True) if os.path.isfile(path))
        self.files = [name for name in self.files if not os.path.basename(name).startswith(HARMLESS_FILES)]
        logs = [name for name in self.files if name.endswith(".log")]
        self.live_log = max(logs, key=lambda name: int(os.path.basename(name)[:-4]), default=None)


def campaign(bench):
    bench.totals = {"sound": 0, "refused by name": 0, "reported while serving": 0, "cut tails of the live log": 0,
                    "check-store found damage": 0}
    templates = [Template(bench, True), Template(bench, False)]
    if bench.failures:
        return
    bench.checker = Checker()
    bench.notes["files of the stopped store"] = ", ".join(templates[0].files)
    bench.data = os.path.join(bench.scratch, "data")
    for cycle in range(1, bench.options.cycles + 1):
        bench.cycles = cycle
        one_store(bench, templates[cycle % 2], cycle)
        if len(bench.failures) > 20 or bench.found_out():
            break
    bench.notes.update(bench.totals)


# --- What is done to a store.

def mutate(bench, template, cycle):
    """(what was done, whether it shortened the live log)."""
    rng = bench.rng("mutate", cycle)
    while True:
        kind, name = rng.choice(KINDS), rng.choice(template.files)
        path = os.path.join(bench.data, name)
        size = os.path.getsize(path)
        done = MUTATIONS[kind](rng, path, size, template, bench.data)
        if done is not None:
            is_live = template.live_log and (name == template.live_log or os.path.basename(template.live_log) in done)
            is_tail = bool(is_live) and kind in ("truncate", "remove", "swap")
            return "%s store, %s of %s, %s" % (template.name, kind, name, done), is_tail


def flip(rng, path, size, _template, _folder):
    if size == 0:
        return None
    at, bit = rng.randrange(size), rng.randrange(8)
    with open(path, "r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ (1 << bit)]))
    return "octet %d of %d, bit %d" % (at, size, bit)


def zero(rng, path, size, _template, _folder):
    if size == 0:
        return None
    at = rng.randrange(size)
    count = min(4096, size - at)
    with open(path, "r+b") as file:
        file.seek(at)
        if not file.read(count).strip(b"\0"):
            return None
        file.seek(at)
        file.write(bytes(count))
    return "octets %d to %d of %d" % (at, at + count, size)


def truncate(rng, path, size, _template, _folder):
    if size == 0:
        return None
    length = rng.randrange(size)
    os.truncate(path, length)
    return "to %d of %d" % (length, size)


def remove(_rng, path, size, _template, _folder):
    os.unlink(path)
    return "%d octets" % size


def swap(rng, path, _size, template, folder):
    suffix = os.path.splitext(path)[1]
    others = [name for name in template.files if os.path.splitext(name)[1] == suffix and
              os.path.join(folder, name) != path] if suffix else []
    if not others:
        return None
    other = os.path.join(folder, rng.choice(others))
    os.rename(path, path + ".swap")
    os.rename(other, path)
    os.rename(path + ".swap", other)
    return "with " + os.path.basename(other)


MUTATIONS = {"flip": flip, "zero": zero, "truncate": truncate, "remove": remove, "swap": swap}


# --- What comes of it.

def one_store(bench, template, cycle):
    bench.copy_store(template.folder)
    what, is_tail = mutate(bench, template, cycle)
    os.truncate(bench.history, 0)
    checker = copy.deepcopy(template.checker)
    checker.counts, checker.violations = collections.Counter(), []
    kept, bench.checker, bench.offset = bench.checker, checker, 0
    checked = None if bench.options.expects_failure else check_store(bench, what)
    outcome = serve(bench, what, cycle)
    bench.checker = kept
    judge(bench, what, checked, outcome, checker.violations, is_tail)
    bench.say("%s: check-store %s, %s, %d differences" % (what, checked, outcome, len(checker.violations)))


def check_store(bench, what):
    """Exit code of check-store: 0 sound, 6 damaged, 1 could not tell."""
    try:
        done = subprocess.run([bench.binary, "check-store", bench.data], capture_output=True, text=True, timeout=60,
                              check=False)
    except subprocess.TimeoutExpired:
        bench.fail("%s: check-store hangs" % what)
        return None
    if done.returncode not in (0, 1, 6) or (done.returncode and not (done.stdout + done.stderr).strip()):
        bench.fail("%s: check-store ended with %s:\n%s%s" % (what, done.returncode, done.stdout, done.stderr))
    bench.totals["check-store found damage"] += done.returncode == 6
    return done.returncode


def serve(bench, what, cycle):
    """`refused`, `complete`, or `reported`/`silent` if the broker could not deliver everything."""
    try:
        broker = Broker(bench.binary, bench.data, bench.scratch, CONFIG, environment=bench.environment, patience=30)
    except StartFailed as error:
        if error.code not in (1, 6) or bench.data not in error.text:
            bench.fail("%s: start ended with %s:\n%s" % (what, error.code, error.text))
        return "refused"
    problem = script.drain(broker.address, bench.history, 10_000 + cycle, 10)
    bench.read_history()
    bench.checker.drained()
    if problem or bench.checker.violations:
        await_report(broker)
    code = broker.stop(20) if broker.is_alive() else broker.wait()
    if code not in (0, 6, 7):
        bench.fail("%s: exit code %s:\n%s" % (what, code, broker.log_text()))
    is_reported = REPORT in broker.log_text(100_000) or code in (6, 7)
    if problem is None and not bench.checker.violations:
        return "complete"
    if not is_reported:
        bench.say("%s\n%s" % (problem, broker.log_text()))
    return "reported" if is_reported else "silent"


def await_report(broker, seconds=2):
    """What a read has found is logged a little later."""
    end = time.monotonic() + seconds
    while broker.is_alive() and REPORT not in broker.log_text(100_000) and time.monotonic() < end:
        threading.Event().wait(0.01)


def judge(bench, what, checked, outcome, differences, is_tail):
    wrong = [line for line in differences if line.startswith(MAY_NEVER)]
    if wrong:
        bench.fail("%s: wrong messages were delivered: %s" % (what, wrong[:3]))
    elif outcome == "complete":
        bench.totals["sound"] += 1
    elif outcome == "refused":
        bench.totals["refused by name"] += 1
    elif is_tail and outcome == "silent":
        bench.totals["cut tails of the live log"] += 1
    elif outcome == "silent":
        bench.fail("%s: messages are missing, and the broker does not say so: %s" % (what, differences[:3]))
    else:
        bench.totals["reported while serving"] += 1
    if checked == 0 and outcome in ("refused", "reported", "silent") and not is_tail:
        bench.fail("%s: check-store calls it sound, but it is %s" % (what, outcome))
