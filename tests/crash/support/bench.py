"""What every campaign is made of: one data directory, load and drain processes, one checker, a report (C9)."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from .broker import Broker, StartFailed
from .checker import Checker

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONFIG = '[storage]\ndurability = "%s"\ndisk_floor = "64MiB"\nallow_unsafe_filesystem = true\n'
STANDSTILL_SECONDS = 2
NUMBERS_PER_RUN = 10_000_000


class Load:
    """The process of load.py."""

    def __init__(self, bench, broker, cycle, *arguments):
        self.events = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", "support.load", broker.address, bench.history, "--seed",
             "%s/%s" % (bench.seed, cycle), "--first", str(cycle * NUMBERS_PER_RUN), *arguments],
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(line.strip())
                self.changed.notify_all()
        with self.changed:
            self.events.append("ended")
            self.changed.notify_all()

    def await_confirm(self, seconds):
        """True once something was confirmed."""
        with self.changed:
            self.changed.wait_for(lambda: self.events, seconds)
            return "confirmed" in self.events

    def stop(self, seconds=60):
        """Every connection ends in order."""
        try:
            self.process.stdin.write("stop\n")
            self.process.stdin.flush()
        except OSError:
            pass
        return self.wait(seconds)

    def wait(self, seconds=60):
        """Exit code, or None if it had to be killed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        return code


class Bench:
    """Folders, the checker, and the counters of a campaign. `options`: see `run`."""

    def __init__(self, name, options, data=None):
        self.name, self.options, self.seed = name, options, options.seed
        self.scratch = tempfile.mkdtemp(prefix="stampede-%s-" % name, dir=options.scratch)
        self.history = os.path.join(self.scratch, "history")
        open(self.history, "wb").close()
        self.data = data or os.path.join(self.scratch, "data")
        self.checker = Checker()
        self.checker.is_early = any("early_delivery = true" in line for line in options.storage)
        self.offset = 0
        self.recoveries = []
        self.failures = []   # What is wrong beside the history: starts refused, exit codes, times.
        self.notes = {}
        self.begin = time.monotonic()
        self.cycles = 0
        self.environment = {}
        self.binary = options.broker

    def rng(self, *what):
        return random.Random("/".join(map(str, (self.seed, *what))))

    def fail(self, text):
        self.failures.append(text)
        self.say("FAILURE " + text)

    def say(self, text):
        if self.options.verbose:
            print("%s: %s" % (self.name, text), flush=True)

    # --- Steps.

    def start(self, threads=1, config=None, **more):
        """The broker, ready; None (and a failure) if it does not start."""
        config = (config or CONFIG % self.options.durability) + "".join(line + "\n" for line in self.options.storage)
        try:
            more.setdefault("environment", self.environment)
            broker = Broker(self.binary, self.data, self.scratch, config, threads, **more)
        except StartFailed as error:
            self.fail(str(error))
            return None
        self.recoveries.append(broker.start_seconds)
        self.read_history()
        self.checker.restarted_at = self.checker.position
        return broker

    def load(self, broker, cycle, *arguments):
        return Load(self, broker, cycle, *arguments, *self.options.load_arguments)

    def loaded(self, broker, cycle):
        """A load that has had something confirmed; None (and a failure, and no broker) if it never has."""
        load = self.load(broker, cycle)
        if load.await_confirm(10 * self.options.slack):
            return load
        self.fail("nothing was confirmed in cycle %d:\n%s" % (cycle, broker.log_text()))
        broker.kill()
        load.wait()
        self.read_history()
        return None

    def demand_progress(self, fault_at, cycle):
        """Up to the fault, confirmations must have kept coming."""
        still = (fault_at - self.checker.last_confirm) / 1e6
        if still > STANDSTILL_SECONDS * self.options.slack:
            self.fail("cycle %d: the last %.1f s before the fault nothing was confirmed" % (cycle, still))

    def drain(self, broker, cycle):
        """Empties everything and judges the history so far."""
        load = self.load(broker, cycle, "--drain", "--patience", str(self.options.patience))
        code = load.wait(self.options.patience + 30)
        self.read_history()
        if code != 0:
            self.fail("the drain after cycle %d failed: %s\n%s"
                      % (cycle, "; ".join(load.events), broker.log_text(1500)))
            return False
        self.checker.drained()
        return True

    def read_history(self):
        self.offset = self.checker.feed_file(self.history, self.offset)

    def copy_store(self, source):
        """A fresh copy as the data directory; the reserve against full disks is left behind."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(source, self.data, ignore=shutil.ignore_patterns("reserve*", "LOCK", "LOG*"))

    def renew_history(self):
        """What has been judged need not be kept."""
        if not self.options.keep and not self.checker.violations:
            self.read_history()
            os.truncate(self.history, 0)
            self.offset = 0

    # --- The end.

    def passed(self):
        return not self.failures and not self.checker.violations

    def found_out(self):
        """A control has shown what it was to show: the rule, or words of a failure, named by `expects_failure`."""
        wanted = self.options.expects_failure
        if not wanted:
            return False
        return (any(line.startswith(wanted) for line in self.checker.violations)
                or any(wanted in line for line in self.failures))

    def report(self):
        lines = ["%s: seed %s, %d cycles, %.0f s" % (self.name, self.seed, self.cycles, time.monotonic() - self.begin)]
        if self.checker.counts["sent"]:
            lines += self._report_messages(self.checker.counts)
        if self.recoveries:
            ordered = sorted(self.recoveries)
            lines.append("  start to ready: p50 %.0f ms, p99 %.0f ms, worst %.0f ms" % tuple(
                1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99, 1)))
        lines += ["  %s: %s" % pair for pair in self.notes.items()]
        shown = 2 if self.options.expects_failure else 20
        lines += ["  VIOLATION " + line for line in self.checker.shown(shown)]
        lines += ["  FAILURE " + line.replace("\n", "\n    ") for line in self.failures[:shown]]
        return "\n".join(lines)

    @staticmethod
    def _report_messages(counts):
        lines = ["  sent %d, confirmed %d, refused %d, indeterminate %d (%d of them delivered), delivered %d, "
                 "redelivered %d" % (counts["sent"], counts["confirmed"], counts["refused"], counts["indeterminate"],
                                     counts["indeterminate delivered"], counts["delivered"], counts["redelivered"]),
                 "  lost %d; of %d confirmed with persistent:false %d were lost, as they may"
                 % (counts["lost"], counts["confirmed memory"], counts["memory lost"]),
                 "  transactions confirmed %d, aborted %d, indeterminate %d (%d took effect), ACKs confirmed %d"
                 % (counts["transactions"], counts["aborted"], counts["indeterminate transactions"],
                    counts["indeterminate transactions visible"], counts["acks"])]
        errors = {key[6:]: count for key, count in counts.items() if key.startswith("ERROR ")}
        if errors:
            lines.append("  ERRORs: " + ", ".join("%s %d" % pair for pair in sorted(errors.items())))
        return lines

    def close(self):
        if self.passed() and not self.options.keep:
            shutil.rmtree(self.scratch, ignore_errors=True)
        elif not self.options.expects_failure or self.options.keep:
            print("  kept: " + self.scratch)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)
