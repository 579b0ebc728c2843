"""Slow consumers harm nobody but themselves (P-LIM-03, P-SUB-08, S-RATE-05)."""
import selectors
import threading
import time
import unittest

from support.broker import JUDGES_MEMORY, MIB, until, wait_time
from support.case import BrokerCase, TRANSPORTS, broker_peer, combined, each, over_transports, send_to, stomp

SMALL = {"outbound_bytes": "256KiB", "outbound_ahead": "64KiB", "close_time": "2s", "linger_time": "500ms"}
BATCH = 20  # Messages of 10,000 octets that fit the budget.
TINY = 4096  # A receive buffer that leaves the waiting to the broker.


class SlowCase(BrokerCase):
    config = {"limits": SMALL}
    growth_max = 64 * MIB

    def slow(self, transport, destination, *lines):
        """A subscriber that does not read."""
        peer = self.client(transport, receive_buffer=TINY)
        return peer.subscribe(destination, *lines)

    def flood(self, destination, count, size=10000, writer=None):
        """`count` messages whose bodies begin with their number, the last of them confirmed."""
        writer = writer or self.client("tcp")
        for i in range(count):
            writer.send(send_to(destination, (b"%08d" % i).ljust(size, b"x")))
        self.assert_lives(writer)

    def numbers(self, frames):
        return [int(frame.body[:8]) for frame in frames if frame.command == "MESSAGE"]


class Cut(SlowCase):
    @over_transports
    def test_P_LIM_03_above_the_budget_it_is_cut_and_told(self, transport):
        peer = self.slow(transport, "/topic/slow.cut")
        self.flood("/topic/slow.cut", 2000)
        frames = peer.read_end(10)
        self.assertEqual(frames[-1].command, "ERROR")
        self.assertEqual(frames[-1]["message"], "slow-consumer")
        self.assertIn(b"/topic/slow.cut", frames[-1].body)
        numbers = self.numbers(frames)
        self.assertEqual(numbers, list(range(len(numbers))))  # No hole before the ERROR.
        self.assertLess(len(numbers), 2000)
        if transport == "ws":
            self.assertEqual((peer.close_code, peer.close_reason.split()[0]), (1013, "slow-consumer"))

    @over_transports
    def test_P_ERR_05_one_that_never_reads_again_is_gone_after_close_time(self, transport):
        before = self.broker.descriptors()
        peer = self.slow(transport, "/topic/slow.gone")
        writer = self.client("tcp")
        self.flood("/topic/slow.gone", 2000, writer=writer)
        writer.close()
        self.assertTrue(until(lambda: self.broker.descriptors() <= before, 8))
        peer.close()

    @each(combined(TRANSPORTS, TRANSPORTS))
    def test_P_LIM_03_others_lose_nothing(self, bad, good):
        readers = [self.client(good).subscribe("/topic/slow.others") for _ in range(3)]
        for _ in range(3):
            self.slow(bad, "/topic/slow.others")
        writer = self.client("tcp")
        for part in range(0, 2000, BATCH):
            for i in range(part, part + BATCH):
                writer.send(send_to("/topic/slow.others", (b"%08d" % i).ljust(10000, b"x")))
            for reader in readers:
                self.assertEqual(self.numbers(reader.read_frames(BATCH)), list(range(part, part + BATCH)))

    @over_transports
    def test_P_LIM_03_just_below_the_budget_it_is_kept(self, transport):
        peer = self.slow(transport, "/topic/slow.kept")
        self.flood("/topic/slow.kept", 20)
        self.assertEqual(self.numbers(peer.read_frames(20)), list(range(20)))
        self.assert_lives(peer)

    @over_transports
    def test_P_LIM_03_harper_1566_a_backlog_without_ack_counts(self, transport):
        peer = self.client(transport).subscribe("/topic/slow.backlog", "ack:client", "prefetch-count:1")
        self.flood("/topic/slow.backlog", 200)
        frames = peer.read_end()
        self.assertEqual(frames[-1]["message"], "slow-consumer")
        self.assertEqual(self.numbers(frames), [0])

    @over_transports
    def test_P_LIM_03_to_itself(self, transport):
        peer = self.slow(transport, "/topic/slow.self")
        thread = threading.Thread(target=lambda: [peer.send(send_to("/topic/slow.self", b"x" * 10000))
                                                  for _ in range(1500)])
        thread.start()
        thread.join(wait_time(20))  # Refused, it reads and discards.
        self.assertEqual(peer.read_end(10)[-1]["message"], "slow-consumer")

    @over_transports
    def test_P_SUB_08_a_queue_holds_back_instead(self, transport):
        peer = self.slow(transport, "/queue/slow.%s" % transport)
        self.flood("/queue/slow.%s" % transport, 1500)
        other = self.client("tcp").subscribe("/queue/slow.%s" % transport)
        rest = []
        while not rest or rest[-1] != 1499:
            rest += self.numbers([other.read_message()])
        self.assertGreater(len(rest), 0)
        mine = []
        while len(mine) + len(rest) < 1500:
            mine += self.numbers([peer.read_message()])
        self.assertEqual(mine, sorted(mine))
        self.assertEqual(sorted(mine + rest), list(range(1500)))
        self.assert_lives(peer)

    @over_transports
    def test_P_ACK_08_what_was_not_sent_returns_to_the_queue(self, transport):
        name = "/queue/slow.return.%s" % transport
        peer = self.slow(transport, name)
        self.flood(name, 1500)
        peer.close()  # With unread octets: a reset.
        other = self.client("tcp").subscribe(name)
        frames = [other.read_message()]
        while self.numbers(frames[-1:]) != [1499]:
            frames.append(other.read_message())
        numbers = self.numbers(frames)
        self.assertEqual(numbers, list(range(1500 - len(numbers), 1500)))
        self.assertGreater(len(numbers), 500)

    @over_transports
    def test_S_RATE_05_receipts_nobody_reads_are_bounded(self, transport):
        peer = self.client(transport, receive_buffer=TINY)
        before = self.broker.rss()
        frames = stomp("BEGIN", "transaction:t", "receipt:" + "r" * 128) + stomp("ABORT", "transaction:t",
                                                                                "receipt:" + "r" * 128)
        frames *= 200
        peer.sock.settimeout(wait_time(1))
        end = time.monotonic() + wait_time(4)
        sent = 0
        try:
            while time.monotonic() < end:
                if transport == "ws":
                    peer.sock.sendall(b"\x82\xfe" + len(frames).to_bytes(2, "big") + b"\0\0\0\0" + frames
                                      if len(frames) < 65536 else b"\x82\xff" + len(frames).to_bytes(8, "big") +
                                      b"\0\0\0\0" + frames)
                else:
                    peer.sock.sendall(frames)
                sent += len(frames)
        except OSError:
            pass
        if JUDGES_MEMORY:
            self.assertLess(self.broker.rss() - before, 8 * MIB, "after %d octets of frames with receipts" % sent)
        self.check_good_client()


class Stall(SlowCase):
    config = {"limits": {**SMALL, "outbound_stall": "500ms", "outbound_bytes": "64MiB"}}

    @over_transports
    def test_P_LIM_03_no_progress_for_the_stall_time(self, transport):
        peer = self.slow(transport, "/topic/slow.stall")
        self.flood("/topic/slow.stall", 1500)
        self.assertTrue(self.broker.wait_for(
            lambda: self.broker.event("limit", conn=peer.connected["session"], reason="slow-consumer")))
        frames = peer.read_end(10)
        self.assertEqual(frames[-1]["message"], "slow-consumer")

    @over_transports
    def test_P_LIM_03_a_consumer_of_a_queue_that_stalls(self, transport):
        name = "/queue/slow.stall.%s" % transport
        peer = self.slow(transport, name)
        self.flood(name, 1500)
        self.assertTrue(self.broker.wait_for(
            lambda: self.broker.event("limit", conn=peer.connected["session"], reason="slow-consumer")))

    @over_transports
    def test_P_LIM_03_slow_progress_is_progress(self, transport):
        peer = self.slow(transport, "/topic/slow.progress")
        self.flood("/topic/slow.progress", 1000)
        end = time.monotonic() + wait_time(1.5)
        pause = threading.Event()
        while time.monotonic() < end:
            peer.receive(1)
            pause.wait(0.02)
        frames = []
        while self.numbers(frames[-1:]) != [999]:
            frames.append(peer.read_message())
        self.assertEqual(self.numbers(frames), list(range(1000)))


class Policies(SlowCase):
    config = {"limits": SMALL,
              "policy": [{"match": "/topic/oldest.**", "slow_consumer": "drop-oldest"},
                         {"match": "/topic/newest.**", "slow_consumer": "drop-newest"},
                         {"match": "/topic/last.**", "slow_consumer": "conflate", "conflate_key": "symbol"},
                         {"match": "/topic/oldest.but.not", "slow_consumer": "disconnect"}]}
    COUNT = 3000

    def flooded(self, transport, destination):
        """What a subscriber gets that began to read after the flood, up to a last message."""
        peer = self.slow(transport, destination)
        good = self.client("tcp").subscribe(destination)
        writer = self.client("tcp")
        for part in range(0, self.COUNT, BATCH):
            for i in range(part, part + BATCH):
                writer.send(send_to(destination, (b"%08d" % i).ljust(10000, b"x")))
            self.assertEqual(self.numbers(good.read_frames(BATCH)), list(range(part, part + BATCH)))
        return peer, writer

    def rest(self, peer, writer, destination):
        """Reads all, then one more message that must come."""
        frames = []
        for attempt in range(100):
            writer.publish(destination, b"%08d" % (self.COUNT + attempt), "symbol:last")
            try:
                while True:
                    frames.append(peer.read_message(seconds=0.2))
                    if int(frames[-1].body[:8]) >= self.COUNT:
                        return self.numbers(frames)[:-1]
            except TimeoutError:
                continue
        self.fail("what is sent after the flood never comes")

    @over_transports
    def test_S_RATE_05_drop_oldest(self, transport):
        peer, writer = self.flooded(transport, "/topic/oldest.x")
        numbers = self.rest(peer, writer, "/topic/oldest.x")
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-10:], list(range(self.COUNT - 10, self.COUNT)))
        self.assertLess(len(numbers), self.COUNT)

    @over_transports
    def test_S_RATE_05_drop_newest(self, transport):
        peer, writer = self.flooded(transport, "/topic/newest.x")
        numbers = self.rest(peer, writer, "/topic/newest.x")
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertLess(len(numbers), self.COUNT)

    @over_transports
    def test_S_RATE_05_conflate(self, transport):
        peer, writer = self.slow(transport, "/topic/last.x"), self.client("tcp")
        for i in range(self.COUNT):
            writer.send(send_to("/topic/last.x", (b"%08d" % i).ljust(10000, b"x"), "symbol:%d" % (i % 7)))
        self.assert_lives(writer)
        numbers = self.rest(peer, writer, "/topic/last.x")
        self.assertLess(len(numbers), self.COUNT)
        for symbol in range(7):
            own = [number for number in numbers if number % 7 == symbol]
            self.assertEqual(own, sorted(set(own)))
            self.assertEqual(own[-1], max(range(symbol, self.COUNT, 7)))

    @over_transports
    def test_S_RATE_05_the_more_specific_policy_wins(self, transport):
        peer, _ = self.flooded(transport, "/topic/oldest.but.not")
        self.assertEqual(peer.read_end(10)[-1]["message"], "slow-consumer")

    @over_transports
    def test_S_RATE_05_wildcard_subscribers_too(self, transport):
        peer = self.slow(transport, "/topic/oldest.#")
        self.flood("/topic/oldest.y", self.COUNT)
        writer = self.client("tcp")
        numbers = self.rest(peer, writer, "/topic/oldest.y")
        self.assertEqual(numbers[-1], self.COUNT - 1)


class Crowd(SlowCase):
    """One that never reads and 200 that trickle: the others lose nothing, memory stays bounded."""

    growth_max = 120 * MIB  # 201 times budget and ahead, and what is on its way.

    @each(combined(["tcp", "ws"], [1, 3]))
    def test_S_RATE_05_two_hundred_tricklers(self, transport, writers):
        topic = "/topic/crowd.%s.%d" % (transport, writers)
        never = self.slow(transport, topic)
        tricklers = [self.slow(transport, topic) for _ in range(200)]
        good = [self.client(("tcp", "ws")[i % 2]).subscribe(topic) for i in range(4)]
        count, done = 3000 // writers, threading.Event()
        self.progress, self.seen = threading.Condition(), 0

        def publish(name):
            writer = broker_peer(self.broker, "tcp").connect()
            for i in range(count):
                with self.progress:  # No faster than the slowest good reader: it must stay within its budget.
                    self.progress.wait_for(lambda: i - self.seen < 100 // writers, wait_time(20))
                writer.send(send_to(topic, (b"%s%07d" % (name, i)).ljust(2000, b"x")))
            writer.ask("BEGIN", "transaction:t")
            writer.close()

        def trickle():
            with selectors.DefaultSelector() as selector:
                for peer in tricklers:
                    peer.sock.setblocking(False)
                    selector.register(peer.sock, selectors.EVENT_READ)
                while not done.wait(0.02):
                    for key, _ in selector.select(0):
                        try:
                            if not key.fileobj.recv(700):
                                selector.unregister(key.fileobj)
                        except BlockingIOError:
                            pass
                        except OSError:
                            selector.unregister(key.fileobj)
        threads = [threading.Thread(target=trickle)]
        names = [bytes([ord("a") + i]) for i in range(writers)]
        threads += [threading.Thread(target=publish, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        try:
            self.read_all(good, names, count)
        finally:
            done.set()
            for thread in threads:
                thread.join(wait_time(30))
        for peer in [never] + tricklers:
            peer.close()

    def read_all(self, good, names, count):
        seen = {peer: {name: 0 for name in names} for peer in good}
        with selectors.DefaultSelector() as selector:
            for peer in good:
                selector.register(peer.sock, selectors.EVENT_READ, peer)
            left = len(good)
            while left:
                ready = selector.select(wait_time(10))
                self.assertTrue(ready, "nothing comes any more: %s" % list(seen.values()))
                for key, _ in ready:
                    peer = key.data
                    self.assertTrue(peer.receive())
                    frame = peer.take_frame()
                    while frame is not None:
                        self.assertEqual(frame.command, "MESSAGE", frame)
                        name, number = frame.body[:1], int(frame.body[1:8])
                        self.assertEqual(number, seen[peer][name])
                        seen[peer][name] += 1
                        frame = peer.take_frame()
                    with self.progress:
                        self.seen = min(number for numbers in seen.values() for number in numbers.values())
                        self.progress.notify_all()
                    if all(number == count for number in seen[peer].values()):
                        selector.unregister(peer.sock)
                        left -= 1


class CrowdOnShards(Crowd):
    threads = 3


if __name__ == "__main__":
    unittest.main()
