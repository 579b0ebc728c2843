"""The conversations of test_session and more, with two and three event loops: nothing depends on where anybody lives."""
import random
import threading
import unittest

import test_session
from support.broker import MIB, wait_time
from support.case import BrokerCase, TRANSPORTS, broker_peer, each, send_to, stomp
from support.peers import TcpPeer

REPEATED = ("Destinations", "Messages", "Subscriptions", "Acknowledgements", "Transactions", "Receipts", "Temporary",
            "QueueLimits")


def repeated(name, threads):
    """A class of test_session whose broker has that many event loops."""
    return type("%sOn%dShards" % (name, threads), (getattr(test_session, name),), {"threads": threads})


def load_tests(loader, standard, _):
    """unittest's hook: the standard tests of this file, and the repeated ones."""
    for name in REPEATED:
        for threads in (2, 3):
            standard.addTests(loader.loadTestsFromTestCase(repeated(name, threads)))
    return standard


class ShardCase(BrokerCase):
    names = 0

    def name(self, prefix="/topic/"):
        ShardCase.names += 1
        return "%sshards.n%d" % (prefix, ShardCase.names)

    def crowd(self, count):
        """Connected peers, spread over all event loops."""
        return [self.client(("tcp", "ws")[i % 2]) for i in range(count)]

    @staticmethod
    def together(*works):
        """Runs each in a thread of its own; raises what one of them raised."""
        failures = []

        def run(work):
            try:
                work()
            except BaseException as error:  # pylint: disable=broad-except
                failures.append(error)
        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wait_time(60))
        if failures:
            raise failures[0]


class Conversations(ShardCase):
    threads = 3
    growth_max = 96 * MIB

    def test_P_SEND_02_topics_one_order_for_all(self):
        """Two publishers: all subscribers see both in one and the same order."""
        name = self.name()
        readers = [peer.subscribe(name) for peer in self.crowd(9)]
        writers = self.crowd(3)

        def publish(writer, letter):
            for part in range(20):
                writer.send(b"".join(send_to(name, b"%s%d" % (letter, i)) for i in range(part * 50, part * 50 + 50)))
        self.together(*[lambda w=w, c=c: publish(w, c) for w, c in zip(writers, (b"a", b"b", b"c"))])
        orders = {tuple(frame.body for frame in reader.read_frames(3000)) for reader in readers}
        self.assertEqual(len(orders), 1)
        order = orders.pop()
        for letter in (b"a", b"b", b"c"):
            self.assertEqual([body for body in order if body[:1] == letter], [b"%s%d" % (letter, i) for i in range(1000)])

    @each(["auto", "client", "client-individual"])
    def test_P_SUB_09_queues_each_message_once(self, mode):
        name = self.name("/queue/")
        consumers = [peer.subscribe(name, "ack:" + mode, "prefetch-count:10") for peer in self.crowd(6)]
        count, got, lock, done = 3000, [], threading.Lock(), threading.Event()

        def consume(peer):
            while not done.is_set():
                try:
                    message = peer.read_message(seconds=0.2)
                except TimeoutError:
                    continue
                if mode != "auto":
                    peer.send(stomp("ACK", "id:" + message["ack"]))
                with lock:
                    got.append((int(message.body), peer, "redelivered" in message))
                    if len(got) >= count:
                        done.set()

        def publish():
            writer = self.client("tcp")
            for i in range(count):
                writer.send(send_to(name, b"%d" % i))
            self.assertTrue(done.wait(wait_time(30)), "%d of %d" % (len(got), count))
        self.together(publish, *[lambda peer=peer: consume(peer) for peer in consumers])
        self.assertEqual(sorted(number for number, _, _ in got), list(range(count)))
        self.assertFalse(any(again for _, _, again in got))
        for peer in consumers:  # Each in order.
            own = [number for number, who, _ in got if who is peer]
            self.assertEqual(own, sorted(own))
            self.assertTrue(own)

    def test_P_ACK_08_consumers_that_vanish_lose_nothing(self):
        name = self.name("/queue/")
        count = 2000
        writer = self.client("tcp")
        for i in range(count):
            writer.send(send_to(name, b"%d" % i))
        self.assert_lives(writer)
        draw = random.Random(3)
        done = set()
        for _ in range(60):
            peer = self.client(draw.choice(TRANSPORTS)).subscribe(name, "ack:client-individual", "prefetch-count:30")
            acked = set()
            for _ in range(draw.randrange(30)):
                message = peer.read_message()
                acked.add(int(message.body))
                peer.send(stomp("ACK", "id:" + message["ack"]))
            how = draw.randrange(3)
            if how == 0:
                peer.ask("DISCONNECT")
            elif how == 1:
                self.assert_lives(peer)
            else:
                peer.send(stomp("ABORT", "transaction:none"))
                peer.read_end()
            peer.close()
            self.assertFalse(acked & done)
            done |= acked
        reader = self.client("tcp").subscribe(name)
        while len(done) < count:
            number = int(reader.read_message().body)
            self.assertNotIn(number, done)
            done.add(number)
        self.assert_silent(reader)

    def test_P_DEST_05_wildcards(self):
        base = self.name("/exchange/")
        readers = [peer.subscribe(base + "/" + pattern) for peer, pattern in
                   zip(self.crowd(6), ("*.*", "a.*", "#", "*.b", "a.b", "#.b"))]
        writers = self.crowd(3)
        matches = [["a.b", "a.c", "x.b"], ["a.b", "a.c"], ["a.b", "a.c", "x.b", "z"], ["a.b", "x.b"], ["a.b"], ["a.b", "x.b"]]
        for i in range(50):
            for key in ("a.b", "a.c", "x.b", "z"):
                writers[i % 3].publish(base + "/" + key, b"%d" % i)
        for reader, keys in zip(readers, matches):
            frames = reader.read_frames(50 * len(keys))
            for key in keys:
                self.assertEqual([f.body for f in frames if f["destination"] == base + "/" + key],
                                 [b"%d" % i for i in range(50)])
        for reader in readers:
            self.assert_silent(reader)

    def test_P_SUB_04_a_send_after_the_receipt_is_seen_from_everywhere(self):
        writers = self.crowd(6)
        for round_number in range(60):
            name = self.name(("/topic/", "/exchange/")[round_number % 2])
            if round_number % 2:
                name += "/key"
            reader = self.client(TRANSPORTS[round_number % 2]).subscribe(
                name if round_number % 3 else name.rsplit(".", 1)[0] + ".*" if "/exchange" not in name else name)
            for i, writer in enumerate(writers):
                writer.send(send_to(name, b"%d" % i))
            self.assertEqual(sorted(frame.body for frame in reader.read_frames(6)), [b"%d" % i for i in range(6)])
            reader.close()

    def test_P_SUB_06_nothing_after_the_receipt_of_unsubscribe(self):
        name = self.name()
        stop = threading.Event()
        writers = self.crowd(3)

        def publish(writer):
            while not stop.is_set():
                writer.publish(name, b"x")

        def come_and_go():
            try:
                for i in range(100):
                    reader = self.client(TRANSPORTS[i % 2]).subscribe(name)
                    reader.read_message()
                    reader.ask("UNSUBSCRIBE", "id:0")
                    self.assert_silent(reader)
                    self.assert_silent(reader)
                    reader.close()
            finally:
                stop.set()
        self.together(come_and_go, *[lambda writer=writer: publish(writer) for writer in writers])

    def test_P_TX_04_commits_do_not_interleave(self):
        name, queue = self.name(), self.name("/queue/")
        readers = [peer.subscribe(name) for peer in self.crowd(3)]
        consumer = self.client("tcp").subscribe(queue)

        def commit(peer, letter):
            for i in range(100):
                peer.ask("BEGIN", "transaction:t")
                for part in range(5):
                    for destination in (name, queue):
                        peer.send(send_to(destination, b"%s %d %d" % (letter, i, part), "transaction:t"))
                peer.ask("COMMIT" if i % 3 else "ABORT", "transaction:t")
        self.together(*[lambda p=p, c=c: commit(p, c) for p, c in zip(self.crowd(4), (b"a", b"b", b"c", b"d"))])
        expected = 4 * 66 * 5
        for reader in readers + [consumer]:
            bodies = [frame.body.split() for frame in reader.read_frames(expected)]
            for start in range(0, expected, 5):
                group = bodies[start:start + 5]
                self.assertEqual({(letter, i) for letter, i, _ in group}, {(group[0][0], group[0][1])})
                self.assertEqual([int(part) for _, _, part in group], [0, 1, 2, 3, 4])
            self.assert_silent(reader)

    def test_P_TX_04_a_transaction_over_many_homes(self):
        names = [self.name(("/topic/", "/queue/")[i % 2]) for i in range(20)]
        reader = self.client("ws")
        for i, name in enumerate(names):
            reader.subscribe(name, id=str(i))
        peer = self.client("tcp").subscribe(self.name("/queue/"), "ack:client")
        for _ in range(20):
            peer.ask("BEGIN", "transaction:t")
            for name in names:
                peer.publish(name, b"x", "transaction:t")
            self.assert_silent(reader)
            peer.ask("COMMIT", "transaction:t", receipt="committed")
            self.assertEqual(sorted(int(frame["subscription"]) for frame in reader.read_frames(20)), list(range(20)))

    def test_P_TEMP_02_requests_from_everywhere(self):
        service = self.name("/queue/")
        servers, clients = self.crowd(3), self.crowd(9)
        stop = threading.Event()
        for server in servers:
            server.subscribe(service)

        def serve(peer):
            while not stop.is_set():
                try:
                    request = peer.read_message(seconds=0.2)
                except TimeoutError:
                    continue
                peer.send(send_to(request["reply-to"], request.body[::-1], "correlation-id:" + request["correlation-id"]))

        def ask(peer, number):
            for i in range(60):
                body = b"%d of %d" % (i, number)
                peer.send(send_to(service, body, "reply-to:/temp-queue/answers", "correlation-id:%d" % i))
                answer = peer.read_message()
                self.assertEqual((answer.body, answer["correlation-id"], answer["subscription"]),
                                 (body[::-1], str(i), "/temp-queue/answers"))

        def ask_all():
            try:
                self.together(*[lambda p=p, n=n: ask(p, n) for n, p in enumerate(clients)])
            finally:
                stop.set()
        self.together(ask_all, *[lambda server=server: serve(server) for server in servers])

    def test_P_RCPT_04_receipts_in_order_over_many_homes(self):
        peer = self.client("tcp")
        names = [self.name(("/topic/", "/queue/")[i % 2]) for i in range(50)]
        peer.send(b"".join(send_to(names[i % 50], b"x", "receipt:%d" % i) for i in range(2000)))
        self.assertEqual([frame["receipt-id"] for frame in peer.read_frames(2000)], [str(i) for i in range(2000)])

    def test_P_RCPT_05_disconnect_waits_for_all_of_them(self):
        for _ in range(30):
            peer = self.client("tcp")
            names = [self.name(("/topic/", "/queue/")[i % 2]) for i in range(20)]
            peer.send(b"".join(send_to(name, b"x", "receipt:%d" % i) for i, name in enumerate(names)) +
                      stomp("DISCONNECT", "receipt:bye"))
            peer.half_close()
            self.assertEqual([frame["receipt-id"] for frame in peer.read_end()], [str(i) for i in range(20)] + ["bye"])
            peer.close()

    def test_P_TCP_03_half_close_waits_for_answers_from_elsewhere(self):
        for _ in range(30):
            peer = self.client("tcp")
            names = [self.name(("/topic/", "/queue/")[i % 2]) for i in range(20)]
            peer.send(b"".join(send_to(name, b"x", "receipt:%d" % i) for i, name in enumerate(names)))
            peer.half_close()
            self.assertEqual([frame["receipt-id"] for frame in peer.read_end()], [str(i) for i in range(20)])
            peer.close()

    def test_P_ERR_02_receipts_of_earlier_frames_come_before_the_error(self):
        for _ in range(30):
            peer = self.client("ws")
            names = [self.name(("/topic/", "/queue/")[i % 2]) for i in range(20)]
            peer.send(b"".join(send_to(name, b"x", "receipt:%d" % i) for i, name in enumerate(names)) +
                      stomp("ABORT", "transaction:none"))
            self.assert_refused(peer, "bad-state", before=["RECEIPT"] * 20)
            peer.close()

    def test_P_SUB_02_a_change_loses_and_doubles_nothing(self):
        for prefix in ("/topic/", "/queue/"):
            name = self.name(prefix)
            reader = self.client("tcp").subscribe(name)
            writer = self.client("ws")

            def publish():
                for i in range(1000):
                    writer.send(send_to(name, b"%d" % i))

            def change():
                for i in range(100):
                    reader.send(stomp("SUBSCRIBE", "id:0", "destination:" + name, "x-priority:%d" % i))
            self.together(publish, change)
            numbers = [int(frame.body) for frame in reader.read_frames(1000)]
            if prefix == "/queue/":
                numbers.sort()  # What was on its way between event loops may be overtaken.
            self.assertEqual(numbers, list(range(1000)))
            self.assert_silent(reader)

    def test_P_TX_06_ends_at_every_moment(self):
        """Clients that come, do a bit of everything and vanish, from three sides at once."""
        queue, topic = self.name("/queue/"), self.name()
        witness = self.client("tcp").subscribe(topic)

        def churn(seed):
            draw = random.Random(seed)
            for _ in range(60):
                peer = broker_peer(self.broker, draw.choice(TRANSPORTS)).connect()
                for _ in range(draw.randrange(12)):
                    peer.send(draw.choice((
                        stomp("SUBSCRIBE", "id:%d" % draw.randrange(3), "destination:" + queue, "ack:client"),
                        stomp("UNSUBSCRIBE", "id:%d" % draw.randrange(3)), send_to(queue, b"x"), send_to(topic, b"x"),
                        stomp("BEGIN", "transaction:%d" % draw.randrange(1000)),
                        send_to("/temp-queue/a", b"x"), send_to(queue, b"x", "reply-to:/temp-topic/b"))))
                if draw.randrange(2):
                    peer.receive_now()
                peer.close()
        self.together(*[lambda seed=seed: churn(seed) for seed in range(3)])
        witness.receive_now()
        self.check_good_client()


class OnTwo(Conversations):
    threads = 2


if __name__ == "__main__":
    unittest.main()
