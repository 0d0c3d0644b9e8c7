"""Processes and threads of cgroups, and how many threads there may be.

Files: cgroup.procs (see `members`), `pids.current` and `pids.max` of the pids controller, the same on v1 and v2
(Documentation/admin-guide/cgroup-v1/pids.rst, cgroup-v2.rst). The kernel counts the processes of a cgroup alone, the
threads with all that is below it. Where the pids controller is off there is no count of threads, nor at the root.
"""

from collections.abc import Iterator
from typing import NamedTuple

from exporters.cgroups.detect import Version
from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.members import processes
from exporters.cgroups.model import Cgroup, Contents, Files, count_of, limit_of
from exporters.cgroups.rows import Rows
from exporters.collector import Family, gauge
from exporters.pods.cgroup_path import Kind

PROCESSES = gauge("container_processes", "Number of processes running inside the container.", *BASE_LABELS)
THREADS = gauge("container_threads", "Number of threads running inside the container.", *BASE_LABELS)
THREADS_MAX = gauge(
    "container_threads_max", "Number of threads that the container may have, 0 without a limit.", *BASE_LABELS
)


class ProcessesCollector:
    """Reads two files a cgroup, and the list of processes of all but containers that have at most one thread: v1 makes
    and sorts a new list for whoever asks.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._rows = Rows(self._files, _understood)

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        rows = list(zip(cgroups, self._rows.of(cgroups), strict=True))
        counts = [(cgroup.labels, _count(cgroup, row)) for cgroup, row in rows]
        yield PROCESSES.family([(labels, count) for labels, count in counts if count is not None])
        yield THREADS.family([(cgroup.labels, row.threads) for cgroup, row in rows if row.threads is not None])
        yield THREADS_MAX.family([(cgroup.labels, row.limit) for cgroup, row in rows if row.limit is not None])

    def _files(self, _: Cgroup) -> Files:
        pids = "pids" if self._inventory.version is Version.V1 else ""
        return ((pids, "pids.current"), (pids, "pids.max"))


class _Row(NamedTuple):
    """What the files of one cgroup say."""

    threads: int | None
    limit: int | None


def _understood(_: Cgroup, contents: Contents) -> _Row:
    current, limit = contents
    threads = count_of(current)
    # without the controller there is no limit either
    most = None if threads is None else 0 if limit == b"max\n" else limit_of(count_of(limit))
    return _Row(threads, most)


def _count(cgroup: Cgroup, row: _Row) -> int | None:
    """Threads count with all that is below, as do processes of a container, and of it alone: what has one, has one."""
    if row.threads is not None and row.threads <= 1 and cgroup.place.kind is Kind.CONTAINER:
        return row.threads
    ids = processes(cgroup)
    return None if ids is None else ids.count(b"\n")
