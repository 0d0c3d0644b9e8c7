"""NVMe controllers and their namespaces, from /sys/class/nvme: what they are, and how full.

Blocks count as node_exporter counts them, in logical blocks. That is so of `nuse`, but the kernel gives `size` in
units of 512 bytes: on a drive with blocks of 4 KiB size and capacity are eight times too large, there as here.
Format: drivers/nvme/host/sysfs.c and Documentation/ABI/stable/sysfs-block of the kernel.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from exporters.collector import Family, Labels, gauge
from exporters.host import Host, KeptFile, Unreadable
from exporters.readers.sysfs import Discovery, Gathered, Info, count, kept_in, text

INFO = gauge(
    "node_nvme_info",
    "What an NVMe controller is, and its state.",
    *("device", "firmware_revision", "model", "serial", "state", "cntlid"),
)
TEXTS = ("firmware_rev", "model", "serial", "state", "cntlid")

NAMESPACE_INFO = gauge(
    "node_nvme_namespace_info", "A namespace and how it is reached by this controller.", "device", "nsid", "ana_state"
)
CAPACITY = gauge("node_nvme_namespace_capacity_bytes", "Capacity of a namespace.", "device", "nsid")
SIZE = gauge("node_nvme_namespace_size_bytes", "Size of a namespace.", "device", "nsid")
USED = gauge("node_nvme_namespace_used_bytes", "What is in use of a namespace.", "device", "nsid")
BLOCK = gauge("node_nvme_namespace_logical_block_size_bytes", "Size of a namespace's blocks.", "device", "nsid")

FOLDER = "class/nvme"
NAMESPACE = re.compile(r"nvme[0-9]+n([0-9]+)")


class _Namespace(NamedTuple):
    """What is read of one namespace."""

    labels: Labels
    size: KeptFile
    block: KeptFile
    used: KeptFile | None
    state: KeptFile | None


class Nvme:
    """Looks at the controllers' namespaces when a controller comes or goes, and now and then."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._found: Discovery[tuple[list[Info], dict[Labels, _Namespace]]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        infos, namespaces = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.infos(infos)
        for namespace in namespaces.values():
            _read(namespace, gathered)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> tuple[list[Info], dict[Labels, _Namespace]]:
        infos: list[Info] = []
        namespaces: dict[Labels, _Namespace] = {}
        for device in names:
            folder = f"{FOLDER}/{device}"
            inside = self._sys.names(folder)
            if isinstance(inside, Unreadable):
                continue
            files = kept_in(self._sys, folder, TEXTS)
            infos.append(Info(INFO, (device,), tuple(map(files.get, TEXTS))))
            for name in inside:
                if matched := NAMESPACE.search(name):
                    labels = (device, matched[1])
                    namespaces.setdefault(labels, self._namespace(labels, f"{folder}/{name}"))
        return infos, namespaces

    def _namespace(self, labels: Labels, folder: str) -> _Namespace:
        files = kept_in(self._sys, folder, ("nuse", "ana_state"))  # of Linux 6.8, and of drives with several paths
        keep = self._sys.keep
        block = keep(f"{folder}/queue/logical_block_size")
        return _Namespace(labels, keep(f"{folder}/size"), block, files.get("nuse"), files.get("ana_state"))


def _read(namespace: _Namespace, gathered: Gathered) -> None:
    """Add a namespace's samples; one that was taken away has none."""
    labels = namespace.labels
    size, block = namespace.size.read_record(), count(namespace.block.read_record())
    if isinstance(size, Unreadable):
        return
    state = text(namespace.state.read_record()) if namespace.state is not None else None
    gathered.add(NAMESPACE_INFO, (*labels, "unknown" if state is None else state))
    if block is None:
        return
    gathered.add(BLOCK, labels, block)
    blocks = count(size)
    if blocks is not None:
        gathered.add(CAPACITY, labels, blocks * block)
        gathered.add(SIZE, labels, blocks * block)
    used = count(namespace.used.read_record()) if namespace.used is not None else None
    if used is not None:
        gathered.add(USED, labels, used * block)
