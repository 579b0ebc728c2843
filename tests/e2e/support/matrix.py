"""Many faulty conversations at once, and what the specification allows each of them to end in.

`Crowd` plays cases of `faults` with at most `window` connections at a time. Every case carries a witness behind its fault:
a SEND that must reach a watcher exactly if the connection was still alive. What breaks the rules is a line of `complaints`.
"""
import selectors
import time

from .broker import wait_time
from .case import CODE_OF, broker_peer
from .faults import ACK_ID, ANY, ENDS, HELD, LIVES, LOGINS, RECEIPT, SILENT
from .peers import BINARY, BadOctets, send_to, stomp, ws_close, ws_frame

WITNESS = "/topic/matrix.witness"
PROBE = stomp("UNSUBSCRIBE", "id:none", "destination:/topic/none", "receipt:probe")
ANSWER_MAX = 1.0  # Seconds from the fault to the end of the connection, where no timer is part of the case.
MEANING = {"missing-header", "bad-header", "bad-destination", "bad-selector", "unsupported", "access-denied"}
ENDINGS = {"after_error": ("ERROR", "bad-frame"), "closing": ("RECEIPT", None), "denied": ("ERROR", "auth-failed")}
VERSIONS_OF = {"connected_1_0": "1.0", "connected_1_1": "1.1"}
STATES = ("accepted", "connected", "connected_1_0", "connected_1_1", "transaction", "subscribed", "after_error", "closing")


class Case:
    """`octets` in a state, and the set of outcomes that are allowed."""

    def __init__(self, name, transport, state, octets, allowed, raw=False):
        self.name, self.transport, self.state, self.octets = name, transport, state, octets
        self.allowed = frozenset(allowed)
        self.raw = raw  # Octets of the socket, not of STOMP.
        self.is_held = "frame-timeout" in self.allowed
        self.asks_receipt = RECEIPT.encode() + b"\n" in octets.replace(b"\r", b"")

    def __str__(self):
        return "%s on %s, %s" % (self.name, self.transport, self.state)


def sound(state, command):
    """What becomes of a sound frame of that command in that state: LIVES, ENDS, SILENT or a token."""
    if state == "accepted":
        return LIVES if command in LOGINS else "bad-state"
    if state in ENDINGS:
        return SILENT
    if command in LOGINS:
        return "bad-state"
    if command == "NACK" and state == "connected_1_0":
        return "bad-frame"
    if command in ("ACK", "NACK") and state != "subscribed":
        return "bad-state"
    if command == "BEGIN" and state == "transaction":
        return "bad-state"
    if command in ("COMMIT", "ABORT") and state != "transaction":
        return "bad-state"
    return ENDS if command == "DISCONNECT" else LIVES


def expected(state, command, verdict, is_grammar):
    """The outcomes that the specification allows for a fault with that verdict."""
    fate = sound(state, command)
    if fate == SILENT:
        return {SILENT}
    verdicts = {verdict} if isinstance(verdict, str) else set(verdict)
    if HELD in verdicts:
        # A command that is not allowed may be refused before it is complete.
        return {"frame-timeout"} | ({fate} if fate not in (LIVES, ENDS) else set())
    if LIVES in verdicts:
        verdicts = (verdicts - {LIVES}) | {fate}
    if fate not in (LIVES, ENDS) and (not is_grammar or is_early(state, command)):
        verdicts = verdicts | {fate}  # Both the command and the frame are wrong: either may be said.
    if state == "accepted" and ("header-too-large" in verdicts or "frame-too-large" in verdicts):
        verdicts |= {"frame-too-large", "close-1009"}
    return verdicts


def is_early(state, command):
    """Whether the command alone is what the state does not allow."""
    return state == "accepted" or command in LOGINS or (state == "connected_1_0" and command == "NACK")


class Setting:
    """What a case needs before its fault: the frames, and the RECEIPT or CONNECTED that says that they are done."""

    def __init__(self, state, index, login=()):
        version = VERSIONS_OF.get(state, "1.2")
        ready = stomp("UNSUBSCRIBE", "id:none", "destination:/topic/none", "receipt:ready")
        connect = stomp("CONNECT", "accept-version:" + version, "host:h", *login)
        queue = "/queue/matrix.%d" % index
        self.first = b"" if state in ("accepted", "denied", "pending") else connect + ready
        self.behind = b""  # Sent with the fault, before it.
        self.needs_delivery = state == "subscribed"
        if state == "transaction":
            self.first = connect + stomp("BEGIN", "transaction:t") + ready
        elif state == "subscribed":
            self.first = (connect + stomp("SUBSCRIBE", "id:q", "ack:client-individual", "destination:" + queue) +
                          stomp("SUBSCRIBE", "id:h", "destination:/topic/matrix.other") + send_to(queue, b"x") + ready)
        elif state == "after_error":
            self.behind = stomp("BOGUS")
        elif state == "closing":
            self.behind = stomp("DISCONNECT", "receipt:bye")
        elif state in ("denied", "pending"):
            self.behind = connect


class Play:
    """One case on its connection."""

    def __init__(self, case, index, open_peer, login):
        self.case, self.index = case, index
        self.setting = Setting(case.state, index, login)
        self.peer = open_peer(case, index)
        self.frames = []
        self.ack = None
        self.is_ready = False
        self.began = time.monotonic()
        self.is_over = False
        self.trouble = None
        if self.setting.first:
            self.peer.send(self.setting.first)
        else:
            self.fault()

    def fault(self):
        self.is_ready = True
        self.began = time.monotonic()
        octets = self.case.octets.replace(ACK_ID.encode(), (self.ack or "1-1").encode())
        if self.case.raw:
            self.peer.sent_close = "close-1000" in self.case.allowed
            self.peer.raw(octets)
            return
        if not self.case.is_held:
            octets += send_to(WITNESS, b"%d" % self.index) + PROBE
        if self.peer.transport == "ws":  # What comes before CONNECTED is a message of its own, since these are limited.
            behind = ws_frame(BINARY, self.setting.behind) if self.setting.behind else b""
            self.peer.raw(behind + ws_frame(BINARY, octets))
        else:
            self.peer.raw(self.setting.behind + octets)

    def advance(self):
        """Takes what has come."""
        try:
            self.peer.receive_now()
            frame = self.peer.take_frame()
            while frame is not None:
                self.take(frame)
                frame = self.peer.take_frame()
        except (BadOctets, ValueError) as error:
            self.trouble = str(error)
        self.is_over |= self.peer.ended or self.trouble is not None

    def take(self, frame):
        if not self.is_ready:
            if frame.command == "MESSAGE":
                self.ack = frame["ack"]
            if frame.command == "ERROR":
                self.trouble = "refused before its fault: %s" % frame
            ready = frame.command == "RECEIPT" and frame["receipt-id"] == "ready"
            self.frames += [frame] if ready else []
            if self.frames and (self.ack or not self.setting.needs_delivery):
                self.frames = []
                self.fault()
        elif frame.command != "MESSAGE":
            self.frames.append(frame)
            receipt = frame.get("receipt-id") if frame.command == "RECEIPT" else None
            self.is_over |= receipt == "probe"
            if receipt is not None and (receipt == "bye" or ENDS in self.case.allowed):
                self.say_goodbye()

    def say_goodbye(self):
        if self.peer.transport == "ws":
            self.peer.sent_close = True
            self.peer.raw(ws_close(1000))
        else:
            self.peer.half_close()

    # --- What it was.

    def outcome(self):
        """(what happened, a complaint about its form or None)."""
        names = [frame.command for frame in self.frames]
        receipts = [frame["receipt-id"] for frame in self.frames if frame.command == "RECEIPT"]
        if self.trouble:
            return "trouble", self.trouble
        if self.case.state in ENDINGS:
            return self._only(*ENDINGS[self.case.state])
        if self.case.state == "pending" and names[:1] != ["CONNECTED"]:
            return "not connected", "%s" % self.frames
        if "ERROR" in names:
            return self._refusal(names)
        if "probe" in receipts:
            return LIVES, "no RECEIPT f" if self.case.asks_receipt and receipts[:1] != ["f"] else None
        if not self.peer.ended:
            return "still open", None
        if len(receipts) == 1 and not self.case.raw:
            return ENDS, None
        if self.peer.transport == "tcp":
            return "closed", None
        return "close-%s" % self.peer.close_code, "a reset overtook the close frame" if self.peer.was_reset else None

    def _only(self, command, token):
        """The end that the state had in store, and not an octet for what came behind."""
        got = [(frame.command, frame.get("message")) for frame in self.frames]
        is_right = got == [(command, token)] and self.peer.ended
        return (SILENT if is_right else "not only its own end"), None if is_right else "%s" % self.frames

    def _refusal(self, names):
        error = self.frames[-1]
        token = self.frames[names.index("ERROR")]["message"]
        complaint = None
        lines = error.body.decode("utf-8").splitlines()
        if names.count("ERROR") != 1 or error.command != "ERROR":
            complaint = "something after the ERROR: %s" % names
        elif not self.peer.ended:
            complaint = "the connection still stands after ERROR %s" % token
        elif self.peer.was_reset:
            complaint = "a reset overtook the ERROR"
        elif len(lines) < 2 or not all(lines) or error.get("content-type") != "text/plain":
            complaint = "no text of two lines: %s" % error
        elif self._has_wrong_receipt(error):
            complaint = "not the frame's receipt-id: %s" % error
        elif self.peer.transport == "ws" and (self.peer.close_code, self.peer.close_reason.split(" ")[0]) != (
                CODE_OF[token], token):
            complaint = "close %s %s for %s" % (self.peer.close_code, self.peer.close_reason, token)
        return token, complaint

    def _has_wrong_receipt(self, error):
        """P-ERR-03: that of the frame, and certainly if the frame itself was sound."""
        receipt = error.get("receipt-id")
        if receipt is None:
            return self.case.asks_receipt and self.case.state != "accepted" and error["message"] in MEANING
        return ("receipt:" + receipt).encode() not in self.case.octets


class Crowd:
    """Plays cases against a broker. `complaints` are lines; `slowest` is the longest time to an end without a timer."""

    def __init__(self, broker, window=160, login=lambda case, index: (), open_peer=None, late=8):
        self.broker, self.window, self.login, self.late = broker, window, login, late
        self.open_peer = open_peer or (lambda case, index: broker_peer(broker, case.transport))
        self.complaints = []
        self.wrong = set()  # The indices of cases with a complaint.
        self.slowest = (0.0, None)
        self.witnesses = set()
        self.lived = set()

    def play(self, cases, watcher=None):
        cases = sorted(cases, key=lambda case: not case.is_held)
        waiting = list(enumerate(cases))[::-1]
        with selectors.DefaultSelector() as selector:
            running = set()
            while waiting or running:
                while waiting and len(running) < self.window:
                    index, case = waiting.pop()
                    play = Play(case, index, self.open_peer, self.login(case, index))
                    selector.register(play.peer.sock, selectors.EVENT_READ, play)
                    running.add(play)
                for key, _ in selector.select(0.05):
                    key.data.advance()
                for play in [p for p in running if p.is_over or self._is_late(p)]:
                    selector.unregister(play.peer.sock)
                    running.remove(play)
                    self._judge(play)
                    play.peer.close()
                if watcher is not None:
                    self._watch(watcher)
        if watcher is not None:
            self._compare(cases, watcher)
        return self

    def _is_late(self, play):
        return time.monotonic() - play.began > wait_time(self.late)

    def _complain(self, index, text):
        self.wrong.add(index)
        self.complaints.append(text)

    def _judge(self, play):
        case, seconds = play.case, time.monotonic() - play.began
        what, complaint = play.outcome()
        if what == LIVES:
            self.lived.add(play.index)
        if not case.is_held and case.state != "closing":
            self.slowest = max(self.slowest, (seconds, str(case)))
            if seconds > wait_time(ANSWER_MAX):
                complaint = complaint or "took %.2f s" % seconds
        if what not in case.allowed and not (ANY in case.allowed and what != "still open" and what != "trouble"):
            self._complain(play.index, "%s: %s instead of %s (%s)" % (case, what, sorted(case.allowed), complaint or play.frames))
        elif complaint:
            self._complain(play.index, "%s: %s: %s" % (case, what, complaint))

    # --- Nothing behind a refusal has an effect.

    def _watch(self, watcher):
        watcher.receive_now()
        frame = watcher.take_frame()
        while frame is not None:
            self.witnesses.add(int(frame.body))
            frame = watcher.take_frame()

    def _compare(self, cases, watcher):
        for message in watcher.ask("UNSUBSCRIBE", "id:none", receipt="all"):
            self.witnesses.add(int(message.body))
        for index in sorted(self.witnesses ^ self.lived):
            where = "has an effect" if index in self.witnesses else "has no effect"
            self._complain(index, "%s: what came behind its fault %s" % (cases[index], where))
