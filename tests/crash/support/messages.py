"""What a message looks like: it names its publisher and number and proves that it is whole."""
import random
import zlib

NOISE = random.Random(20).randbytes(1 << 18)
MARKER = "drain"  # The publisher of markers, which no history holds.


def body_size(rng):
    """Mostly small, sometimes some KiB, now and then beyond what the store keeps in line."""
    kind = rng.random()
    if kind < 0.90:
        return rng.randrange(0, 300)
    return rng.randrange(300, 8000) if kind < 0.99 else rng.randrange(8000, 120000)


def make(publisher, number, size):
    """(headers, body)."""
    begin = (number * 7919) % (len(NOISE) - 120000)
    filler = NOISE[begin:begin + size]
    name = "%s %d" % (publisher, number)
    body = b"%s %08x " % (name.encode(), zlib.crc32(filler, zlib.crc32(name.encode()))) + filler
    return [("m", name), ("odd", odd_header(publisher, number))], body


def odd_header(publisher, number):
    return "a:b\\c\n%s/%d" % (publisher, number)


def read(headers, body):
    """(publisher, number, what is wrong or None)."""
    publisher, _, number = headers.get("m", "- -1").partition(" ")
    number = int(number)
    if publisher == MARKER:
        return publisher, number, None
    parts = body.split(b" ", 3)
    if len(parts) != 4 or parts[0].decode("latin-1") != publisher or parts[1] != b"%d" % number:
        return publisher, number, "the body of another message"
    if int(parts[2], 16) != zlib.crc32(parts[3], zlib.crc32(parts[0] + b" " + parts[1])):
        return publisher, number, "a body whose CRC is wrong"
    if headers.get("odd") != odd_header(publisher, number):
        return publisher, number, "headers that are not as sent"
    return publisher, number, None
