"""Processes and threads of cgroups, and how many threads there may be.

Files: cgroup.procs (see `members`), `pids.current` and `pids.max` of the pids controller, the same on v1 and v2
(Documentation/admin-guide/cgroup-v1/pids.rst, cgroup-v2.rst). The kernel counts the processes of a cgroup alone, the
threads with all that is below it. Where the pids controller is off there is no count of threads, nor at the root.
"""

from collections.abc import Iterator

from exporters.cgroups.readers.members import processes
from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, Files, count_of, limit_of
from exporters.cgroups.tree.rows import Rows
from exporters.collector import Family, gauge
from exporters.pods.cgroup_path import Kind

PROCESSES = gauge("container_processes", "Number of processes running inside the container.", *BASE_LABELS)
THREADS = gauge("container_threads", "Number of threads running inside the container.", *BASE_LABELS)
THREADS_MAX = gauge(
    "container_threads_max", "Number of threads that the container may have, 0 without a limit.", *BASE_LABELS
)


class ProcessesCollector:
    """Reads one file a cgroup, the limit now and then, and the list of processes of all but containers that have one
    thread: v1 makes and sorts a new list for whoever asks.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._threads = Rows(lambda _: self._file("pids.current"), lambda _, row: count_of(row[0]))
        self._limits = Rows(lambda _: self._file("pids.max"), lambda _, row: _limit(row[0]))

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        threads, limits = self._threads.of(cgroups), self._limits.lately(cgroups, now)
        counts = [(cgroup.labels, _processes(cgroup, of_it)) for cgroup, of_it in zip(cgroups, threads, strict=True)]
        yield PROCESSES.family([(labels, count) for labels, count in counts if count is not None])
        # without the controller there is no limit either
        rows = [row for row in zip(cgroups, threads, limits, strict=True) if row[1] is not None]
        yield THREADS.family([(cgroup.labels, of_it) for cgroup, of_it, _ in rows if of_it is not None])
        yield THREADS_MAX.family([(cgroup.labels, limit) for cgroup, _, limit in rows if limit is not None])

    def _file(self, name: str) -> Files:
        return (("pids" if self._inventory.version is Version.V1 else "", name),)


def _limit(content: bytes) -> int | None:
    """A number, or 0 for `max`."""
    return 0 if content == b"max\n" else limit_of(count_of(content))


def _processes(cgroup: Cgroup, threads: int | None) -> int | None:
    """Threads count with all that is below, as do processes of a container, and of it alone: what has one, has one."""
    if threads is not None and threads <= 1 and cgroup.place.kind is Kind.CONTAINER:
        return threads
    ids = processes(cgroup)
    return None if ids is None else ids.count(b"\n")
