"""Properties of network devices, from /sys/class/net: state, address, MTU, speed, link changes.

Each of these files costs a microsecond when it is kept open and five when not, and there are twenty a device: the
files of the first devices stay open. A kept file follows its device when that is renamed; that two devices have
swapped names shows in the inodes of the folder. Format: the kernel's Documentation/ABI/testing/sysfs-class-net.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Metric, NoData, Sample, counter, gauge
from exporters.host import Host, Unreadable
from exporters.node.interfaces import CONTAINERS, EXCLUDE_HELP, devices
from exporters.node.sysfs import Attributes, Known
from exporters.options import Pattern, option

UP = gauge("node_network_up", "Whether the device's operstate is up.", "device")
INFO = gauge(
    "node_network_info",
    "What a network device says of itself in words; always 1.",
    *("device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"),
)
SPEED = gauge("node_network_speed_bytes", "Bytes a second that the link can carry; negative if unknown.", "device")
FLAGS = gauge("node_network_flags", "Flags of the device, IFF_… in netdevice(7).", "device")

GAUGES: dict[str, Metric] = {
    attribute: gauge(f"node_network_{name}", help, "device")
    for attribute, name, help in (
        ("addr_assign_type", "address_assign_type", "Origin of the address: 0 permanent, 1 random, 2 stolen, 3 set."),
        ("carrier", "carrier", "Whether the device has a link."),
        ("dev_id", "device_id", "Number that tells apart devices that share an address."),
        ("dormant", "dormant", "Whether the device waits for something beyond it, such as authentication."),
        ("ifindex", "iface_id", "Number of the device."),
        ("iflink", "iface_link", "Number of the device below this one, or of its other end."),
        ("link_mode", "iface_link_mode", "Who brings the device up: 0 the kernel, 1 a program."),
        ("mtu", "mtu_bytes", "Bytes of the largest packet."),
        ("name_assign_type", "name_assign_type", "Origin of the name: 1 counted, 2 predictable, 3 given, 4 renamed."),
        ("netdev_group", "net_dev_group", "Group of devices that this one was put into."),
        ("tx_queue_len", "transmit_queue_length", "Packets that may wait to be sent."),
        ("type", "protocol_type", "Kind of device, ARPHRD_… of the kernel."),
    )
}
COUNTERS: dict[str, Metric] = {
    attribute: counter(f"node_network_{name}_total", help, "device")
    for attribute, name, help in (
        ("carrier_changes", "carrier_changes", "Times that the link came or went."),
        ("carrier_up_count", "carrier_up_changes", "Times that the link came."),
        ("carrier_down_count", "carrier_down_changes", "Times that the link went."),
    )
}
METRICS = (UP, INFO, SPEED, FLAGS, *GAUGES.values(), *COUNTERS.values())

IFF_UP = 1
BYTES_IN_MEGABIT = 125_000
MOST_KEPT = 32
"""Devices whose files stay open; each takes some 20 descriptors and 100 kB of the kernel's memory."""

NO_DEVICE = "bonding_masters"
"""The one file among the devices' folders."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices are published, and whether with a speed that is not known."""

    ignored_devices: Pattern | None = option(CONTAINERS, EXCLUDE_HELP)
    ignore_invalid_speed: bool = option(False, "Leave out a speed that is not known; otherwise it is negative.")


class NetClass:
    """Reads every attribute at each scrape; one that a device can't tell, as speed when it is down, gives no sample."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        chosen = options if options is not None else Options()
        self._filter = devices(None, chosen.ignored_devices)
        self._lowest_speed = 0 if chosen.ignore_invalid_speed else None
        self._known = Known(lambda name: Attributes(host.sys, f"class/net/{name}"))
        self._inodes: dict[str, int] = {}
        self._devices: dict[str, Attributes] = {}

    def collect(self, now: float) -> Iterator[Family]:
        inodes = self._sys.inodes("class/net")
        if isinstance(inodes, Unreadable):
            raise NoData(str(inodes))
        if inodes != self._inodes:
            self._discover(inodes)
        samples: dict[Metric, list[Sample]] = {metric: [] for metric in METRICS}
        for place, (name, device) in enumerate(self._devices.items()):
            self._take(name, device, samples)
            if place >= MOST_KEPT:
                device.close()
        for metric in METRICS:
            yield metric.family(samples[metric])

    def _discover(self, inodes: dict[str, int]) -> None:
        self._devices = self._known.of(name for name in inodes if name != NO_DEVICE and self._filter.keeps(name))
        for name, device in self._devices.items():
            if self._inodes.get(name) != inodes[name]:
                device.close()
        self._inodes = inodes

    def _take(self, name: str, device: Attributes, samples: dict[Metric, list[Sample]]) -> None:
        state = device.text("operstate")
        if state is None:
            return  # the device has just gone
        labels, flags, speed = (name,), device.number("flags"), device.number("speed")
        samples[UP].append((labels, float(state == "up")))
        samples[INFO].append((_words(name, device, state, flags), 1))
        if flags is not None:
            samples[FLAGS].append((labels, flags))
        if speed is not None and (self._lowest_speed is None or speed >= self._lowest_speed):
            samples[SPEED].append((labels, speed * BYTES_IN_MEGABIT))
        for attribute, metric in GAUGES.items():
            if (value := device.number(attribute)) is not None:
                samples[metric].append((labels, value))
        for attribute, metric in COUNTERS.items():
            if (value := device.count(attribute)) is not None:
                samples[metric].append((labels, value))


def _words(name: str, device: Attributes, state: str, flags: int | None) -> tuple[str, ...]:
    """The labels of INFO; what a device does not tell is empty."""
    admin = "unknown" if flags is None else "up" if flags & IFF_UP else "down"
    address, broadcast, duplex, alias = (
        device.text(attribute) or "" for attribute in ("address", "broadcast", "duplex", "ifalias")
    )
    return (name, address, broadcast, duplex, state, admin, alias)
