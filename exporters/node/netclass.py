"""Properties of network devices, from /sys/class/net: state, address, MTU, speed, link changes.

Each of these files costs a microsecond when it is kept open and five when not, and there are twenty a device: the
files of the first devices stay open. A kept file follows its device when that is renamed; that two devices have
swapped names shows in the inodes of the folder. Format: the kernel's Documentation/ABI/testing/sysfs-class-net.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporters.collector import Family, Metric, NoData, Sample, counter, gauge
from exporters.host import Host, Tree, Unreadable
from exporters.options import Pattern, option
from exporters.readers.interfaces import CONTAINERS, EXCLUDE_HELP, devices
from exporters.readers.sysfs import Known, number, text

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
PLAIN = {**GAUGES, **COUNTERS}
METRICS = (UP, INFO, SPEED, FLAGS, *PLAIN.values())

IFF_UP = 1
WHEN_UP = ("carrier", "dormant", "duplex", "speed")
"""What the kernel refuses to tell of a device that is down; to be refused costs more than to be told."""

WORDS = ("address", "broadcast", "operstate", "ifalias")
ALWAYS = (*WORDS, *(attribute for attribute in PLAIN if attribute not in WHEN_UP))

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
    """Reads every attribute at each scrape, and makes samples anew of devices that have changed."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        chosen = options if options is not None else Options()
        self._filter = devices(None, chosen.ignored_devices)
        self._known = Known(lambda name: Device(host.sys, name, ignore_invalid_speed=chosen.ignore_invalid_speed))
        self._inodes: dict[str, int] = {}
        self._devices: dict[str, Device] = {}
        self._families: list[Family] = []

    def collect(self, now: float) -> list[Family]:
        inodes = self._sys.inodes("class/net")
        if isinstance(inodes, Unreadable):
            raise NoData(str(inodes))
        changed = inodes != self._inodes
        if changed:
            self._discover(inodes)
        for place, device in enumerate(self._devices.values()):
            changed = device.read() or changed
            if place >= MOST_KEPT:
                device.close()
        if changed:
            self._families = self._grouped()
        return self._families

    def _discover(self, inodes: dict[str, int]) -> None:
        self._devices = self._known.of(name for name in inodes if name != NO_DEVICE and self._filter.keeps(name))
        for name, device in self._devices.items():
            if self._inodes.get(name) != inodes[name]:
                device.close()
        self._inodes = inodes

    def _grouped(self) -> list[Family]:
        samples: dict[Metric, list[Sample]] = {metric: [] for metric in METRICS}
        for device in self._devices.values():
            for metric, sample in device.samples:
                samples[metric].append(sample)
        return [metric.family(samples[metric]) for metric in METRICS]


class Device:
    """The files of one device, and its samples as of the last read."""

    def __init__(self, tree: Tree, name: str, *, ignore_invalid_speed: bool) -> None:
        self.samples: list[tuple[Metric, Sample]] = []
        self._name = name
        self._lowest_speed = 0 if ignore_invalid_speed else -math.inf
        self._flags, self._always, self._when_up = (
            [tree.keep(f"class/net/{name}/{attribute}") for attribute in attributes]
            for attributes in (("flags",), ALWAYS, WHEN_UP)
        )
        self._contents: list[bytes | Unreadable] = []
        self._up = True

    def read(self) -> bool:
        """Read all files again; whether that changed any sample."""
        contents = [file.read_record() for file in self._flags]
        if contents != self._contents[:1]:
            flags = number(contents[0])
            self._up = flags is None or bool(flags & IFF_UP)
        contents += [file.read_record() for file in self._always]
        if self._up:
            contents += [file.read_record() for file in self._when_up]
        if contents == self._contents:
            return False
        self._contents = contents
        self.samples = list(self._parsed(dict(zip(("flags", *ALWAYS, *WHEN_UP), contents, strict=False))))
        return True

    def close(self) -> None:
        for file in (*self._flags, *self._always, *self._when_up):
            file.close()

    def _parsed(self, contents: Mapping[str, bytes | Unreadable]) -> Iterator[tuple[Metric, Sample]]:
        """What a device can't tell gives no sample. A device without a state went a moment ago."""
        words = {attribute: text(contents[attribute]) for attribute in ("duplex", *WORDS) if attribute in contents}
        state = words["operstate"]
        if state is None:
            return
        labels, flags, speed = (self._name,), number(contents["flags"]), number(contents.get("speed", b""))
        admin = "unknown" if flags is None else "up" if flags & IFF_UP else "down"
        told = [words.get(attribute) or "" for attribute in ("address", "broadcast", "duplex")]
        yield UP, (labels, int(state == "up"))
        yield INFO, ((self._name, *told, state, admin, words["ifalias"] or ""), 1)
        if flags is not None:
            yield FLAGS, (labels, flags)
        if speed is not None and speed >= self._lowest_speed:
            yield SPEED, (labels, speed * BYTES_IN_MEGABIT)
        for attribute, content in contents.items():
            metric, value = PLAIN.get(attribute), number(content)
            if metric is not None and value is not None and (value >= 0 or metric.kind != "counter"):
                yield metric, (labels, value)
