"""The history of a load: one line per event, in one order, written to the kernel before the next step is taken.

A line is `KIND MICROSECONDS FIELD...`, the time of CLOCK_MONOTONIC. It survives whatever happens to the broker,
because it lies on another file system than the broker's data.

  S p n destination tx flags  message n of publisher p is about to be sent; flags: `m` persistent:false, `r` sent again
  C p n                       its RECEIPT came (never inside a transaction)
  R p n                       refused: an ERROR named its receipt
  B tx                        COMMIT is about to be sent
  K tx                        COMMIT's RECEIPT came
  X tx                        ABORT is about to be sent, or the COMMIT was refused
  D consumer place p n marked mode   delivered; place: a queue, or the name of a durable subscription
  A ack place p n tx          an ACK that covers this delivery is about to be sent
  F ack                       the RECEIPT of that ACK came
  L consumer                  UNSUBSCRIBE is about to be sent: what still comes was under way
  G place                     a consumer of that place goes
  N place p n                 NACK is about to be sent
  U place topic               a durable subscription is confirmed
  W text                      what the broker sent is wrong in itself
  E connection token          an ERROR
  O text                      a note
"""
import os
import time


def now():
    """Microseconds of the clock that all processes of this machine share."""
    return time.monotonic_ns() // 1000


class History:
    """Events collect until flush(), which whoever writes to a socket calls first."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lines = []

    def add(self, kind, *fields):
        self._lines.append("%s %d %s\n" % (kind, now(), " ".join(map(str, fields))))

    def flush(self):
        if not self._lines:
            return
        octets = "".join(self._lines).encode()
        self._lines.clear()
        while octets:
            octets = octets[os.write(self._file, octets):]

    def close(self):
        self.flush()
        os.close(self._file)
