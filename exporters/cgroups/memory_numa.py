"""Pages of cgroups by the NUMA node whose memory they take.

File `memory.numa_stat` of v1 (Documentation/admin-guide/cgroup-v1/memory.rst), in pages, of the cgroup alone and with
all below it (`hierarchical_`), and of v2 (cgroup-v2.rst), in bytes and always with all below it. cAdvisor reads that of
v1 only. Here v2 has the scope `hierarchy`, in pages as the name says. What is in tmpfs is `anon` on v1, `file` on v2.

The root's file is never read, as the root's memory.stat is not: /sys/devices/system/node/node<N>/meminfo says the same
of the whole machine.
"""

import os
import re
from collections.abc import Iterator, Mapping

from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, Contents, Files, count_of
from exporters.cgroups.tree.rows import Rows
from exporters.collector import Family, NoData, Sample, gauge
from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Kind

PAGES = gauge(
    "container_memory_numa_pages", "Number of used pages per NUMA node", *BASE_LABELS, "type", "scope", "node"
)

NODES = "devices/system/node"

_FILE = "memory.numa_stat"
_LINE = re.compile(
    rb"^(?P<scope>hierarchical_)?(?P<type>file|anon|unevictable)(?:=\d+)?(?P<nodes>(?: N\d{1,4}=\d{1,20})+) *$",
    re.MULTILINE,
)
_NODE = re.compile(rb" N(\d+)=(\d+)")
_OF_MACHINE = re.compile(rb"^Node \d+ (?P<field>[\w()]+): +(?P<kilobytes>\d{1,17}) kB$", re.MULTILINE)

_FIELDS: Mapping[Version, Mapping[str, tuple[bytes, ...]]] = {
    Version.V1: {
        "file": (b"Active(file)", b"Inactive(file)"),
        "anon": (b"Active(anon)", b"Inactive(anon)"),
        "unevictable": (b"Unevictable",),
    },
    Version.V2: {"file": (b"FilePages",), "anon": (b"AnonPages",), "unevictable": (b"Unevictable",)},
}
"""What a node's meminfo calls the same that the cgroups of each version have."""

Pages = dict[tuple[str, str, str], int]
"""A number by the labels type, scope and node."""


class MemoryNumaCollector:
    """Reads one file a cgroup. A kernel without CONFIG_NUMA has none."""

    def __init__(self, inventory: Inventory, host: Host, page: int = os.sysconf("SC_PAGE_SIZE")) -> None:
        self._inventory = inventory
        self._sys = host.sys
        self._page = page
        self._rows: Rows[Pages] = Rows(self._files, self._pages)

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        nodes = self._sys.folders(NODES)
        if isinstance(nodes, Unreadable):
            raise NoData(str(nodes))
        samples: list[Sample] = []
        for cgroup, pages in zip(cgroups, self._rows.of(cgroups), strict=True):
            of_it = self._of_machine(nodes) if cgroup.place.kind is Kind.ROOT else pages
            samples += [((*cgroup.labels, *key), value) for key, value in of_it.items()]
        yield PAGES.family(samples)

    def _files(self, cgroup: Cgroup) -> Files:
        if cgroup.place.kind is Kind.ROOT:
            return []
        return [("memory" if self._inventory.version is Version.V1 else "", _FILE)]

    def _pages(self, _: Cgroup, contents: Contents) -> Pages:
        found = numa_pages(b"".join(contents))
        if self._inventory.version is Version.V1:
            return found
        return {(what, "hierarchy", node): value // self._page for (what, _, node), value in found.items()}

    def _of_machine(self, names: list[str]) -> Pages:
        pages: Pages = {}
        for name in names:
            content = self._sys.read(f"{NODES}/{name}/meminfo")
            sizes = {} if isinstance(content, Unreadable) else dict(_OF_MACHINE.findall(content))
            for what, fields in _FIELDS[self._inventory.version].items():
                if all(field in sizes for field in fields):
                    kilobytes = sum(int(sizes[field]) for field in fields)
                    pages[what, "hierarchy", name.removeprefix("node")] = (kilobytes << 10) // self._page
        return pages


def numa_pages(content: bytes) -> Pages:
    """The numbers of a memory.numa_stat as they stand there. A line that makes no sense is left out."""
    found: Pages = {}
    for scope, what, nodes in _LINE.findall(content):
        for node, number in _NODE.findall(nodes):
            value = count_of(number)
            if value is not None:
                found[what.decode(), "hierarchy" if scope else "container", str(int(node))] = value
    return found
