#!/usr/bin/env python3
# What guessing costs others: trickling connections and failed logins from one address, beside a
# good client on another. Run by hand: tests/bench/login_flood.py BINARY; needs nothing but Python.
import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time

ATTACKER = ("127.0.0.9", 0)


def frame(command, *lines, body=b""):
    return ("\n".join((command, *lines)) + "\n\n").encode() + body + b"\0"


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Flood:
    def __init__(self, port, rate, trickles):
        self.port, self.rate, self.trickles = port, rate, trickles
        self.refused = self.closed = 0
        self.answers = {}

    async def guess(self):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=ATTACKER)
            writer.write(frame("CONNECT", "accept-version:1.2", "login:anna", "passcode:guess"))
            answer = await asyncio.wait_for(reader.read(4096), 20)
            for line in answer.split(b"\n"):
                if line.startswith(b"message:"):
                    token = line[8:].decode()
                    self.answers[token] = self.answers.get(token, 0) + 1
            self.refused += 1
            writer.close()
        except (OSError, asyncio.TimeoutError):
            self.closed += 1

    async def guess_on(self, end):
        tasks = set()
        begin, count = time.monotonic(), 0
        while time.monotonic() < end:
            due = (time.monotonic() - begin) * self.rate
            while count < due and len(tasks) < 5000:
                task = asyncio.ensure_future(self.guess())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                count += 1
            await asyncio.sleep(0.005)
        for task in tasks:
            task.cancel()
        return count

    async def trickle(self, end):
        """Sends CONNECT an octet at a time, and begins again when it is sent away."""
        text = b"CONNECT\nlogin:anna\n" + b"x:" + b"y" * 4000
        while time.monotonic() < end:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=ATTACKER)
                for octet in text:
                    if time.monotonic() > end:
                        break
                    writer.write(bytes([octet]))
                    await writer.drain()
                    await asyncio.sleep(1)
                writer.close()
            except OSError:
                await asyncio.sleep(1)


async def attack(arguments):
    flood = Flood(arguments.port, arguments.rate, arguments.trickles)
    end = time.monotonic() + arguments.seconds
    trickles = [asyncio.ensure_future(flood.trickle(end)) for _ in range(arguments.trickles)]
    sent = await flood.guess_on(end)
    for task in trickles:
        task.cancel()
    print(json.dumps({"guesses": sent, "answered": flood.answers, "closed": flood.closed}))


async def log_in(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame("CONNECT", "accept-version:1.2", "login:anna", "passcode:hunter2"))
    answer = await reader.readuntil(b"\0")
    if not answer.startswith(b"CONNECTED"):
        raise RuntimeError(answer)
    return reader, writer


async def be_good(port, seconds):
    """p50, p99 and worst round trip, and times to connect, in milliseconds."""
    reader, writer = await log_in(port)
    writer.write(frame("SUBSCRIBE", "id:0", "destination:/topic/good"))
    trips, connects = [], []
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        begin = time.monotonic()
        writer.write(frame("SEND", "destination:/topic/good", body=b"x"))
        await reader.readuntil(b"\0")
        trips.append((time.monotonic() - begin) * 1000)
        count += 1
        if count % 50 == 0:
            begin = time.monotonic()
            _, other = await log_in(port)
            connects.append((time.monotonic() - begin) * 1000)
            other.close()
        await asyncio.sleep(0.01)
    trips.sort()
    connects.sort()
    return {"trips": len(trips), "p50_ms": round(trips[len(trips) // 2], 2),
            "p99_ms": round(trips[int(len(trips) * 0.99)], 2), "worst_ms": round(trips[-1], 2),
            "logins": len(connects), "login_p50_ms": round(connects[len(connects) // 2], 1),
            "login_worst_ms": round(connects[-1], 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--trickles", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--port", type=int, help="attack this one only")
    arguments = parser.parse_args()
    if arguments.port:
        return asyncio.run(attack(arguments))
    with tempfile.TemporaryDirectory() as folder:
        users, ports, config = (os.path.join(folder, name) for name in ("users", "ports", "config"))
        subprocess.run([arguments.binary, "passwd", users, "anna"], input=b"hunter2\n", check=True,
                       capture_output=True)
        with open(config, "w", encoding="utf-8") as out:
            out.write(f'[auth]\nusers_file = "{users}"\n[[acl]]\nwho = ["authenticated"]\n'
                      'allow = ["publish", "subscribe"]\non = ["/topic/**"]\n')
        broker = subprocess.Popen(
            [arguments.binary, "serve", "--config", config, "--tcp", "127.0.0.1:0", "--ws", "off", "--admin",
             "127.0.0.1:0", "--ports-file", ports, "--threads", "1"], stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(ports):
                time.sleep(0.01)
            with open(ports, encoding="utf-8") as file:
                port = int(json.load(file)["tcp"].rsplit(":", 1)[1])
            print("alone", json.dumps(asyncio.run(be_good(port, 3))))
            before, used = rss(broker.pid), cpu_seconds(broker.pid)
            attacker = subprocess.Popen(
                [sys.executable, __file__, "--port", str(port), "--rate", str(arguments.rate), "--trickles",
                 str(arguments.trickles), "--seconds", str(arguments.seconds)])
            time.sleep(3)
            print("beside it", json.dumps(asyncio.run(be_good(port, arguments.seconds - 4))))
            attacker.wait()
            print(json.dumps({"rss_grew_mib": round(rss(broker.pid) - before, 1),
                              "broker_cores": round((cpu_seconds(broker.pid) - used) / arguments.seconds, 2)}))
        finally:
            broker.kill()
            broker.wait()
    return None


if __name__ == "__main__":
    main()
