"""What the drivers of network devices count and say of the link: SIOCETHTOOL of netdevice(7), as ethtool(8) shows it.

Drivers name their counters as they like, so metrics are made of the names: what is no letter, digit or underscore
becomes an underscore, `rx` and `tx` are spelt out. Names of one device that become the same are left out, as which of
them is meant can't be told. Format: linux/ethtool.h.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from exporters.calls import LinkModes
from exporters.collector import Family, Metric, NoData, gauge, untyped
from exporters.host import Host
from exporters.options import NameFilter, Pattern, option
from exporters.readers import linkmodes, sysfs
from exporters.readers.interfaces import DeviceOptions

AnswerT = TypeVar("AnswerT")

INFO = gauge(
    "node_ethtool_info",
    "The driver of a network device, and its versions.",
    *("bus_info", "device", "driver", "expansion_rom_version", "firmware_version", "version"),
)
PORT = gauge("node_network_supported_port_info", "Kinds of ports that a network device supports.", "device", "type")
NEGOTIATES = gauge("node_network_autonegotiate", "Whether a network device negotiates the link's modes.", "device")


def _speed(what: str) -> Metric:
    return gauge(
        f"node_network_{what}_speed_bytes",
        f"Speeds {what} by a network device, bytes a second.",
        *("device", "duplex", "mode"),
    )


SPEEDS = {"supported": _speed("supported"), "advertised": _speed("advertised")}
ABILITIES: dict[str, dict[int, Metric]] = {
    what: {
        bit: gauge(f"node_network_{name}_{what}", f"Whether a network device {verb} {meaning}.", "device")
        for bit, name, meaning in (
            (linkmodes.AUTONEGOTIATE, "autonegotiate", "autonegotiation"),
            (linkmodes.PAUSE, "pause", "pause frames"),
            (linkmodes.ASYMMETRIC_PAUSE, "asymmetricpause", "asymmetric pause frames"),
        )
    }
    for what, verb in (("supported", "supports"), ("advertised", "offers"))
}

COMMON = {
    "rx_bytes": "received_bytes_total",
    "rx_dropped": "received_dropped_total",
    "rx_errors": "received_errors_total",
    "rx_packets": "received_packets_total",
    "tx_bytes": "transmitted_bytes_total",
    "tx_errors": "transmitted_errors_total",
    "tx_packets": "transmitted_packets_total",
}
"""Counters that most drivers have, under names of their own."""

_OTHER = re.compile(r"_*[^0-9A-Za-z_]+_*")
_RX = re.compile(r"(^|_)rx(_|$)")
_TX = re.compile(r"(^|_)tx(_|$)")


@dataclass(frozen=True, slots=True)
class Options(DeviceOptions):
    """Which devices and counters are published."""

    metrics_include: Pattern | None = option(re.compile(".*"), "Counters to publish, by the driver's names.")

    @property
    def counters(self) -> NameFilter:
        """The filter of counters."""
        return NameFilter(include=self.metrics_include)


class Ethtool:
    """Asks the drivers of all devices below /sys/class/net; one that does not answer costs only its own samples."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        chosen = options if options is not None else Options()
        self._sys = host.sys
        self._calls = host.calls
        self._devices = chosen.devices
        self._counters = chosen.counters
        self._metrics: dict[str, Metric] = {}
        self._of_driver: dict[tuple[str, ...], dict[str, Metric]] = {}

    def collect(self, now: float) -> Iterator[Family]:
        found = sysfs.Gathered()
        devices = sysfs.devices(self._sys, "class/net")
        if not devices:
            raise NoData(f"{self._sys.path('class/net')}: no network devices")
        for device in devices:
            if self._devices.keeps(device):
                self._add(device, found)
        yield from found.families()

    def _add(self, device: str, found: sysfs.Gathered) -> None:
        modes = _answer(self._calls.ethtool_link, device)
        if modes is not None:
            _add_modes(device, modes, found)
        driver = _answer(self._calls.ethtool_driver, device)
        if driver is not None:
            found.add(INFO, (driver.bus, device, driver.name, driver.rom, driver.firmware, driver.version))
        statistics = _answer(self._calls.ethtool, device) or {}
        for name, metric in self._metrics_of(tuple(statistics)).items():
            found.add(metric, (device,), statistics[name])

    def _metrics_of(self, names: tuple[str, ...]) -> dict[str, Metric]:
        """The metrics for the counters of a device; devices of the same driver mostly have the same counters."""
        metrics = self._of_driver.get(names)
        if metrics is None:
            if len(self._of_driver) > len(self._metrics) + 16:  # counters that come and go must not fill the memory
                self._of_driver.clear()
            metrics = {name: self._metric(spelt) for spelt, name in self._chosen(names).items()}
            self._of_driver[names] = metrics
        return metrics

    def _chosen(self, names: tuple[str, ...]) -> dict[str, str]:
        """The names of the metrics to publish, and the counters that they come from."""
        same: dict[str, list[str]] = {}
        for name in names:
            if self._counters.keeps(sanitized(name)):
                same.setdefault(spelt_out(name), []).append(name)
        chosen: dict[str, str] = {}
        for spelt, (name, *others) in same.items():
            if not others and spelt not in ("", "info"):
                chosen.setdefault(COMMON.get(sanitized(name), spelt), name)
        return chosen

    def _metric(self, name: str) -> Metric:
        metric = self._metrics.get(name)
        if metric is None:
            help = f"The driver's counter {name}."
            metric = self._metrics[name] = untyped(f"node_ethtool_{name}", help, "device")
        return metric


def _answer(ask: Callable[[str], AnswerT], device: str) -> AnswerT | None:
    try:
        return ask(device)
    except OSError:
        return None  # most drivers have only a part of this, and a device may go at any time


def _add_modes(device: str, modes: LinkModes, found: sysfs.Gathered) -> None:
    found.add(NEGOTIATES, (device,), modes.negotiates)
    for port in linkmodes.ports(modes.supported):
        found.add(PORT, (device, port))
    for what, bits in (("supported", modes.supported), ("advertised", modes.advertised)):
        for speed in linkmodes.speeds(bits):
            found.add(SPEEDS[what], (device, speed.duplex, speed.mode), speed.bytes_a_second)
        for bit, metric in ABILITIES[what].items():
            found.add(metric, (device,), float(linkmodes.has(bits, bit)))


def sanitized(name: str) -> str:
    """A driver's name for a counter with what a metric's name may hold."""
    return _OTHER.sub("_", name)


def spelt_out(name: str) -> str:
    """A driver's name for a counter as part of a metric's name."""
    return _TX.sub(r"\1transmitted\2", _RX.sub(r"\1received\2", sanitized(name).lower().lstrip("_")))
