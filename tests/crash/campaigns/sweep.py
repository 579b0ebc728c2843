"""Sweep of failing calls: the n-th call that changes the data directory fails, for n = 1, 2, ... until none is left.

Each with EIO, ENOSPC and a short write, only once and from then on, on an empty store and on one with contents. The
broker may refuse, stop and say so; it must not crash or hang, and after a restart without faults all it confirmed is
there. The short run samples the numbers.
"""
import copy
import errno
import os
import shutil
import struct

from support import script
from support.broker import Broker, StartFailed
from support.checker import Checker

SHORT, CONTROL, LONG = 40, 40, 0  # Runs; 0: all.
CONTROLS = {"ignore-failure": "C"}  # Any rule.
KINDS = [(name, number, short, keep) for name, number, short in
         (("EIO", errno.EIO, 0), ("ENOSPC", errno.ENOSPC, 0), ("short write", errno.ENOSPC, 1)) for keep in (0, 1)]
CONFIG = '[storage]\ndurability = "sync"\ndisk_floor = "1MiB"\nallow_unsafe_filesystem = true\n'
ALLOWED_EXITS = (0, 1, 6, 7)


def missing(options):
    return None if os.path.exists(options.library) else "no library of failing calls at %s" % options.library


class Scenario:
    """What lies in the data directory when the faulty run begins."""

    def __init__(self, bench, name):
        self.name = name
        self.template = os.path.join(bench.scratch, "template-" + name)
        self.checker = Checker()
        os.truncate(bench.history, 0)
        if name == "contents":
            bench.data = self.template
            broker = bench.start(config=CONFIG)
            if broker is None:
                return
            outcome = script.run(broker.address, bench.history, 0)
            if outcome != "done":
                bench.fail("the script without faults: %s\n%s" % (outcome, broker.log_text()))
            broker.kill()
            self.checker.feed_file(bench.history)
            os.truncate(bench.history, 0)
        else:
            os.mkdir(self.template)


def campaign(bench):
    failed_calls = {}
    bench.notes["failed calls"] = failed_calls
    bench.totals = {"runs": 0, "starts refused": 0, "exits 7": 0, "exits 0": 0}
    for name in ("empty", "contents"):
        failures = len(bench.failures)
        scenario = Scenario(bench, name)
        if len(bench.failures) > failures:
            return
        calls = one_run(bench, scenario, 0, KINDS[0], 0)[0]
        bench.notes["calls, %s" % name] = calls
        for run, (number, kind) in enumerate(chosen(bench, name, calls), 1):
            bench.cycles += 1
            call = one_run(bench, scenario, number, kind, run)[1]
            failed_calls[call] = failed_calls.get(call, 0) + 1
            if len(bench.failures) > 20 or bench.found_out():
                return
    bench.notes.update(bench.totals)


def chosen(bench, name, calls):
    """(n, kind): all of them, or a sample that the seed decides."""
    everything = [(number, kind) for number in range(1, calls + 1) for kind in KINDS]
    if not bench.options.cycles or bench.options.cycles >= 2 * len(everything):
        return everything
    rng = bench.rng("sweep", name)
    return sorted(rng.sample(everything, bench.options.cycles // 2))


def one_run(bench, scenario, number, kind, run):
    """(calls counted, the call that failed). `number` 0: none fails."""
    what = "%s, call %d: %s%s" % (scenario.name, number, kind[0], ", and all later ones" if kind[3] else "")
    bench.data = os.path.join(bench.scratch, "data")
    bench.copy_store(scenario.template)
    state = os.path.join(bench.scratch, "state")
    if os.path.exists(state):
        os.unlink(state)
    os.truncate(bench.history, 0)
    checker = copy.deepcopy(scenario.checker)
    checker.counts, checker.violations = bench.checker.counts, bench.checker.violations
    bench.checker, bench.offset = checker, 0
    before = len(checker.violations)
    faulty_part(bench, what, environment(bench, state, number, kind), number)
    calls, _, call = read_state(state, bench.data)
    fault_free_part(bench, what, run)
    for index in range(before, len(checker.violations)):
        checker.violations[index] += "  [%s: %s]" % (what, call)
    bench.say("%s %s" % (what, call))
    return calls, call


def environment(bench, state, number, kind):
    _, code, short, keep = kind
    return {**bench.environment, "LD_PRELOAD": bench.options.library, "FAIL_DIR": bench.data, "FAIL_STATE": state,
            "FAIL_AT": str(number), "FAIL_ERRNO": str(code), "FAIL_SHORT": str(short), "FAIL_KEEP": str(keep)}


def read_state(path, data):
    """(calls, failed calls, "CALL kind-of-file")."""
    with open(path, "rb") as file:
        octets = file.read()
    calls, failed = struct.unpack_from("QQ", octets)
    call, _, name = octets[16:528].split(b"\0")[0].decode().partition(" ")
    name = os.path.relpath(name, data) if name else ""
    kind = name.rpartition(".")[2] if "." in name else name.rstrip("0123456789").rstrip("-")
    return calls, failed, ("%s %s" % (call, kind)).strip()


def faulty_part(bench, what, variables, number):
    bench.totals["runs"] += 1
    try:
        broker = Broker(bench.binary, bench.data, bench.scratch, CONFIG, environment=variables, patience=20)
    except StartFailed as error:
        bench.totals["starts refused"] += 1
        if error.code not in ALLOWED_EXITS[1:] or not error.text.strip():
            bench.fail("%s: start ended with %s:\n%s" % (what, error.code, error.text))
        return
    outcome = script.run(broker.address, bench.history, 1000)
    code = broker.stop(20) if broker.is_alive() else broker.wait()
    if outcome == "stuck" or code not in ALLOWED_EXITS or (number == 0 and (outcome, code) != ("done", 0)):
        bench.fail("%s: the script is %s, exit code %s:\n%s" % (what, outcome, code, broker.log_text()))
    bench.totals["exits %s" % code] = bench.totals.get("exits %s" % code, 0) + 1
    shutil.rmtree(broker.scratch, ignore_errors=True)


def fault_free_part(bench, what, run):
    """A restart without faults, and everything must be there."""
    broker = bench.start(config=CONFIG)
    if broker is None:
        bench.failures[-1] = "%s: the restart without faults is refused: %s" % (what, bench.failures[-1])
        return
    problem = script.drain(broker.address, bench.history, 2000 + run)
    bench.read_history()
    if problem:
        bench.fail("%s: %s\n%s" % (what, problem, broker.log_text()))
    else:
        bench.checker.drained()
    if broker.stop() != 0:
        bench.fail("%s: exit code of the run without faults:\n%s" % (what, broker.log_text()))
    shutil.rmtree(broker.scratch, ignore_errors=True)
