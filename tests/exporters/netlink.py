"""A kernel that answers netlink dumps from a script, and its messages, made as linux/if_link.h and others say."""

import struct
from collections.abc import Mapping, Sequence

from exporters.readers.links import COUNTERS
from exporters.readers.rtattr import attribute

ROUTE, SOCK_DIAG = 0, 4
GETLINK, GETADDR, GETNEIGH, GETQDISC, GETSTATS = (ROUTE, 18), (ROUTE, 22), (ROUTE, 30), (ROUTE, 38), (ROUTE, 94)
SOCKETS = (SOCK_DIAG, 20)

Answer = Sequence[bytes] | OSError


class Kernel:
    """Answers by protocol and message type; what it was asked stands in `asked`. For `machine.answer(netlink=…)`."""

    def __init__(self, answers: Mapping[tuple[int, int], Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, protocol: int, kind: int, body: bytes) -> list[bytes]:
        self.asked.append((protocol, kind))
        answer = self.answers[protocol, kind]
        if isinstance(answer, OSError):
            raise answer
        return list(answer)


def link(index: int, name: str) -> bytes:
    """A device's name, with another attribute before it."""
    return struct.pack("=BxHiII", 0, 1, index, 0, 0) + attribute(13, b"\1\2\3") + attribute(3, name.encode() + b"\0")


def stats(index: int, counters: Mapping[str, int], *, aligned: bool = False) -> bytes:
    """A device's counters by the kernel's names, zero where not given; `aligned` as on a 32-bit ARM."""
    numbers = struct.pack("=25Q", *(counters.get(name, 0) for name in COUNTERS), 0)
    fill = attribute(0, b"") if aligned else b""
    return struct.pack("=BxHII", 0, 0, index, 1) + fill + attribute(1, numbers)


def address(index: int, value: bytes, bits: int, *, peer: bytes = b"") -> bytes:
    """An address; `peer` is that of the other end of a point-to-point link."""
    head = struct.pack("=BBBBI", 2 if len(value) == 4 else 10, bits, 0, 0, index)
    return head + (attribute(1, peer) + attribute(2, value) if peer else attribute(1, value))


def neighbour(index: int, state: int = 0x02) -> bytes:
    """A neighbour, reachable unless told otherwise."""
    return struct.pack("=B3xiHBB", 2, index, state, 0, 1) + attribute(1, b"\x0a\0\0\1")


def qdisc(
    index: int,
    kind: str,
    parent: int = 0xFFFFFFFF,
    basic: Sequence[int] = (1, 2),
    queue: Sequence[int] = (3, 4, 5, 6, 7),
) -> bytes:
    """A queueing discipline; `basic` are bytes and packets, `queue` length, backlog, drops, requeues and overlimits."""
    nested = attribute(1, struct.pack("=QI4x", *basic)) if basic else b""
    nested += attribute(3, struct.pack("=5I", *queue)) if queue else b""
    return (
        struct.pack("=B3xiIII", 0, index, 0x10000, parent, 1)
        + attribute(1, kind.encode() + b"\0")
        + attribute(7 | 0x8000, nested)
    )


def tcp_socket(state: int, received: int = 0, sent: int = 0) -> bytes:
    """A socket, `inet_diag_msg`, with an attribute behind."""
    return struct.pack("=4B48xIIIII", 2, state, 0, 0, 0, received, sent, 1000, 77) + attribute(8, b"\0")
