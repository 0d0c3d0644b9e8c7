"""Attributes of netlink messages: bytes in, bytes out. The sockets are elsewhere.

Each is a length of two bytes, a type of two and the value, padded to four. Format: rtnetlink(3), netlink(7).
"""

from struct import Struct

HEADER = Struct("=HH")

_TYPE = 0x3FFF  # the two bits above say that a value is nested, or in network byte order


def attributes(message: bytes, start: int) -> dict[int, bytes]:
    """The attributes of a message by type, from byte `start`, where its fixed part ends.

    What is cut off is left out; of a type that comes again the last one counts.
    """
    found: dict[int, bytes] = {}
    at, end = start, len(message)
    while at + HEADER.size <= end:
        length, kind = HEADER.unpack_from(message, at)
        if length < HEADER.size or at + length > end:
            break
        found[kind & _TYPE] = message[at + HEADER.size : at + length]
        at += (length + 3) & ~3
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return (HEADER.pack(HEADER.size + len(value), kind) + value).ljust(HEADER.size + len(value) + 3 & ~3, b"\0")


def text(value: bytes) -> str:
    """A text that ends at its first NUL. Bytes that are no UTF-8 stay apart from each other, as in a file's name."""
    return value.partition(b"\0")[0].decode(errors="surrogateescape")
