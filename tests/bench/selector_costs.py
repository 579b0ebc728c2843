#!/usr/bin/env python3
# What selectors cost the broker: CPU per delivery with many subscribers on a topic, and with a
# deep queue. Run by hand: tests/bench/selector_costs.py BINARY; needs nothing but Python.
import argparse
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Client:
    """One connection; frames are counted by their NULs: no body here has one."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.frames = 0
        self.send(b"CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0")
        self.await_frames(1)

    def send(self, octets):
        self.socket.sendall(octets)

    def read(self):
        octets = self.socket.recv(1 << 20)
        if not octets:
            raise RuntimeError("the broker closed the connection")
        if b"\nERROR\n" in octets or octets.startswith(b"ERROR"):
            raise RuntimeError(octets[:500].decode(errors="replace"))
        self.frames += octets.count(b"\0")
        return octets

    def await_frames(self, count):
        while self.frames < count:
            self.read()


def subscribe(client, number, destination, selector=None, more=""):
    line = f"selector:{escaped(selector)}\n" if selector else ""
    client.send(
        f"SUBSCRIBE\nid:{number}\ndestination:{destination}\n{line}{more}\n\0".encode()
    )


def escaped(text):
    return text.replace("\\", "\\\\").replace(":", "\\c")


def synchronise(client):
    before = client.frames
    client.send(b"SEND\ndestination:/topic/nobody\nreceipt:r\n\n\0")
    client.await_frames(before + 1)


def drain(clients, wanted, publish=None):
    """Reads from all until together they have got `wanted` frames more."""
    start = sum(client.frames for client in clients)
    sockets = {client.socket: client for client in clients}
    for part in publish or [b""]:
        if part:
            publisher, octets = part
            publisher.send(octets)
            synchronise(publisher)
        while select.select(list(sockets), [], [], 0)[0]:
            for ready in select.select(list(sockets), [], [], 0)[0]:
                sockets[ready].read()
    while sum(client.frames for client in clients) - start < wanted:
        ready = select.select(list(sockets), [], [], 20)[0]
        if not ready:
            raise RuntimeError(f"{sum(c.frames for c in clients) - start} of {wanted} came")
        for each in ready:
            sockets[each].read()


def topic_run(broker, name, subscribers, distinct, shape, messages):
    """`messages` to one topic; each selector takes one in `distinct` of them."""
    topic = f"/topic/{name}"
    clients = [Client(broker.port) for _ in range(max(1, subscribers // 1000))]
    for i in range(subscribers):
        selector = shape(i % distinct) if shape else None
        subscribe(clients[i % len(clients)], i, topic, selector)
    for client in clients:
        synchronise(client)
    publisher = Client(broker.port)
    matches = subscribers // distinct if shape else subscribers
    batches = []
    for first in range(0, messages, 100):
        batch = b"".join(
            f"SEND\ndestination:{topic}\nsymbol:S{n % distinct}\nprice:{n % distinct}\n\n".encode()
            + b"x" * 100 + b"\0"
            for n in range(first, min(messages, first + 100))
        )
        batches.append((publisher, batch))
    before = cpu_seconds(broker.pid)
    drain(clients, messages * matches, batches)
    used = cpu_seconds(broker.pid) - before
    return {
        "case": name,
        "subscribers": subscribers,
        "distinct": distinct if shape else 0,
        "deliveries": messages * matches,
        "cpu_us_per_message": round(used / messages * 1e6, 2),
        "cpu_us_per_delivery": round(used / (messages * matches) * 1e6, 3),
    }


def queue_run(broker, name, consumers, depth, selective):
    """A queue of `depth` messages, drained by `consumers` in client mode."""
    queue = f"/queue/{name}"
    publisher = Client(broker.port)
    for first in range(0, depth, 200):
        publisher.send(b"".join(
            f"SEND\ndestination:{queue}\nkind:k{n % consumers}\n\n".encode() + b"x" * 100 + b"\0"
            for n in range(first, min(depth, first + 200))
        ))
    synchronise(publisher)
    clients = [Client(broker.port) for _ in range(consumers)]
    before = cpu_seconds(broker.pid)
    for i, client in enumerate(clients):
        subscribe(client, "s", queue, f"kind = 'k{i}'" if selective else None, "ack:client\n")
    sockets = {client.socket: client for client in clients}
    got = {client: 0 for client in clients}
    total = 0
    while total < depth:
        ready = select.select(list(sockets), [], [], 20)[0]
        if not ready:
            raise RuntimeError(f"{total} of {depth} came")
        for each in ready:
            client = sockets[each]
            frames = client.frames
            octets = client.read()
            total += client.frames - frames
            got[client] += client.frames - frames
            at = octets.rfind(b"\nack:")
            end = octets.find(b"\n", at + 5)
            if at >= 0 and end >= 0:
                client.send(b"ACK\nid:" + octets[at + 5:end] + b"\n\n\0")
    used = cpu_seconds(broker.pid) - before
    return {
        "case": name,
        "consumers": consumers,
        "depth": depth,
        "cpu_us_per_delivery": round(used / depth * 1e6, 3),
    }


class Broker:
    def __init__(self, binary, directory):
        ports = os.path.join(directory, "ports.json")
        self.process = subprocess.Popen(
            [binary, "serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--admin",
             "127.0.0.1:0", "--threads", "1", "--ports-file", ports],
            stderr=subprocess.DEVNULL,
        )
        while not os.path.exists(ports):
            time.sleep(0.01)
        with open(ports, encoding="utf-8") as file:
            self.port = int(json.load(file)["tcp"].rsplit(":", 1)[1])
        self.pid = self.process.pid

    def stop(self):
        self.process.kill()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description="What selectors cost the broker.")
    parser.add_argument("binary")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--depth", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="topic or queue")
    options = parser.parse_args()

    def equal(k):
        return f"symbol = 'S{k}'"

    def other(k):
        return f"price > {k - 1} AND price < {k + 1}"

    n = options.messages
    runs = {
        "topic": [
            lambda b: topic_run(b, "t0", 10, 1, None, n),
            lambda b: topic_run(b, "t1", 1_000, 100, equal, n),
            lambda b: topic_run(b, "t2", 10_000, 1_000, equal, n),
            lambda b: topic_run(b, "t3", 1_000, 1_000, equal, n),
            lambda b: topic_run(b, "t4", 1_000, 100, other, n),
            lambda b: topic_run(b, "t5", 10_000, 100, other, n // 10),
        ],
        "queue": [
            lambda b: queue_run(b, "plain", 100, options.depth, False),
            lambda b: queue_run(b, "selective", 100, options.depth, True),
        ],
    }
    for kind, cases in runs.items():
        if options.only not in ("", kind):
            continue
        for case in cases:
            with tempfile.TemporaryDirectory() as directory:
                broker = Broker(options.binary, directory)
                try:
                    print(json.dumps(case(broker)), flush=True)
                finally:
                    broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
