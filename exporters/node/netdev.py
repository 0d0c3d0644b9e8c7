"""Traffic of each network device, over rtnetlink(7) or from /proc/net/dev and /sys/class/net.

Both have the same numbers of the kernel's `struct rtnl_link_stats64`; /proc/net/dev adds some of them up and lacks
one, which then comes from /sys. rtnetlink costs less (see `links`); where it is refused, as in a sandbox, or older
than Linux 4.7, /proc/net/dev takes its place. Format: Documentation/networking/statistics.rst of the kernel, proc(5).
"""

import contextlib
import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from exporters.collector import Family, Labels, Malformed, Metric, Sample, counter, required
from exporters.host import Host
from exporters.options import option
from exporters.readers import sysfs
from exporters.readers.addresses import Addresses
from exporters.readers.interfaces import DeviceOptions
from exporters.readers.links import COUNTERS, Links
from exporters.readers.numbers import natural

USUAL: dict[str, tuple[str, ...]] = {
    "receive_bytes": ("rx_bytes",),
    "receive_packets": ("rx_packets",),
    "receive_errs": ("rx_errors",),
    "receive_drop": ("rx_dropped", "rx_missed_errors"),
    "receive_fifo": ("rx_fifo_errors",),
    "receive_frame": ("rx_frame_errors", "rx_length_errors", "rx_over_errors", "rx_crc_errors"),
    "receive_compressed": ("rx_compressed",),
    "receive_multicast": ("multicast",),
    "transmit_bytes": ("tx_bytes",),
    "transmit_packets": ("tx_packets",),
    "transmit_errs": ("tx_errors",),
    "transmit_drop": ("tx_dropped",),
    "transmit_fifo": ("tx_fifo_errors",),
    "transmit_colls": ("collisions",),
    "transmit_carrier": (
        *("tx_carrier_errors", "tx_aborted_errors"),
        *("tx_window_errors", "tx_heartbeat_errors"),
    ),
    "transmit_compressed": ("tx_compressed",),
    "receive_nohandler": ("rx_nohandler",),
}
"""What both readers publish, and the kernel's counters that each is the sum of.

The order is that of /proc/net/dev, the sums are those of the kernel's dev_seq_printf_stats; the last one is not there.
"""

_PREFIXES = {"rx": "receive", "tx": "transmit"}


def _spelt_out(counter: str) -> str:
    prefix, _, rest = counter.partition("_")
    return f"{_PREFIXES[prefix]}_{rest}" if prefix in _PREFIXES else counter


DETAILED = {_spelt_out(name): (name,) for name in COUNTERS}
"""What rtnetlink tells, each number by itself."""

FILE = tuple(USUAL)[:-1]
FILE_DETAILED = tuple(name.replace("_errs", "_errors").replace("_drop", "_dropped") for name in FILE)
"""The sums of /proc/net/dev can't be told apart: node_exporter only spells two of the names out."""

NOHANDLER = "receive_nohandler"
HEADER_LINES = 2


@dataclass(frozen=True, slots=True)
class Options(DeviceOptions):
    """Which devices are published, and how."""

    netlink: bool = option(True, "Ask over rtnetlink where that works, not in /proc/net/dev.")
    address_info: bool = option(False, "Publish the addresses of each device.")
    enable_detailed_metrics: bool = option(False, "Publish each kind of error by itself, under other names.")
    label_ifalias: bool = option(False, "Add the alias of a device as label ifalias.")


class NetDev:
    """Publishes devices as the options say."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        chosen = options if options is not None else Options()
        keeps = chosen.devices.keeps
        self._file = FileReader(host, keeps, chosen)
        self._netlink = NetlinkReader(host, keeps, chosen) if chosen.netlink else None
        self._addresses = Addresses(host, keeps) if chosen.address_info else None

    def collect(self, now: float) -> Iterator[Family]:
        yield from self._read()
        if self._addresses is not None:
            yield from self._addresses.collect()

    def _read(self) -> list[Family]:
        if self._netlink is not None:
            with contextlib.suppress(OSError):  # asked again at the next scrape: a refusal costs little
                return self._netlink.read()
        return self._file.read()


@functools.cache
def metric(name: str, aliases: bool) -> Metric:
    """The metric of a column, the same one for both readers."""
    labels = ("device", "ifalias") if aliases else ("device",)
    return counter(f"node_network_{name}_total", f"Network device statistic {name}.", *labels)


class Labeller:
    """The labels of devices; if the options say so, with the aliases that operators gave them by ip-link(8)."""

    def __init__(self, host: Host, options: Options) -> None:
        self._aliases = options.label_ifalias
        self._known = sysfs.Known(lambda device: sysfs.Attributes(host.sys, f"class/net/{device}"))

    def of(self, devices: Iterable[str]) -> list[Labels]:
        """Labels for each device; one without an alias has the empty one."""
        if not self._aliases:
            return [(device,) for device in devices]
        return [(device, known.text("ifalias") or "") for device, known in self._known.of(devices).items()]


class NetlinkReader:
    """Reads the counters over rtnetlink, and makes families anew of those that have moved: most never do."""

    def __init__(self, host: Host, keeps: Callable[[str], bool], options: Options) -> None:
        self._links = Links(host, keeps)
        self._labels = Labeller(host, options)
        sums = DETAILED if options.enable_detailed_metrics else USUAL
        self._sums = [
            (metric(name, options.label_ifalias), [COUNTERS.index(counter) for counter in counters])
            for name, counters in sums.items()
        ]
        self._devices: list[Labels] = []
        self._columns: list[tuple[int, ...]] = []
        self._families: dict[Metric, Family] = {}

    def read(self) -> list[Family]:
        """The numbers as they are now. Raises OSError where rtnetlink is refused."""
        found = self._links.counters()
        if not found:
            return []
        labels, columns = self._labels.of(found), list(zip(*found.values(), strict=True))
        before = self._columns if labels == self._devices else [()] * len(columns)
        self._devices, self._columns = labels, columns
        moved = {place for place, column in enumerate(columns) if column != before[place]}
        for metric, places in self._sums:
            if not moved.isdisjoint(places):
                self._families[metric] = Family(metric, list(zip(labels, total(columns, places), strict=True)))
        return list(self._families.values())


def total(columns: Sequence[Sequence[int]], of: Sequence[int]) -> Sequence[int]:
    """The sums of one or more columns, row by row."""
    sums = columns[of[0]]
    for other in of[1:]:
        sums = list(map(operator.add, sums, columns[other]))
    return sums


class FileReader:
    """Reads /proc/net/dev, and of each device the number of packets without a handler."""

    def __init__(self, host: Host, keeps: Callable[[str], bool], options: Options) -> None:
        self._file = host.proc.keep("net/dev")
        self._keeps = functools.lru_cache(maxsize=512)(keeps)
        self._labels = Labeller(host, options)
        self._metrics = [
            metric(name, options.label_ifalias) for name in (FILE_DETAILED if options.enable_detailed_metrics else FILE)
        ]
        self._nohandler = metric(NOHANDLER, options.label_ifalias)
        self._known = sysfs.Known(lambda device: sysfs.Attributes(host.sys, f"class/net/{device}/statistics"))

    def read(self) -> list[Family]:
        """The numbers as they are now. Raises NoData, Malformed."""
        found = self._devices(required(self._file.read()).removesuffix("\n").split("\n"))
        labels, columns = self._labels.of(found), zip(*found.values(), strict=True)
        families = [  # without a device there are no columns
            Family(metric, list(zip(labels, column, strict=True)))
            for metric, column in zip(self._metrics, columns, strict=False)
        ]
        nohandler = [statistics.count("rx_nohandler") for statistics in self._known.of(found).values()]
        known: list[Sample] = [(of, count) for of, count in zip(labels, nohandler, strict=True) if count is not None]
        return [*families, Family(self._nohandler, known)]

    def _devices(self, lines: list[str]) -> dict[str, list[int]]:
        if len(lines) < HEADER_LINES:
            raise Malformed(self._file.path, 1, "two lines of headings")
        found: dict[str, list[int]] = {}
        for number, line in enumerate(lines[HEADER_LINES:], HEADER_LINES + 1):
            # a name may hold whatever is no white space to the kernel: a colon once, and what is a line's end to Python
            name, _, rest = line.rpartition(":")
            device = name.lstrip(" ")
            if self._keeps(device):
                found[device] = self._numbers(number, line, device, rest)
        return found

    def _numbers(self, number: int, line: str, device: str, rest: str) -> list[int]:
        try:
            values = [natural(word) for word in rest.split()[: len(FILE)]]
        except ValueError as error:
            raise Malformed(self._file.path, number, "numbers after the device's name", line) from error
        if len(values) < len(FILE) or not device:
            raise Malformed(self._file.path, number, f"a device and {len(FILE)} numbers", line)
        return values
