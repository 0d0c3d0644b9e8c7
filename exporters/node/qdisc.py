"""Queueing disciplines at the root of network devices, over rtnetlink(7): what they sent, dropped, and hold back.

Only roots count: the classes below them add up to them. Format: RTM_GETQDISC of linux/rtnetlink.h,
linux/gen_stats.h, tc(8).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from exporters.collector import Family, Labels, NoData, counter, gauge
from exporters.host import Host
from exporters.readers.interfaces import DeviceOptions
from exporters.readers.links import NETLINK_ROUTE, Links
from exporters.readers.rtattr import attributes, text

LABELS = ("device", "kind")
METRICS = (
    counter("node_qdisc_bytes_total", "Bytes sent.", *LABELS),
    counter("node_qdisc_packets_total", "Packets sent.", *LABELS),
    gauge("node_qdisc_current_queue_length", "Packets that wait to be sent.", *LABELS),
    gauge("node_qdisc_backlog", "Bytes that wait to be sent.", *LABELS),
    counter("node_qdisc_drops_total", "Packets dropped.", *LABELS),
    counter("node_qdisc_requeues_total", "Packets taken back into the queue, as the device could not send.", *LABELS),
    counter("node_qdisc_overlimits_total", "Packets that came beyond the limit.", *LABELS),
)
"""In the order of the kernel's `gnet_stats_basic` and `gnet_stats_queue`."""

_RTM_GETQDISC = 38
_TCMSG = Struct("=B3xiIII")  # family, index, handle, parent, information
_TC_H_ROOT, _TC_H_UNSPEC = 0xFFFFFFFF, 0
_TCA_KIND, _TCA_STATS2 = 1, 7
_TCA_STATS_BASIC, _TCA_STATS_QUEUE = 1, 3
_BASIC = Struct("=QI")
_QUEUE = Struct("=IIIII")


@dataclass(frozen=True, slots=True)
class Options(DeviceOptions):
    """Which devices are published."""


class Qdisc:
    """Publishes the root of each device."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._netlink = host.calls.netlink
        self._links = Links(host, (options if options is not None else Options()).devices.keeps)

    def collect(self, now: float) -> Iterator[Family]:
        try:
            roots = list(_roots(self._netlink(NETLINK_ROUTE, _RTM_GETQDISC, _TCMSG.pack(0, 0, 0, 0, 0))))
            names = self._links.names({index for index, _, _ in roots})
        except OSError as error:
            raise NoData(f"rtnetlink(7): {error.strerror or error}") from error
        rows: dict[Labels, tuple[int, ...]] = {}
        for index, kind, values in roots:
            if index in names:
                rows[names[index], kind] = values
        for column, metric in enumerate(METRICS):
            yield metric.family([(labels, values[column]) for labels, values in rows.items()])


def _roots(messages: list[bytes]) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """A device's index, the discipline's kind, and its numbers in the order of METRICS."""
    for message in messages:
        if len(message) < _TCMSG.size:
            continue
        _, index, _, parent, _ = _TCMSG.unpack_from(message)
        if parent in (_TC_H_ROOT, _TC_H_UNSPEC):
            found = attributes(message, _TCMSG.size)
            stats = attributes(found.get(_TCA_STATS2, b""), 0)
            yield (
                index,
                text(found.get(_TCA_KIND, b"")),
                (
                    *_numbers(_BASIC, stats.get(_TCA_STATS_BASIC, b"")),
                    *_numbers(_QUEUE, stats.get(_TCA_STATS_QUEUE, b"")),
                ),
            )


def _numbers(layout: Struct, value: bytes) -> tuple[int, ...]:
    """The numbers at the start of an attribute; zeros for what is not there, as of a discipline that counts nothing."""
    return layout.unpack(value[: layout.size].ljust(layout.size, b"\0"))
