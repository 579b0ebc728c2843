"""Kill loops: load, SIGKILL of the broker at a random moment, restart, and every other time a drain.

Proves recovery, and says nothing about syncs: what the kernel has taken survives a kill.
"""
import threading

from support.history import now

SHORT, LONG = 12, 1000
CONTROLS = {"confirm-before-commit": "C2", "lose-acks": "C7"}  # And the rule that must find it out.


def campaign(bench):
    broker = bench.start(threads=1)
    for cycle in range(1, bench.options.cycles + 1):
        if broker is None:
            return
        bench.cycles = cycle
        broker = one_cycle(bench, broker, cycle)
        if bench.found_out():
            break
    if broker is not None:
        bench.drain(broker, bench.options.cycles + 1)
        code = broker.stop()
        if code != 0:
            bench.fail("exit code %s after SIGTERM:\n%s" % (code, broker.log_text()))
    demand(bench)


def one_cycle(bench, broker, cycle):
    """Returns the broker that was started after the kill."""
    rng = bench.rng("kill", cycle)
    load = bench.loaded(broker, cycle)
    if load is None:
        return None
    threading.Event().wait(rng.uniform(0.2, bench.options.load_seconds))
    killed_at = now()
    broker.kill()
    if load.wait() is None:
        bench.fail("the load of cycle %d did not notice that the broker was gone" % cycle)
    bench.read_history()
    bench.demand_progress(killed_at, cycle)
    broker = bench.start(threads=bench.options.threads or rng.choice((1, 1, 2)))
    if broker is not None and rng.random() < 0.5:
        bench.drain(broker, cycle)
        bench.renew_history()
        bench.say("cycle %d: %d confirmed, %d lost" % (cycle, bench.checker.counts["confirmed"],
                                                      bench.checker.counts["lost"]))
    return broker


def demand(bench):
    """A campaign that tried nothing has proved nothing."""
    counts = bench.checker.counts
    for what in ("confirmed", "transactions", "aborted", "refused", "redelivered", "acks", "order judged"):
        if counts[what] == 0:
            bench.fail("vacuous: nothing was ever %s" % what)
    if bench.options.cycles >= 5 and counts["memory lost"] == 0 and not bench.options.expects_failure:
        bench.fail("vacuous: not even messages with persistent:false were lost")
    if "--no-topics" not in bench.options.load_arguments and counts["durable subscriptions"] == 0:
        bench.fail("vacuous: no durable subscription was ever confirmed")
