#!/usr/bin/env python3
# What users and access rules cost each message: the same loads on two brokers, one for guests only, one with users, a
# hundred rules and a denial, in turns. Run by hand: tests/bench/rights_cost.py BINARY; needs nothing but Python.
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

LOADS = (
    ("fanout", "--subs", "1", "--window", "256"),
    ("fanout", "--subs", "10", "--window", "256"),
    ("fanout", "--subs", "100", "--window", "256"),
    ("pairs", "--pairs", "10", "--window", "64"),
    ("queue", "--window", "1000"),
    ("queue", "--ack", "client-individual", "--window", "1000"),
)


class Broker:
    def __init__(self, binary, config):
        self.folder = tempfile.TemporaryDirectory()
        name = lambda part: os.path.join(self.folder.name, part)
        self.arguments = []
        if config:
            subprocess.run([binary, "passwd", name("users"), "anna", "--role", "staff"], input=b"hunter2\n", check=True,
                           capture_output=True)
            with open(name("pass"), "w", encoding="ascii") as out:
                out.write("hunter2\n")
            self.arguments = ["--user", "anna", "--pass-file", name("pass")]
        with open(name("config"), "w", encoding="utf-8") as out:
            out.write(config.replace("USERS", name("users")))
        self.process = subprocess.Popen(
            [binary, "serve", "--config", name("config"), "--tcp", "off", "--ws", "127.0.0.1:0", "--admin", "off",
             "--ports-file", name("ports"), "--threads", "1"], stderr=subprocess.DEVNULL)
        while not os.path.exists(name("ports")):
            if self.process.poll() is not None:
                raise SystemExit("the broker did not start")
            time.sleep(0.01)
        with open(name("ports"), encoding="ascii") as ports:
            self.url = json.load(ports)["ws"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


def rules():
    """One that counts among a hundred that do not, and a denial elsewhere."""
    text = '[auth]\nusers_file = "USERS"\n'
    text += '[[acl]]\nwho = ["role:staff"]\nallow = ["publish", "subscribe", "create"]\non = ["/topic/#", "/queue/#"]\n'
    text += '[[acl]]\nwho = ["authenticated"]\ndeny = ["subscribe"]\non = ["/topic/secret/**"]\n'
    for number in range(100):
        text += '[[acl]]\nwho = ["user:other%d", "role:staff"]\nallow = ["subscribe"]\non = ["/topic/rule%d/%%u/*"]\n' % (
            number, number)
    return text


def measure(binary, broker, load, seconds):
    done = subprocess.run(
        [binary, "bench", *load, "-u", broker.url, *broker.arguments, "--seconds", str(seconds), "--warmup", "0.3",
         "--json", "--pid", str(broker.process.pid)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit("bench %s: %s" % (load, done.stderr))
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1.5)
    arguments = parser.parse_args()
    found = {}
    for turn in range(arguments.rounds):
        brokers = [(kind, Broker(arguments.binary, config)) for kind, config in (("guests", ""), ("rights", rules()))]
        for load in LOADS:
            for kind, broker in brokers if turn % 2 == 0 else brokers[::-1]:
                report = measure(arguments.binary, broker, load, arguments.seconds)
                found.setdefault((load, kind), []).append(report["broker_cpu_s_per_million"])
        for _, broker in brokers:
            broker.stop()
    for load in LOADS:
        guests, rights = (statistics.median(found[load, kind]) for kind in ("guests", "rights"))
        print("%-60s guests %.4f rights %.4f CPU s per million, ratio %.3f" % (
            " ".join(load), guests, rights, rights / guests))


if __name__ == "__main__":
    main()
