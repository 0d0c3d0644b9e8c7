"""Processes and threads of cgroups, and how many threads there may be.

Files: cgroup.procs (see `members`), `pids.current` and `pids.max` of the pids controller, the same on v1 and v2
(Documentation/admin-guide/cgroup-v1/pids.rst, cgroup-v2.rst). The kernel counts the processes of a cgroup alone, the
threads with all that is below it. Where the pids controller is off there is no count of threads, nor at the root.
"""

from collections.abc import Iterator

from exporters.cgroups.detect import Version
from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.members import processes
from exporters.cgroups.model import limit_of, number_of
from exporters.collector import Family, Sample, gauge

PROCESSES = gauge("container_processes", "Number of processes running inside the container.", *BASE_LABELS)
THREADS = gauge("container_threads", "Number of threads running inside the container.", *BASE_LABELS)
THREADS_MAX = gauge(
    "container_threads_max", "Number of threads that the container may have, 0 without a limit.", *BASE_LABELS
)


class ProcessesCollector:
    """Reads three files a cgroup."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def collect(self, now: float) -> Iterator[Family]:
        counts: list[Sample] = []
        threads: list[Sample] = []
        limits: list[Sample] = []
        cgroups = self._inventory.current(now)
        pids = "pids" if self._inventory.version is Version.V1 else ""
        for cgroup in cgroups:
            ids = processes(cgroup)
            if ids is not None:
                counts.append((cgroup.labels, ids.count(b"\n")))
            current = cgroup.number(pids, "pids.current")
            if current is None:
                continue  # without the controller there is no limit either
            threads.append((cgroup.labels, current))
            limit = _limit(cgroup.read(pids, "pids.max"))
            if limit is not None:
                limits.append((cgroup.labels, limit))
        yield PROCESSES.family(counts)
        yield THREADS.family(threads)
        yield THREADS_MAX.family(limits)


def _limit(content: bytes | None) -> int | None:
    """A number, or 0 for `max`."""
    return 0 if content == b"max\n" else limit_of(number_of(content))
