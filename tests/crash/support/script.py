"""Small loads inside the harness: a script that is always the same, a drain, a glance at a queue.

The script puts every kind of record into the store, each step confirmed before the next. What all this does is in the
history as the great load's is.
"""
import argparse
import asyncio

from . import stomp
from .load import DEEP, SINGLE, TARGET, TOPIC, Drain, Inbox, Load, Sender, durable_headers


class Script(Sender):
    """One connection. `rounds`: how often the whole is repeated."""

    def __init__(self, load, rounds):
        super().__init__(load, "script")
        self.rounds = rounds
        self.inbox = Inbox(load.history)
        self.waiting = {SINGLE: [], "sub-flag": []}  # place -> [(token, message)]

    async def open(self):
        return await self.load.connect(self.name, durable_headers("sub-flag")[0], self.on_message)

    def on_message(self, headers, body):
        place = "sub-flag" if headers["subscription"] == "sub-flag" else SINGLE
        self.waiting[place].append((headers["ack"], self.inbox.note(self.peer, place, headers, body, "i")))

    async def talk(self):
        await self.subscribe(TOPIC, durable_headers("sub-flag")[1])
        self.history.add("U", "sub-flag", TOPIC)
        for _ in range(self.rounds):
            await self.one_round()
        await self.leave()

    async def one_round(self):
        for _ in range(4):
            await self.step(self.send, SINGLE)
        self.send(DEEP)
        self.send(DEEP)
        await self.step(self.send, DEEP, is_memory=True)
        await self.step(self.send, TOPIC)
        await self.subscribe(SINGLE, [("id", "s")])
        await self.peer.until(lambda: len(self.waiting[SINGLE]) >= 4 and self.waiting["sub-flag"])
        await self.step(self.settle, SINGLE, 2)
        await self.step(self.settle, "sub-flag", 1)
        await self.step(self.transact, self.commit)
        await self.step(self.transact, self.rollback)
        await self.step(self.peer.send, "UNSUBSCRIBE", [("id", "s")], receipt=lambda: None)
        self.waiting[SINGLE].clear()

    async def subscribe(self, destination, headers):
        await self.step(self.peer.send, "SUBSCRIBE",
                        [("destination", destination), ("ack", "client-individual"), *headers], receipt=lambda: None)

    async def step(self, function, *arguments, **more):
        function(*arguments, **more)
        self.peer.push()
        await self.peer.settled()

    def settle(self, place, count, transaction="-"):
        for _ in range(count):
            token, message = self.waiting[place].pop(0)
            self.inbox.ack(self.peer, token, [(place, message)], transaction)

    def transact(self, end):
        name = self.begin()
        self.send(TARGET, name)
        self.settle(SINGLE, 1, name)
        self.send(DEEP, name)
        end(name)


def here(address, history, first):
    """A Load in this process."""
    load = Load(argparse.Namespace(address=address, history=history, seed="0", first=first, no_topics=False))
    load.announces = False
    return load


async def play(actor, talk, patience):
    actor.peer = await actor.open()
    if actor.peer is None:
        return "gone"
    try:
        await asyncio.wait_for(talk(), patience)
        return "done"
    except stomp.Gone:
        return "gone"
    except asyncio.TimeoutError:
        return "stuck"
    finally:
        actor.peer.abort()


def run(address, history, first, rounds=1, patience=20):
    """`done`; `gone` if the broker refused or ended; `stuck` if it stopped answering."""
    load = here(address, history, first)
    try:
        script = Script(load, rounds)
        return asyncio.run(play(script, script.talk, patience))
    finally:
        load.history.close()


def drain(address, history, first, patience=20):
    """None, or why not everything could be drained."""
    load = here(address, history, first)
    try:
        drained = Drain(load, patience)
        asyncio.run(drained.run())
        return drained.problem
    finally:
        load.history.close()


class Glance(Sender):
    """Takes a few messages from a queue and acknowledges them, with receipts."""

    def __init__(self, load, queue, count):
        super().__init__(load, "glance")
        self.queue, self.count = queue, count
        self.inbox = Inbox(load.history)
        self.taken = 0

    async def open(self):
        return await self.load.connect(self.name, (), self.on_message)

    def on_message(self, headers, body):
        message = self.inbox.note(self.peer, self.queue, headers, body, "i")
        self.taken += 1
        if self.taken <= self.count:
            self.inbox.ack(self.peer, headers["ack"], [(self.queue, message)])

    async def talk(self):
        self.peer.send("SUBSCRIBE", [("destination", self.queue), ("id", "g"), ("ack", "client-individual"),
                                     ("prefetch-count", self.count)], receipt=lambda: None)
        self.peer.push()
        await self.peer.until(lambda: self.taken >= self.count and not self.peer.receipts)
        self.history.add("L", self.peer.label)
        await self.peer.disconnect()


def glance(address, history, first, queue, count, patience=10):
    """As run()."""
    load = here(address, history, first)
    try:
        actor = Glance(load, queue, count)
        return asyncio.run(play(actor, actor.talk, patience))
    finally:
        load.history.close()
