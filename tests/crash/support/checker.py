"""The checker: holds a history against the promises C1 to C9, from one drain to the next.

`feed` takes the lines of a history; `drained` is called when every queue and durable subscription has been emptied, and
judges everything since the drain before. What was settled by then must never be seen again.
"""
import collections

GRACE = 1_000_000  # Microseconds in which a broker notices that a connection is gone.


class Copy:
    """A message at one place: a queue, or a durable subscription."""

    __slots__ = ("seen", "unmarked", "last_seen", "is_settled", "ack_done", "in_transactions")

    def __init__(self):
        self.seen = 0            # Deliveries.
        self.unmarked = 0        # Those without the redelivered mark.
        self.last_seen = -1      # The position in the history of the latest.
        self.is_settled = False  # Handed over in auto mode, or an ACK outside transactions was sent.
        self.ack_done = False    # An ACK was confirmed.
        self.in_transactions = []


class Message:
    """One SEND."""

    __slots__ = ("sent_at", "destination", "transaction", "is_memory", "is_repeated", "state", "places", "copies", "is_dead")

    def __init__(self, sent_at, destination, transaction, is_memory, places):
        self.sent_at = sent_at
        self.destination, self.transaction, self.is_memory = destination, transaction, is_memory
        self.is_repeated = False
        self.state = "sent"      # sent, confirmed, refused
        self.places = places     # Where it must arrive once it is confirmed.
        self.copies = {}
        self.is_dead = False     # Found in a dead-letter queue.


class Transaction:
    __slots__ = ("state", "sends", "acks", "committed_at")

    def __init__(self):
        self.state = "open"      # open, committing, confirmed, aborted
        self.sends = []
        self.acks = []           # (message key, place)
        self.committed_at = -1


class Checker:
    def __init__(self):
        self.violations = []
        self.counts = collections.Counter()
        self.durable_topics = {}     # place -> topic
        self.position = 0
        self.is_early = False        # Consumers may see what is not stored yet, and a crash may undo it.
        self.restarted_at = 0        # The position when the broker was started last.
        self.last_confirm = 0
        self._forget()

    def _forget(self):
        self.messages = {}
        self.transactions = collections.defaultdict(Transaction)
        self.acks = {}               # ACK name -> [(message, place)]
        self.last_gone = {}          # place -> when one of its consumers went
        self.leaving = set()         # Consumers that have sent UNSUBSCRIBE.
        self.newest = {}             # (consumer, place, publisher) -> number of the latest first delivery

    def violate(self, rule, text):
        self.counts["violations"] += 1
        if len(self.violations) < 1000:
            self.violations.append("%s %s" % (rule, text))

    # --- What happened.

    def feed_file(self, path, offset=0):
        """Returns where the last whole line ends."""
        with open(path, "rb") as lines:
            lines.seek(offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self.feed(line.decode())
                offset += len(line)
        return offset

    def feed(self, line):
        fields = line.split()
        if len(fields) < 2:
            return
        self.position += 1
        handler = getattr(self, "_on_" + fields[0], None)
        if handler is not None:
            handler(int(fields[1]), *fields[2:])

    def _on_S(self, time, publisher, number, destination, transaction, flags):
        key = (publisher, int(number))
        if "r" in flags and key in self.messages:
            self.messages[key].is_repeated = True
            return
        places = [destination]
        if destination.startswith("/topic/"):
            places = [place for place, topic in self.durable_topics.items() if topic == destination]
        self.messages[key] = Message(time, destination, transaction, "m" in flags, places)
        self.counts["sent"] += 1
        if transaction != "-":
            self.transactions[transaction].sends.append(key)

    def _confirm(self, time, key):
        message = self.messages.get(key)
        if message is None or message.state == "confirmed":
            return
        if message.state == "refused" and not message.is_repeated:
            self.violate("C1", "%s %d: confirmed and refused" % key)
        message.state = "confirmed"
        self.counts["confirmed memory" if message.is_memory else "confirmed"] += 1
        self.last_confirm = max(self.last_confirm, time)

    def _on_C(self, time, publisher, number):
        self._confirm(time, (publisher, int(number)))

    def _on_R(self, _time, publisher, number):
        message = self.messages.get((publisher, int(number)))
        if message is None:
            return
        if message.state == "confirmed":
            self.violate("C1", "%s %s: refused and confirmed" % (publisher, number))
        message.state = "refused"
        self.counts["refused"] += 1

    def _on_B(self, _time, name):
        transaction = self.transactions[name]
        transaction.state, transaction.committed_at = "committing", self.position

    def _on_K(self, time, name):
        transaction = self.transactions[name]
        transaction.state = "confirmed"
        self.counts["transactions"] += 1
        for key in transaction.sends:
            self._confirm(time, key)
        for key, place in transaction.acks:
            self._ack_done(key, place)

    def _on_X(self, _time, name):
        self.transactions[name].state = "aborted"
        self.counts["aborted"] += 1

    def _on_D(self, _time, consumer, place, publisher, number, marked, mode):
        self.counts["delivered"] += 1
        number = int(number)
        key = (publisher, number)
        message = self.messages.get(key)
        if message is None:
            return self.violate("C7", "%s %d: delivered at %s after it was settled and all was drained, or never sent"
                                % (publisher, number, place))
        if place.startswith("/queue/DLQ."):
            message.is_dead = True
            self.counts["dead"] += 1
            return None
        if place not in message.copies and message.destination not in (place, self.durable_topics.get(place)):
            self.violate("C4", "%s %d: sent to %s, delivered at %s" % (publisher, number, message.destination, place))
        copy = message.copies.setdefault(place, Copy())
        copy.seen += 1
        copy.last_seen = self.position
        if copy.ack_done and consumer not in self.leaving:
            self.violate("C7", "%s %d: delivered at %s after its ACK was confirmed" % (publisher, number, place))
        if mode == "a":
            copy.is_settled = True
        if copy.seen > 1:
            self.counts["redelivered"] += 1
        self._judge_mark(key, message, copy, place, marked)
        self._judge_order(key, message, consumer, place, marked)
        return None

    def _judge_mark(self, key, message, copy, place, marked):
        if marked == "1":
            return
        copy.unmarked += 1
        if copy.unmarked > 1 and not message.is_repeated:
            self.violate("C6", "%s %d: a second delivery at %s without the redelivered mark" % (*key, place))

    def _judge_order(self, key, message, consumer, place, marked):
        """First deliveries, as one consumer sees them. In a drain, where nobody else takes part, all of them.

        When a consumer goes, what the broker had set aside for it and not yet written comes back without a mark, and
        may follow younger messages that went to another consumer meanwhile: the order is judged for what was sent
        after the broker must have noticed.
        """
        if message.is_repeated or (marked == "1" and not consumer.startswith("drain")):
            return
        if message.sent_at < self.last_gone.get(place, -GRACE) + GRACE and not consumer.startswith("drain"):
            return
        self.counts["order judged"] += 1
        stream = (consumer, place, key[0])
        if self.newest.get(stream, -1) > key[1]:
            self.violate("C5", "%s %d: delivered at %s to %s after number %d"
                         % (*key, place, consumer, self.newest[stream]))
        self.newest[stream] = max(self.newest.get(stream, -1), key[1])

    def _on_A(self, _time, ack, place, publisher, number, transaction):
        key = (publisher, int(number))
        message = self.messages.get(key)
        if message is None:
            return
        if transaction != "-":
            self.transactions[transaction].acks.append((key, place))
            message.copies.setdefault(place, Copy()).in_transactions.append(transaction)
            return
        if place.startswith("/queue/DLQ."):
            return
        message.copies.setdefault(place, Copy()).is_settled = True
        self.acks.setdefault(ack, []).append((key, place))

    def _on_F(self, _time, ack):
        self.counts["acks"] += 1
        for key, place in self.acks.pop(ack, ()):
            self._ack_done(key, place)

    def _ack_done(self, key, place):
        message = self.messages.get(key)
        if message is not None and place in message.copies:
            message.copies[place].ack_done = True
            message.copies[place].is_settled = True

    def _on_L(self, _time, consumer):
        self.leaving.add(consumer)

    def _on_G(self, time, place):
        self.last_gone[place] = time

    def _on_U(self, _time, place, topic):
        self.durable_topics[place] = topic
        self.counts["durable subscriptions"] += 1

    def _on_W(self, _time, *words):
        self.violate("C4", " ".join(words))

    def _on_E(self, _time, _connection, token):
        self.counts["ERROR " + token] += 1

    # --- Judgement.

    def drained(self):
        """Everything was emptied: what is not settled now is lost. Forgets what it has judged."""
        visible = {name: self._is_visible(t) for name, t in self.transactions.items()}
        for key, message in self.messages.items():
            self._judge_message(key, message, visible)
        for name, transaction in self.transactions.items():
            self._judge_transaction(name, transaction, visible[name])
        self._forget()

    def _is_visible(self, transaction):
        """With early delivery only what is seen after a restart tells; else the transaction is left alone."""
        messages = [self.messages[key] for key in transaction.sends]
        if not any(self._is_delivered(message) for message in messages):
            return False
        if self.is_early and transaction.state == "committing":
            if not any(copy.last_seen > self.restarted_at for m in messages for copy in m.copies.values()):
                self.counts["transactions seen early only"] += 1
                transaction.state = "unknown"
        return True

    @staticmethod
    def _is_delivered(message):
        return message.is_dead or any(copy.seen for copy in message.copies.values())

    def _judge_message(self, key, message, visible):
        delivered = self._is_delivered(message)
        transaction = self.transactions.get(message.transaction)
        state = message.state
        if transaction is not None and state == "sent":
            if transaction.state == "unknown":
                state = "indeterminate"
            elif transaction.state in ("open", "aborted"):
                state = "aborted"
            elif visible[message.transaction]:
                state = "visible"
        if state in ("refused", "aborted") and delivered and not message.is_repeated:
            self.violate("C3", "%s %d: %s, but delivered" % (*key, state))
        if state == "sent":
            self.counts["indeterminate"] += 1
            self.counts["indeterminate delivered"] += delivered
        if state not in ("confirmed", "visible") or message.is_dead:
            return
        for place in message.places:
            if not self._is_settled(message.copies.get(place), visible):
                self._judge_missing(key, message, place, state)

    def _is_settled(self, copy, visible):
        if copy is None or copy.seen == 0:
            return False
        if copy.is_settled:
            return True
        return any(self.transactions[name].state == "confirmed" or visible.get(name)
                   for name in copy.in_transactions)

    def _judge_missing(self, key, message, place, state):
        if message.is_memory:
            self.counts["memory lost"] += 1
            return
        self.counts["lost"] += 1
        copy = message.copies.get(place)
        how = "never delivered" if copy is None or copy.seen == 0 else "delivered, not settled, and gone"
        if state == "visible":
            self.violate("C8", "%s %d: part of a transaction of which others were delivered; at %s %s"
                         % (*key, place, how))
        else:
            self.violate("C2", "%s %d: confirmed, at %s %s" % (*key, place, how))

    def _judge_transaction(self, name, transaction, visible):
        """An ACK inside a transaction whose messages were delivered must have taken effect with it."""
        if transaction.state != "committing":
            return
        self.counts["indeterminate transactions"] += 1
        if not visible:
            return
        self.counts["indeterminate transactions visible"] += 1
        for key, place in transaction.acks:
            message = self.messages.get(key)
            copy = message.copies.get(place) if message is not None else None
            if copy is not None and copy.last_seen > transaction.committed_at:
                self.violate("C8", "%s %d: redelivered at %s although transaction %s, which held its ACK, took effect"
                             % (*key, place, name))

    def shown(self, most):
        """The violations, some of them if there are many."""
        lines = self.violations[:most]
        if self.counts["violations"] > len(lines):
            lines.append("... %d in all" % self.counts["violations"])
        return lines
