"""The checker alone: a good history passes, and each way of breaking it is found under its own rule."""
import random
import unittest

from support import messages
from support.checker import Checker

Q, T, SUB = "/queue/q", "/topic/t", "sub"


class History:
    """Lines with a clock of their own."""

    def __init__(self):
        self.checker = Checker()
        self.time = 0

    def __call__(self, line):
        self.time += 1
        kind, _, rest = line.partition(" ")
        self.checker.feed("%s %d %s\n" % (kind, self.time, rest))
        return self

    def all(self, *lines):
        for line in lines:
            self(line)
        return self

    def rules(self):
        """The rules broken, once drained."""
        self.checker.drained()
        return sorted({violation.split()[0] for violation in self.checker.violations})


def sent(number, destination=Q, tx="-", flags="-"):
    return "S p %d %s %s %s" % (number, destination, tx, flags)


def delivered(number, marked=0, mode="i", place=Q, consumer="c1"):
    return "D %s %s p %d %d %s" % (consumer, place, number, marked, mode)


def acked(number, ack="a", place=Q, tx="-"):
    return "A %s %s p %d %s" % (ack, place, number, tx)


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.history = History()

    def broken(self, *lines):
        return self.history.all(*lines).rules()

    def test_c1_good_history_passes(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), acked(1), "F a"), [])
        self.assertEqual(self.history.checker.counts["confirmed"], 1)

    def test_c1_confirmed_and_refused(self):
        self.assertEqual(self.broken(sent(1), "R p 1", "C p 1", delivered(1), acked(1)), ["C1", ])

    def test_c2_confirmed_and_never_delivered(self):
        self.assertEqual(self.broken(sent(1), "C p 1"), ["C2"])
        self.assertEqual(self.history.checker.counts["lost"], 1)

    def test_c2_delivered_but_not_settled_must_come_again(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1)), ["C2"])

    def test_c2_auto_settles(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1, mode="a")), [])

    def test_c2_ack_without_receipt_settles(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), acked(1)), [])

    def test_c2_nack_does_not_settle(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), "N %s p 1" % Q), ["C2"])

    def test_c2_memory_may_be_lost_and_is_counted(self):
        self.assertEqual(self.broken(sent(1, flags="m"), "C p 1"), [])
        self.assertEqual(self.history.checker.counts["memory lost"], 1)
        self.assertEqual(self.history.checker.counts["lost"], 0)

    def test_c2_indeterminate_may_be_delivered_or_not(self):
        self.assertEqual(self.broken(sent(1), sent(2), delivered(2), acked(2)), [])
        self.assertEqual(self.history.checker.counts["indeterminate"], 2)

    def test_c2_every_durable_subscription_gets_its_copy(self):
        lines = ["U s1 /topic/t", "U s2 /topic/t", sent(1, T), "C p 1", delivered(1, place="s1"), acked(1, place="s1")]
        self.assertEqual(self.broken(*lines), ["C2"])

    def test_c2_subscription_confirmed_after_the_send_has_no_claim(self):
        self.assertEqual(self.broken(sent(1, T), "U s1 /topic/t", "C p 1"), [])

    def test_c2_dead_letters_are_not_lost(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), delivered(1, 1, place="/queue/DLQ.q")), [])

    def test_c2_repeated_message_confirmed_the_second_time(self):
        self.assertEqual(self.broken(sent(1), sent(1, flags="r"), "C p 1"), ["C2"])

    def test_c3_refused_and_delivered(self):
        self.assertEqual(self.broken(sent(1), "R p 1", delivered(1), acked(1)), ["C3"])

    def test_c3_aborted_and_delivered(self):
        self.assertEqual(self.broken(sent(1, tx="t"), "X t", delivered(1), acked(1)), ["C3"])

    def test_c3_never_committed_and_delivered(self):
        self.assertEqual(self.broken(sent(1, tx="t"), delivered(1), acked(1)), ["C3"])

    def test_c4_what_the_client_found_wrong(self):
        self.assertEqual(self.broken("W a body whose CRC is wrong"), ["C4"])

    def test_c4_delivered_elsewhere(self):
        self.assertEqual(self.broken(sent(1), delivered(1, place="/queue/other")), ["C4"])

    def test_c5_order_of_first_deliveries(self):
        lines = [sent(1), sent(2), delivered(2), delivered(1), acked(1), acked(2)]
        self.assertEqual(self.broken(*lines), ["C5"])

    def test_c5_redelivered_and_other_consumers_are_free(self):
        lines = [sent(1), sent(2), delivered(2), delivered(1, consumer="c2"), delivered(1, 1), acked(1), acked(2)]
        self.assertEqual(self.broken(*lines), [])

    def test_c5_what_a_gone_consumer_leaves_may_follow_younger_messages(self):
        lines = [sent(1), sent(2), "G %s" % Q, delivered(2), delivered(1), acked(1), acked(2)]
        self.assertEqual(self.broken(*lines), [])
        self.history.time += 2_000_000
        self.assertEqual(self.broken(sent(3), sent(4), delivered(4), delivered(3), acked(3), acked(4)), ["C5"])

    def test_c5_order_in_a_drain_counts_for_all(self):
        lines = [sent(1), sent(2), delivered(2, 1, consumer="drain.1"), delivered(1, 1, consumer="drain.1"),
                 acked(1), acked(2)]
        self.assertEqual(self.broken(*lines), ["C5"])

    def test_c6_second_delivery_without_mark(self):
        lines = [sent(1), delivered(1), delivered(1, consumer="c2"), acked(1)]
        self.assertEqual(self.broken(*lines), ["C6"])

    def test_c6_mark_on_a_message_not_seen_before_is_allowed(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1, 1), acked(1)), [])

    def test_c6_repeated_send_may_come_twice(self):
        lines = [sent(1), sent(1, flags="r"), "C p 1", delivered(1), delivered(1), acked(1)]
        self.assertEqual(self.broken(*lines), [])

    def test_c7_delivered_after_confirmed_ack(self):
        lines = [sent(1), "C p 1", delivered(1), acked(1), "F a", delivered(1, 1)]
        self.assertEqual(self.broken(*lines), ["C7"])

    def test_c7_delivered_after_unconfirmed_ack_is_allowed(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), acked(1), delivered(1, 1), acked(1)), [])

    def test_c7_what_was_under_way_to_a_consumer_that_left_is_allowed(self):
        lines = [sent(1), "C p 1", "L c2", delivered(1, 1), acked(1), "F a", delivered(1, consumer="c2")]
        self.assertEqual(self.broken(*lines), [])

    def test_c7_delivered_after_commit_of_its_ack(self):
        lines = [sent(1), delivered(1), sent(2, tx="t"), acked(1, tx="t"), "B t", "K t", delivered(1, 1),
                 delivered(2), acked(2)]
        self.assertEqual(self.broken(*lines), ["C7"])

    def test_c7_seen_again_after_a_drain(self):
        self.assertEqual(self.broken(sent(1), "C p 1", delivered(1), acked(1), "F a"), [])
        self.assertEqual(self.broken(delivered(1, 1)), ["C7"])

    def test_c8_half_of_an_indeterminate_transaction(self):
        lines = [sent(1, tx="t"), sent(2, tx="t"), "B t", delivered(1), acked(1)]
        self.assertEqual(self.broken(*lines), ["C8"])

    def test_c8_indeterminate_transaction_whole_or_not_at_all(self):
        lines = [sent(1, tx="t"), sent(2, tx="t"), "B t", delivered(1), delivered(2), acked(1), acked(2),
                 sent(3, tx="u"), sent(4, tx="u"), "B u"]
        self.assertEqual(self.broken(*lines), [])

    def test_c8_acks_of_a_visible_transaction_took_effect(self):
        lines = [sent(1), "C p 1", delivered(1), sent(2, tx="t"), acked(1, tx="t"), "B t",
                 delivered(1, 1), delivered(2), acked(1), acked(2)]
        self.assertEqual(self.broken(*lines), ["C8"])

    def test_c8_acks_of_an_invisible_transaction_did_not(self):
        lines = [sent(1), "C p 1", delivered(1), sent(2, tx="t"), acked(1, tx="t"), "B t"]
        self.assertEqual(self.broken(*lines), ["C2"])

    def test_c8_early_delivery_may_show_what_a_crash_undoes(self):
        lines = [sent(1, tx="t"), sent(2, tx="t"), "B t", delivered(1)]
        self.history.checker.is_early = True
        self.history.all(*lines)
        self.history.checker.restarted_at = self.history.checker.position
        self.assertEqual(self.history.rules(), [])

    def test_c8_early_delivery_must_not_show_half_after_a_crash(self):
        self.history.checker.is_early = True
        lines = [sent(1, tx="t"), sent(2, tx="t"), "B t", delivered(1), acked(1)]
        self.assertEqual(self.broken(*lines), ["C8"])

    def test_c8_confirmed_transaction_lost(self):
        self.assertEqual(self.broken(sent(1, tx="t"), sent(2, tx="t"), "B t", "K t"), ["C2"])

    def test_c8_aborted_acks_do_not_settle(self):
        lines = [sent(1), "C p 1", delivered(1), acked(1, tx="t"), "X t"]
        self.assertEqual(self.broken(*lines), ["C2"])


class MessagesTest(unittest.TestCase):
    def test_c4_whole_messages_pass_and_any_changed_octet_shows(self):
        headers, body = messages.make("p1", 77, 500)
        self.assertEqual(messages.read(dict(headers), body), ("p1", 77, None))
        rng = random.Random(1)
        for _ in range(200):
            at = rng.randrange(len(body))
            changed = bytearray(body)
            changed[at] ^= 1 << rng.randrange(8)
            try:
                wrong = messages.read(dict(headers), bytes(changed))[2]
            except ValueError:
                wrong = "no number"
            self.assertIsNotNone(wrong)

    def test_c4_changed_headers_show(self):
        headers, body = messages.make("p1", 77, 5)
        self.assertIsNotNone(messages.read({**dict(headers), "odd": "plain"}, body)[2])


if __name__ == "__main__":
    unittest.main()
