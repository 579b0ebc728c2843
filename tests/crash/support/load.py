"""The load: a process apart from the broker, with publishers, movers, consumers and durable subscribers.

    python3 -m support.load HOST:PORT HISTORY --seed S --first N [--drain] [--rate R]

It ends when the broker is gone, or when it reads `stop` from stdin (then every connection ends in order). With --drain
it empties every queue and durable subscription instead. Exit 0: done; 3: the drain stalled or lost its connection.
"""
import argparse
import asyncio
import os
import random
import sys

from . import messages, stomp
from .history import History

QUEUES = ["/queue/crash.%s" % name for name in ("moved", "single", "cumulative", "auto", "deep", "rivals", "target")]
MOVED, SINGLE, CUMULATIVE, AUTO, DEEP, RIVALS, TARGET = QUEUES
TOPIC = "/topic/crash.news"
PLACES = ("sub-flag", "sub-activemq", "sub-name")  # Durable subscriptions, one in each dialect.
DEAD = ["/queue/DLQ." + queue[len("/queue/"):] for queue in QUEUES] + ["/queue/DLQ.crash.news"]


def durable_headers(place):
    """(headers of CONNECT, headers of SUBSCRIBE)."""
    if place == "sub-flag":
        return [("client-id", "flag")], [("id", place), ("durable", "true")]
    if place == "sub-activemq":
        return [("client-id", "activemq")], [("id", place), ("activemq.subscriptionName", place)]
    return [("client-id", "name")], [("id", place), ("durable-subscription-name", place)]


class Load:
    """What all actors share."""

    def __init__(self, arguments):
        host, _, port = arguments.address.rpartition(":")
        self.address = (host, int(port))
        self.history = History(arguments.history)
        self.seed = arguments.seed
        self.first = arguments.first
        self.stopping = False
        self.counter = 0
        self.has_confirmed = False
        self.topics = not arguments.no_topics
        self.announces = True  # The first confirmation, on stdout.

    def rng(self, name):
        return random.Random("%s/%s" % (self.seed, name))

    async def connect(self, name, headers=(), on_message=None, on_batch=None):
        """A connected Peer with a label of its own; None once the broker is gone or the load is to stop."""
        if self.stopping:
            return None
        self.counter += 1
        label = "%s.%d.%d" % (name, self.first, self.counter)
        return await stomp.connect(self.address, self.history, label, headers, on_message, on_batch)

    def confirmed(self):
        if not self.has_confirmed and self.announces:
            self.has_confirmed = True
            print("confirmed", flush=True)

    async def run(self, actors):
        tasks = [asyncio.ensure_future(actor.run()) for actor in actors]
        stop = asyncio.ensure_future(self.await_stop(tasks))
        try:
            await asyncio.gather(*tasks)
        finally:
            stop.cancel()
            self.history.close()

    async def await_stop(self, tasks):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        if await reader.readline() != b"stop\n":
            return
        self.stopping = True
        for actor in list(Actor.awake):
            actor.stop()


class Actor:
    """Connects again and again until the broker is gone or the load stops."""

    awake = set()

    def __init__(self, load, name):
        self.load, self.name = load, name
        self.rng = load.rng(name)
        self.history = load.history
        self.peer = None

    async def run(self):
        Actor.awake.add(self)
        while not self.load.stopping:
            self.peer = await self.open()
            if self.peer is None:
                break
            try:
                await self.talk()
            except stomp.Gone:
                pass
            self.history.flush()
            if self.peer.error:
                await asyncio.sleep(0.02)  # A broker that refuses everything is not to be flooded.
        Actor.awake.discard(self)

    async def open(self):
        return await self.load.connect(self.name)

    async def talk(self):
        raise NotImplementedError

    def stop(self):
        """The load stops: wake up whoever waits for messages only."""
        if self.peer is not None:
            self.peer._wake()  # pylint: disable=protected-access


class Sender(Actor):
    """What publishers and movers have in common: numbered messages, alone and in transactions."""

    def __init__(self, load, name):
        super().__init__(load, name)
        self.number = load.first
        self.transactions = 0
        self.unconfirmed = []  # Sent without receipt: confirmed by DISCONNECT's RECEIPT.

    def send(self, destination, transaction="-", is_memory=False, has_receipt=True, number=None):
        """One SEND; `number` repeats an earlier message."""
        flags = ("m" if is_memory else "") + ("r" if number is not None else "")
        if number is None:
            self.number += 1
            number = self.number
        headers, body = messages.make(self.name, number, messages.body_size(random.Random(number)))
        headers = [("destination", destination), *headers]
        if is_memory:
            headers.append(("persistent", "false"))
        self.history.add("S", self.name, number, destination, transaction, flags or "-")
        if transaction != "-":
            self.peer.send("SEND", [*headers, ("transaction", transaction)], body)
        elif has_receipt:
            self.peer.send("SEND", headers, body, receipt=lambda: self.on_confirmed(number),
                           refused=lambda: self.history.add("R", self.name, number))
        else:
            self.unconfirmed.append(number)
            self.peer.send("SEND", headers, body)

    def on_confirmed(self, number):
        self.history.add("C", self.name, number)
        self.load.confirmed()

    def begin(self):
        self.transactions += 1
        name = "%s-t%d" % (self.peer.label, self.transactions)
        self.peer.send("BEGIN", [("transaction", name)])
        return name

    def commit(self, name, done=lambda: None):
        self.history.add("B", name)

        def committed():
            self.history.add("K", name)
            done()
        self.peer.send("COMMIT", [("transaction", name)], receipt=committed,
                       refused=lambda: self.history.add("X", name))

    def rollback(self, name):
        self.history.add("X", name)
        self.peer.send("ABORT", [("transaction", name)], receipt=lambda: None)

    async def leave(self):
        """An orderly end, which confirms all that was sent without receipt."""
        await self.peer.disconnect(lambda: [self.on_confirmed(number) for number in self.unconfirmed])
        self.unconfirmed = []


class Publisher(Sender):
    """Windows of receipts, transactions, messages that may get lost, refusals, ends in order."""

    destinations = [MOVED, SINGLE, CUMULATIVE, AUTO, DEEP, RIVALS]

    def __init__(self, load, name):
        super().__init__(load, name)
        self.window = 1
        if load.topics:
            self.destinations = [*self.destinations, TOPIC]

    async def talk(self):
        self.unconfirmed = []
        self.window = self.rng.choice((1, 4, 16, 64))
        while not self.load.stopping:
            kind = self.rng.random()
            if kind < 0.15:
                self.send_transaction()
            elif kind < 0.153:
                self.send_refused()
                self.peer.push()
                await self.peer.ended()
            elif kind < 0.157:
                return await self.leave()
            else:
                self.send_burst()
            self.peer.push()
            await self.peer.settled(self.window)
        await self.leave()

    def send_burst(self):
        for _ in range(self.rng.randrange(1, 9)):
            destination = self.rng.choice(self.destinations)
            is_memory = destination == DEEP and self.rng.random() < 0.1
            self.send(destination, is_memory=is_memory, has_receipt=self.rng.random() > 0.1)

    def send_transaction(self):
        name = self.begin()
        places = self.rng.sample(self.destinations, 2)
        for _ in range(self.rng.randrange(1, 3)):
            for place in places:
                self.send(place, name)
        if self.rng.random() < 0.1:
            self.rollback(name)
        else:
            self.commit(name)

    def send_refused(self):
        """A transaction that was never begun: ERROR, and the message must not appear anywhere."""
        self.number += 1
        number = self.number
        headers, body = messages.make(self.name, number, 20)
        self.history.add("S", self.name, number, SINGLE, "-", "-")
        self.peer.send("SEND", [("destination", SINGLE), *headers, ("transaction", "never-begun")], body,
                       receipt=lambda: self.history.add("C", self.name, number),
                       refused=lambda: self.history.add("R", self.name, number))


class Inbox:
    """Notes deliveries and settles them."""

    def __init__(self, history):
        self.history = history
        self.acks = 0

    def note(self, peer, place, headers, body, mode):
        """(publisher, number), or None for a marker."""
        publisher, number, wrong = messages.read(headers, body)
        if wrong is not None:
            self.history.add("W", place, publisher, number, wrong)
        if publisher == messages.MARKER:
            return None
        marked = 1 if headers.get("redelivered") == "true" else 0
        self.history.add("D", peer.label, place, publisher, number, marked, mode)
        return publisher, number

    def ack(self, peer, token, covered, transaction="-", has_receipt=True):
        """ACK of `token`; `covered`: (place, message) of all that it settles."""
        self.acks += 1
        name = "%s-a%d" % (peer.label, self.acks)
        for place, (publisher, number) in covered:
            self.history.add("A", name, place, publisher, number, transaction)
        headers = [("id", token)]
        if transaction != "-":
            headers.append(("transaction", transaction))
        receipt = (lambda: self.history.add("F", name)) if has_receipt and transaction == "-" else None
        peer.send("ACK", headers, receipt=receipt)


class Mover(Sender):
    """Takes from one queue and sends to another, both in one transaction."""

    def __init__(self, load, name):
        super().__init__(load, name)
        self.inbox = Inbox(load.history)
        self.waiting = []  # (token, message)
        self.left = 0

    async def open(self):
        self.waiting = []
        return await self.load.connect(self.name, (), self.on_message, self.on_batch)

    async def talk(self):
        self.unconfirmed = []
        self.left = self.rng.randrange(100, 2000)
        self.peer.send("SUBSCRIBE", [("destination", MOVED), ("id", "m"), ("ack", "client-individual"),
                                     ("prefetch-count", self.rng.choice((10, 100)))], receipt=lambda: None)
        self.peer.push()
        await self.peer.until(lambda: self.load.stopping or self.left <= 0)
        self.history.add("G", MOVED)
        if not self.load.stopping and self.rng.random() < 0.5:
            return self.peer.abort()  # Whatever is open is undone.
        self.history.add("L", self.peer.label)
        self.peer.send("UNSUBSCRIBE", [("id", "m")], receipt=lambda: None)
        await self.leave()

    def on_message(self, headers, body):
        message = self.inbox.note(self.peer, MOVED, headers, body, "i")
        self.left -= 1
        self.waiting.append((headers["ack"], message))

    def on_batch(self):
        while self.waiting and not self.load.stopping and self.left > 0:
            count = self.rng.randrange(1, 9)
            taken, self.waiting = self.waiting[:count], self.waiting[count:]
            self.move(taken)

    def move(self, taken):
        transaction = self.begin()
        for token, message in taken:
            if message is not None:
                self.send(TARGET, transaction)
                self.inbox.ack(self.peer, token, [(MOVED, message)], transaction)
        kind = self.rng.random()
        if kind < 0.05:
            self.rollback(transaction)
            for token, message in taken:  # They are outstanding again.
                self.inbox.ack(self.peer, token, [(MOVED, message)])
        elif kind > 0.01 + 0.05:
            self.commit(transaction, self.load.confirmed)
        # Else it stays open until the connection ends.


class Consumer(Actor):
    """Reads one queue or durable subscription. `mode`: auto, client or client-individual."""

    def __init__(self, load, name, destination, mode, place=None, stays=False):
        super().__init__(load, name)
        self.destination, self.mode, self.stays = destination, mode, stays
        self.place = place or destination
        self.letter = {"auto": "a", "client": "c", "client-individual": "i"}[mode]
        self.inbox = Inbox(load.history)
        self.outstanding = []  # (token, message), in order.
        self.left = 0

    async def open(self):
        self.outstanding = []
        headers = durable_headers(self.place)[0] if self.place in PLACES else ()
        return await self.load.connect(self.name, headers, self.on_message, self.on_batch)

    async def talk(self):
        self.left = 10 ** 9 if self.stays else self.rng.randrange(50, 1500)
        headers = [("id", "c")]
        if self.place in PLACES:
            headers = durable_headers(self.place)[1]
        identity = headers[0][1]
        self.peer.send("SUBSCRIBE", [("destination", self.destination), ("ack", self.mode), *headers],
                       receipt=self.on_subscribed)
        self.peer.push()
        await self.peer.until(lambda: self.load.stopping or self.left <= 0)
        self.history.add("G", self.place)
        # In auto mode what is under way must be read, or it would be lost by right.
        if not self.load.stopping and self.mode != "auto" and self.rng.random() < 0.5:
            return self.peer.abort()
        self.history.add("L", self.peer.label)
        self.peer.send("UNSUBSCRIBE", [("id", identity)], receipt=lambda: None)
        await self.peer.disconnect()

    def on_subscribed(self):
        if self.place in PLACES:
            self.history.add("U", self.place, self.destination)

    def on_message(self, headers, body):
        message = self.inbox.note(self.peer, self.place, headers, body, self.letter)
        self.left -= 1
        if self.mode != "auto" and message is not None:
            self.outstanding.append((headers["ack"], message))

    def on_batch(self):
        if self.mode == "client":
            self.settle_cumulatively()
        elif self.mode == "client-individual":
            self.settle_one_by_one()

    def settle_cumulatively(self):
        while len(self.outstanding) > self.rng.randrange(0, 20):
            count = self.rng.randrange(1, min(8, len(self.outstanding)) + 1)
            taken, self.outstanding = self.outstanding[:count], self.outstanding[count:]
            self.inbox.ack(self.peer, taken[-1][0], [(self.place, message) for _, message in taken],
                           has_receipt=self.rng.random() < 0.5)

    def settle_one_by_one(self):
        kept = []
        for token, message in self.outstanding:
            kind = self.rng.random()
            if kind < 0.02:
                self.history.add("N", self.place, *message)
                self.peer.send("NACK", [("id", token)])
            elif kind < 0.05 and len(kept) < 100:
                kept.append((token, message))
            else:
                self.inbox.ack(self.peer, token, [(self.place, message)], has_receipt=self.rng.random() < 0.5)
        self.outstanding = kept


class Drain:
    """Empties everything: a marker behind all that is there, twice, shows the end without waiting."""

    def __init__(self, load, patience):
        self.load, self.patience = load, patience
        self.history = load.history
        self.inbox = Inbox(load.history)
        self.peers = []
        self.seen = {}      # place -> number of the marker seen last
        self.waiting = {}   # (peer, place) -> [(token, message)]
        self.problem = None

    async def run(self):
        try:
            await asyncio.wait_for(self.drain(), self.patience)
        except (asyncio.TimeoutError, stomp.Gone) as error:
            text = "; ".join("%s %s" % (peer.error.get("message"), peer.error_text.replace("\n", " "))
                             for peer in self.peers if peer is not None and peer.error)
            missing = [place for place in self.places() if self.seen.get(place, 0) < 2]
            self.problem = "drain %s; markers missing in %s; %s" % (type(error).__name__, missing, text)
        self.history.flush()

    def places(self):
        return QUEUES + DEAD + (list(PLACES) if self.load.topics else [])

    async def drain(self):
        main = await self.open("drain", (), [(place, [("id", place)], place) for place in QUEUES + DEAD])
        if self.load.topics:
            for place in PLACES:
                connect_headers, headers = durable_headers(place)
                await self.open("drain-" + place, connect_headers, [(TOPIC, headers, place)])
        for number in (1, 2):
            for destination in QUEUES + DEAD + ([TOPIC] if self.load.topics else []):
                main.send("SEND", [("destination", destination), ("m", "%s %d" % (messages.MARKER, number))],
                          b"marker", receipt=lambda: None)
            main.push()
            for peer in self.peers:
                await peer.until(lambda: self.is_past(peer, number) and not peer.receipts)
        for peer in self.peers:
            await peer.disconnect()
        self.history.add("O", "drained")

    async def open(self, name, connect_headers, subscriptions):
        holder = []
        peer = await self.load.connect(name, connect_headers, lambda h, b: self.on_message(holder[0], h, b),
                                       lambda: self.on_batch(holder[0]) if holder else None)
        if peer is None:
            raise stomp.Gone
        holder.append(peer)
        self.peers.append(peer)
        peer.places = {headers[0][1]: place for _, headers, place in subscriptions}
        for destination, headers, _ in subscriptions:
            peer.send("SUBSCRIBE", [("destination", destination), ("ack", "client"), *headers], receipt=lambda: None)
        peer.push()
        await peer.until(lambda: not peer.receipts)
        for place in peer.places.values():
            if place in PLACES:
                self.history.add("U", place, TOPIC)
        return peer

    def is_past(self, peer, number):
        return all(self.seen.get(place, 0) >= number for place in peer.places.values())

    def on_message(self, peer, headers, body):
        place = peer.places[headers["subscription"]]
        message = self.inbox.note(peer, place, headers, body, "c")
        if message is None:
            self.seen[place] = int(headers["m"].split(" ")[1])
        self.waiting.setdefault((peer, place), []).append((headers["ack"], message))

    def on_batch(self, peer):
        for place in peer.places.values():
            taken = self.waiting.pop((peer, place), None)
            if taken:
                self.inbox.ack(peer, taken[-1][0], [(place, message) for _, message in taken if message is not None])


def actors_of(load):
    actors = [Publisher(load, "p%d" % index) for index in range(4)]
    actors += [Mover(load, "m%d" % index) for index in range(2)]
    actors += [
        Consumer(load, "single", SINGLE, "client-individual"),
        Consumer(load, "cumulative", CUMULATIVE, "client"),
        Consumer(load, "auto", AUTO, "auto", stays=True),
        Consumer(load, "rival1", RIVALS, "client-individual"),
        Consumer(load, "rival2", RIVALS, "client"),
    ]
    if load.topics:
        modes = ("client-individual", "client", "auto")
        actors += [Consumer(load, place, TOPIC, mode, place, stays=mode == "client") for place, mode in zip(PLACES, modes)]
    return actors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("history")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--drain", action="store_true")
    parser.add_argument("--patience", type=float, default=60)
    parser.add_argument("--no-topics", action="store_true")
    arguments = parser.parse_args()
    load = Load(arguments)
    if not arguments.drain:
        asyncio.run(load.run(actors_of(load)))
        return 0
    drain = Drain(load, arguments.patience)
    asyncio.run(drain.run())
    load.history.close()
    if drain.problem:
        print(drain.problem, flush=True)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
