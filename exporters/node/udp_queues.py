"""Bytes that wait in the queues of all UDP sockets, from /proc/net/udp and /proc/net/udp6.

A line a socket; the queues are its fifth column, `tx_queue:rx_queue` in hexadecimal. Format: proc_net(5).
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, NoData, Sample, gauge
from exporters.host import Host, KeptFile, Reason, Unreadable

QUEUES = gauge("node_udp_queues", "Bytes that wait in the queues of UDP sockets.", "queue", "ip")

SOCKET = re.compile(
    rb"^ *\d+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ ([0-9A-F]{8}):([0-9A-F]{8}) .*", re.MULTILINE
)

ALWAYS_ROOM = 3500
"""Bytes; the kernel hands out at least 4096 at a time if it has them, a line is up to 200 long."""


class UdpQueues:
    """A machine may lack IPv4 or IPv6; without both there is nothing to publish."""

    def __init__(self, host: Host) -> None:
        self._files = {"v4": host.proc.keep("net/udp"), "v6": host.proc.keep("net/udp6")}

    def collect(self, now: float) -> Iterator[Family]:
        samples: list[Sample] = []
        for version, file in self._files.items():
            content = _read(file)
            if not isinstance(content, Unreadable):
                waiting_to_go, waiting_to_be_read = queued(content, file)
                samples += [(("tx", version), waiting_to_go), (("rx", version), waiting_to_be_read)]
            elif content.reason is not Reason.ABSENT:
                raise NoData(str(content))
        if not samples:
            raise NoData(f"{self._files['v4'].path}: {Reason.ABSENT}")
        yield QUEUES.family(samples)


def _read(file: KeptFile) -> bytes | Unreadable:
    """The whole file. To say that it has ended, the kernel goes through its table of sockets once more, which costs as
    much as to read it: so a part that would have had room for another line is taken for all.
    """
    content = file.read_record()
    return content if isinstance(content, Unreadable) or len(content) < ALWAYS_ROOM else file.read()


def queued(content: bytes, file: KeptFile) -> tuple[int, int]:
    """The bytes that wait to be sent and to be read, of all sockets together. Raises Malformed."""
    sockets = SOCKET.findall(content)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    if not content or len(sockets) != lines - 1:
        _complain(content, file.path)
    return sum(int(tx, 16) for tx, _ in sockets), sum(int(rx, 16) for _, rx in sockets)


def _complain(content: bytes, path: str) -> None:
    """Name the first line that is no socket's; the headings are one as well."""
    for number, line in enumerate(content.splitlines()[1:], 2):
        if not SOCKET.match(line):
            raise Malformed(path, number, "a socket with its queues `tx:rx`", line.decode(errors="replace"))
    raise Malformed(path, 1, "a line of headings, then one for each socket")
