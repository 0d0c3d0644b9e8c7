"""Caches, threads and NUMA nodes of the machine, as cAdvisor's set `cpu_topology` has them.

Files: Documentation/admin-guide/cputopology.rst, Documentation/ABI/stable/sysfs-devices-node and
Documentation/ABI/testing/sysfs-devices-system-cpu of the kernel. A kernel without NUMA has no nodes: there the sockets
stand for them, and have neither memory nor distances of their own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.cgroups.machine import LABELS, Machine
from exporters.collector import Family, Metric, NoData, Sample, gauge, optional
from exporters.host import Tree
from exporters.readers.cputopology import FOLDER, cpus_of
from exporters.readers.sysfs import REDISCOVERED_SECONDS, count, listed, number, text

CACHE = gauge(
    "machine_cpu_cache_capacity_bytes",
    "Cache size in bytes assigned to NUMA node and CPU core.",
    *(*LABELS, "node_id", "core_id", "type", "level"),
)
SIBLINGS = gauge(
    "machine_thread_siblings_count",
    "Number of CPU thread siblings.",
    *(*LABELS, "node_id", "core_id", "thread_id"),
)
MEMORY = gauge("machine_node_memory_capacity_bytes", "Amount of memory assigned to NUMA node.", *(*LABELS, "node_id"))
HUGE_PAGES = gauge(
    "machine_node_hugepages_count",
    "Numer of hugepages assigned to NUMA node.",
    *(*LABELS, "node_id", "page_size"),
)
DISTANCE = gauge(
    "machine_node_distance",
    "Distance between NUMA node and target NUMA node.",
    *(*LABELS, "node_id", "target_node_id"),
)

NODES = "devices/system/node"

_OF_A_CORE = 2
"""The highest level of caches that belong to a core, in cAdvisor's eyes."""
_MEMORY = re.compile(r"MemTotal:\s*(\d{1,15}) kB", re.ASCII)
_SIZE = re.compile(r"(\d{1,15})K", re.ASCII)
_PAGES = re.compile(r"hugepages-(\d{1,15})kB", re.ASCII)


@dataclass(slots=True)
class Node:
    """A NUMA node, or a socket where there are none: its folder, empty then, and its CPUs by socket and core."""

    name: str
    folder: str
    cores: dict[tuple[int, int], list[str]] = field(default_factory=dict)

    @property
    def threads(self) -> int:
        """How many CPUs are online."""
        return sum(map(len, self.cores.values()))


class Cache(NamedTuple):
    """One cache of a CPU; `shared_by` is the number of CPUs that use it."""

    kind: str
    level: int
    size: int
    shared_by: int


class TopologyCollector:
    """Looks at /sys when CPUs or nodes have come or gone, and every five minutes as cAdvisor does."""

    def __init__(self, machine: Machine) -> None:
        self._labels = machine.labels
        self._tree = machine.host.sys
        self._online = [self._tree.keep(f"{FOLDER}/online"), self._tree.keep(f"{NODES}/online")]
        self._as_of: tuple[object, ...] = ()
        self._families: list[Family] = []

    def collect(self, now: float) -> Iterator[Family]:
        as_of = (*(optional(file.read_record()) for file in self._online), now // REDISCOVERED_SECONDS)
        if as_of != self._as_of:
            self._as_of = as_of
            self._families = [metric.family(samples) for metric, samples in self._found().items()]
        if not self._families:
            raise NoData(f"{self._tree.path(FOLDER)}: does not tell how the CPUs are built")
        yield from self._families

    def _found(self) -> dict[Metric, list[Sample]]:
        """All samples of this moment; empty where /sys has neither CPUs nor nodes."""
        found: dict[Metric, dict[tuple[str, ...], int]] = {}
        nodes = nodes_of(self._tree)
        for node in nodes:
            for metric, values in (
                (SIBLINGS, _siblings(node)),
                (CACHE, caches_of(self._tree, node)),
                (MEMORY, _memory(self._tree, node)),
                (HUGE_PAGES, _huge_pages(self._tree, node)),
                (DISTANCE, _distances(self._tree, node, nodes)),
            ):
                found.setdefault(metric, {}).update(((node.name, *which), value) for which, value in values)
        return {
            metric: [((*self._labels, *which), value) for which, value in of.items()] for metric, of in found.items()
        }


Value = tuple[tuple[str, ...], int]
"""The labels that follow the node's, and the number."""


def nodes_of(tree: Tree) -> list[Node]:
    """The machine's nodes with those of their CPUs that are online."""
    names = [name for name in listed(tree, NODES) if name.startswith("node") and name[4:].isdecimal()]
    nodes = [Node(name[4:], f"{NODES}/{name}") for name in sorted(names, key=lambda name: int(name[4:]))]
    for node in nodes:
        _add_cores(tree, node, [name[3:] for name in listed(tree, node.folder) if name.startswith("cpu")])
    return nodes or _sockets(tree)


def _add_cores(tree: Tree, node: Node, cpus: Sequence[str]) -> None:
    for cpu in sorted((cpu for cpu in cpus if cpu.isascii() and cpu.isdigit()), key=int):
        which = _place(tree, cpu)
        if which is not None:
            node.cores.setdefault(which, []).append(cpu)


def _place(tree: Tree, cpu: str) -> tuple[int, int] | None:
    """Socket and core of a CPU; None when it is offline."""
    folder = f"{FOLDER}/cpu{cpu}/topology"
    socket, core = number(tree.read(f"{folder}/physical_package_id")), number(tree.read(f"{folder}/core_id"))
    return None if socket is None or core is None else (socket, core)


def _sockets(tree: Tree) -> list[Node]:
    nodes: dict[int, Node] = {}
    for cpu in cpus_of(tree):
        which = _place(tree, cpu)
        if which is not None:
            node = nodes.setdefault(which[0], Node(str(which[0]), ""))
            node.cores.setdefault(which, []).append(cpu)
    return list(nodes.values())


def _siblings(node: Node) -> Iterator[Value]:
    for (_, core), threads in node.cores.items():
        for thread in threads:
            yield (str(core), thread), len(threads)


def caches_of(tree: Tree, node: Node) -> Iterator[Value]:
    """Of each core those caches up to the second level that it shares with none, and those above that not all of the
    node use; of the node itself those that all use.
    """
    for (_, core), threads in node.cores.items():
        for cache in _caches(tree, threads[0]):
            above = cache.level > _OF_A_CORE
            if above and cache.shared_by == node.threads:
                yield ("", cache.kind, str(cache.level)), cache.size
            elif above or cache.shared_by == len(threads):
                yield (str(core), cache.kind, str(cache.level)), cache.size


def _caches(tree: Tree, cpu: str) -> Iterator[Cache]:
    for name in listed(tree, f"{FOLDER}/cpu{cpu}/cache"):
        folder = f"{FOLDER}/cpu{cpu}/cache/{name}"
        kind, level = text(tree.read(f"{folder}/type")), count(tree.read(f"{folder}/level"))
        size = _SIZE.fullmatch(optional(tree.read(f"{folder}/size")))
        shared_by = _bits(optional(tree.read(f"{folder}/shared_cpu_map")))
        if name.startswith("index") and kind and level is not None and size is not None and shared_by:
            yield Cache(kind, level, int(size[1]) << 10, shared_by)


def _bits(mask: str) -> int:
    """How many bits are set in a mask such as `00000000,000000ff`; 0 for what is none."""
    try:
        return int(mask.replace(",", ""), 16).bit_count()
    except ValueError:
        return 0


def _memory(tree: Tree, node: Node) -> Iterator[Value]:
    total = _MEMORY.search(optional(tree.read(f"{node.folder}/meminfo"))) if node.folder else None
    if total is not None:
        yield (), int(total[1]) << 10


def _huge_pages(tree: Tree, node: Node) -> Iterator[Value]:
    for name in listed(tree, f"{node.folder}/hugepages") if node.folder else ():
        size, pages = _PAGES.fullmatch(name), count(tree.read(f"{node.folder}/hugepages/{name}/nr_hugepages"))
        if size is not None and pages is not None:
            yield (size[1],), pages


def _distances(tree: Tree, node: Node, nodes: Sequence[Node]) -> Iterator[Value]:
    """The kernel writes those to all nodes that are online, in the order of their numbers."""
    words = optional(tree.read(f"{node.folder}/distance")).split() if node.folder else []
    for target, word in zip(nodes, words, strict=False):
        distance = count(word.encode())
        if distance is not None:
            yield (target.name,), distance
