"""TCP sockets by state and the bytes that wait in them, over sock_diag(7).

The kernel tells of each socket by itself: with a hundred thousand of them a scrape costs a tenth of a second and ten
megabytes, so this is off unless asked for; `sockstat` has the totals for next to nothing. Of a listening socket the
bytes are connections that wait to be accepted, and how many may. Format: linux/inet_diag.h.
"""

from collections import Counter
from collections.abc import Iterator
from struct import Struct

from exporters.collector import Family, NoData, gauge
from exporters.host import Host, Unreadable

STATES = gauge("node_tcp_connection_states", "TCP sockets in each state, and the bytes in their queues.", "state")

NAMES = {
    1: "established",
    2: "syn_sent",
    3: "syn_recv",
    4: "fin_wait1",
    5: "fin_wait2",
    6: "time_wait",
    7: "close",
    8: "close_wait",
    9: "last_ack",
    10: "listen",
    11: "closing",
}
"""The states of linux/tcp_states.h in node_exporter's words."""

RECEIVING, SENDING = "rx_queued_bytes", "tx_queued_bytes"

NETLINK_SOCK_DIAG = 4
AF_INET, AF_INET6 = 2, 10

_SOCK_DIAG_BY_FAMILY = 20
_IPPROTO_TCP = 6
_ALL_STATES = 0xFFF
_REQUEST = Struct("=BBBxI48x")  # family, protocol, attributes, states, a socket's id
_DIAG = Struct("=xB54xII8x")  # state, bytes received and not read, bytes sent and not acknowledged


class TcpStat:
    """Asks for the sockets of IPv4, and of IPv6 where the kernel has it."""

    def __init__(self, host: Host) -> None:
        self._netlink = host.calls.netlink
        self._proc = host.proc

    def collect(self, now: float) -> Iterator[Family]:
        found: Counter[str] = Counter()
        families = [AF_INET] if isinstance(self._proc.status("net/tcp6"), Unreadable) else [AF_INET, AF_INET6]
        for family in families:
            try:
                count(self._sockets(family), found)
            except OSError as error:
                raise NoData(f"sock_diag(7): {error.strerror or error}") from error
        yield STATES.family([((state,), number) for state, number in found.items()])

    def _sockets(self, family: int) -> list[bytes]:
        request = _REQUEST.pack(family, _IPPROTO_TCP, 0, _ALL_STATES)
        return self._netlink(NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, request)


def count(messages: list[bytes], into: Counter[str]) -> None:
    """Add the sockets of a dump, each an `inet_diag_msg`, to the numbers by state, and their bytes."""
    receiving = sending = 0
    states: Counter[int] = Counter()
    for message in messages:
        if len(message) >= _DIAG.size:
            state, received, sent = _DIAG.unpack_from(message)
            states[state] += 1
            receiving += received
            sending += sent
    if states:
        into.update({RECEIVING: receiving, SENDING: sending})
    for state, number in states.items():
        into[NAMES.get(state, "unknown")] += number
