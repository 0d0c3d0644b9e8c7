"""Traffic of each network device, over rtnetlink(7) or from /proc/net/dev and /sys/class/net.

Both have the same numbers of the kernel's `struct rtnl_link_stats64`; /proc/net/dev adds some of them up and lacks
one, which then comes from /sys. rtnetlink costs less (see `links`); where it is refused, as in a sandbox, or older
than Linux 4.7, /proc/net/dev takes its place. Format: Documentation/networking/statistics.rst of the kernel, proc(5).
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from exporters.collector import Family, Labels, Malformed, Metric, counter, required
from exporters.host import Host
from exporters.node import interfaces, sysfs
from exporters.node.addresses import Addresses
from exporters.node.links import Counters, Links
from exporters.node.numbers import natural
from exporters.options import NameFilter, Pattern, option

RECEIVE = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
TRANSMIT = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")

USUAL = (*(f"receive_{name}" for name in RECEIVE), *(f"transmit_{name}" for name in TRANSMIT), "receive_nohandler")
"""What both readers publish, in the order of /proc/net/dev, and what that file lacks."""

DETAILED = (
    *("receive_packets", "transmit_packets", "receive_bytes", "transmit_bytes"),
    *("receive_errors", "transmit_errors", "receive_dropped", "transmit_dropped", "multicast", "collisions"),
    *("receive_length_errors", "receive_over_errors", "receive_crc_errors", "receive_frame_errors"),
    *("receive_fifo_errors", "receive_missed_errors", "transmit_aborted_errors", "transmit_carrier_errors"),
    *("transmit_fifo_errors", "transmit_heartbeat_errors", "transmit_window_errors"),
    *("receive_compressed", "transmit_compressed", "receive_nohandler"),
)
"""What rtnetlink tells, each number by itself, in the order of `links.COUNTERS`."""

_RENAMED = {"errs": "errors", "drop": "dropped"}
DETAILED_FILE = tuple(
    f"{direction}_{_RENAMED.get(name, name)}" for direction, _, name in (usual.partition("_") for usual in USUAL)
)
"""Of /proc/net/dev, whose numbers can't be told apart, node_exporter only spells two of the names out."""

HEADER_LINES = 2


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices are published, and how."""

    device_include: Pattern | None = option(None, interfaces.INCLUDE_HELP)
    device_exclude: Pattern | None = option(interfaces.CONTAINERS, interfaces.EXCLUDE_HELP)
    netlink: bool = option(True, "Ask over rtnetlink where that works, not in /proc/net/dev.")
    address_info: bool = option(False, "Publish the addresses of each device.")
    enable_detailed_metrics: bool = option(False, "Publish each kind of error by itself, under other names.")
    label_ifalias: bool = option(False, "Add the alias of a device as label ifalias.")

    def __post_init__(self) -> None:
        _ = self.devices

    @property
    def devices(self) -> NameFilter:
        """The filter of devices. Raises ValueError."""
        return interfaces.devices(self.device_include, self.device_exclude)


class Table(NamedTuple):
    """A column for each name, and a row for each device. A number that could not be read is None."""

    columns: tuple[str, ...]
    rows: Mapping[str, Sequence[int | None]]


class Reader(Protocol):
    """Where the numbers come from."""

    def table(self) -> Table:
        """The devices to publish. Raises OSError where it can't be used, NoData, Malformed."""
        ...


class NetDev:
    """Publishes devices as the options say."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        chosen = options if options is not None else Options()
        keeps = functools.lru_cache(maxsize=4096)(chosen.devices.keeps)
        self._readers: list[Reader] = [FileReader(host, keeps, detailed=chosen.enable_detailed_metrics)]
        if chosen.netlink:
            self._readers.insert(0, NetlinkReader(host, keeps, detailed=chosen.enable_detailed_metrics))
        self._addresses = Addresses(host, keeps) if chosen.address_info else None
        self._aliases = Aliases(host) if chosen.label_ifalias else None

    def collect(self, now: float) -> Iterator[Family]:
        columns, rows = self._table()
        labels = [(device,) for device in rows] if self._aliases is None else self._aliases.beside(rows)
        for name, numbers in zip(columns, zip(*rows.values(), strict=True), strict=False):  # without rows no columns
            samples = [(of, value) for of, value in zip(labels, numbers, strict=True) if value is not None]
            yield metric(name, aliases=self._aliases is not None).family(samples)
        if self._addresses is not None:
            yield from self._addresses.collect()

    def _table(self) -> Table:
        *preferred, last = self._readers
        for reader in preferred:
            try:
                return reader.table()
            except OSError:
                continue  # asked again at the next scrape: a refusal is cheap, and a time-out passes
        return last.table()


@functools.cache
def metric(name: str, *, aliases: bool) -> Metric:
    """The metric of a column; few and fixed, so they are kept for good."""
    labels = ("device", "ifalias") if aliases else ("device",)
    return counter(f"node_network_{name}_total", f"Network device statistic {name}.", *labels)


class NetlinkReader:
    """Reads the counters over rtnetlink."""

    def __init__(self, host: Host, keeps: Callable[[str], bool], *, detailed: bool) -> None:
        self._links = Links(host)
        self._keeps = keeps
        self._detailed = detailed

    def table(self) -> Table:
        counters = self._links.counters()
        names = self._links.names(counters)
        rows: dict[str, Sequence[int | None]] = {}
        for index, values in counters.items():
            name = names.get(index)
            if name is not None and self._keeps(name):
                rows[name] = values if self._detailed else usual(values)
        return Table(DETAILED if self._detailed else USUAL, rows)


def usual(counters: Counters) -> Counters:
    """The numbers of USUAL: what the kernel's dev_seq_printf_stats adds up for /proc/net/dev."""
    rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped, *more = counters
    multicast, collisions, rx_length, rx_over, rx_crc, rx_frame, rx_fifo, rx_missed, *more = more
    tx_aborted, tx_carrier, tx_fifo, tx_heartbeat, tx_window, rx_compressed, tx_compressed, rx_nohandler = more
    rx_frames, tx_carriers = rx_length + rx_over + rx_crc + rx_frame, tx_aborted + tx_carrier + tx_window + tx_heartbeat
    return (
        *(rx_bytes, rx_packets, rx_errors, rx_dropped + rx_missed, rx_fifo, rx_frames, rx_compressed, multicast),
        *(tx_bytes, tx_packets, tx_errors, tx_dropped, tx_fifo, collisions, tx_carriers, tx_compressed),
        rx_nohandler,
    )


class FileReader:
    """Reads /proc/net/dev, and of each device the number of packets without a handler."""

    def __init__(self, host: Host, keeps: Callable[[str], bool], *, detailed: bool) -> None:
        self._file = host.proc.keep("net/dev")
        self._keeps = keeps
        self._columns = DETAILED_FILE if detailed else USUAL
        self._known = sysfs.Known(lambda device: sysfs.Attributes(host.sys, f"class/net/{device}/statistics"))

    def table(self) -> Table:
        lines = required(self._file.read()).splitlines()
        if len(lines) < HEADER_LINES:
            raise Malformed(self._file.path, 1, "two lines of headings")
        found: dict[str, list[int]] = {}
        for number, line in enumerate(lines[HEADER_LINES:], HEADER_LINES + 1):
            name, _, rest = line.rpartition(":")  # a device name may hold a colon, a number may not
            device = name.strip()
            if self._keeps(device):
                found[device] = self._numbers(number, line, device, rest)
        known = self._known.of(found)
        rows = {name: (*numbers, known[name].count("rx_nohandler")) for name, numbers in found.items()}
        return Table(self._columns, rows)

    def _numbers(self, number: int, line: str, device: str, rest: str) -> list[int]:
        columns = len(USUAL) - 1
        try:
            values = [natural(word) for word in rest.split()[:columns]]
        except ValueError as error:
            raise Malformed(self._file.path, number, "numbers after the device's name", line) from error
        if len(values) < columns or not device:
            raise Malformed(self._file.path, number, f"a device and {columns} numbers", line)
        return values


class Aliases:
    """The aliases that operators give to devices, `ip link set … alias`; from /sys/class/net."""

    def __init__(self, host: Host) -> None:
        self._known = sysfs.Known(lambda device: sysfs.Attributes(host.sys, f"class/net/{device}"))

    def beside(self, devices: Iterable[str]) -> list[Labels]:
        """Labels for each device; one without an alias has the empty one."""
        return [(device, known.text("ifalias") or "") for device, known in self._known.of(devices).items()]
