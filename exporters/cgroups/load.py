"""Threads of cgroups by what they do, and how many run or wait for a device on average.

cAdvisor asks the kernel by netlink, on v1 and with --enable_load_reader only; otherwise all of this is a constant 0.
Here /proc/<pid>/stat is read, and /proc/<pid>/task/<tid>/stat of a process with several threads (proc_pid_stat(5)): off
by default, as that is a file for each thread there is. Those of a cgroup alone are counted, without what is below it.

The states are the kernel's D, R, S and T. It has no letter for `iowaiting`, so that is absent: what waits for a device
is `uninterruptible`, also where a kill would end the wait, which cAdvisor leaves out or has there. Idle kernel threads,
zombies and what a debugger holds are in no state, as there.

An average moves at each scrape by the time that has passed since the one before, as cAdvisor's does at each
housekeeping: of what it was, exp(-seconds / 10) is left. The first is the number itself. All are thousandths, as there.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from exporters.cgroups.readers.members import ids_in, processes
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup
from exporters.collector import Family, gauge
from exporters.host import Host, Reason, Unreadable
from exporters.readers.process import THREADS, after_name, state_of

RUNNING_AVERAGE = gauge(
    "container_cpu_load_average_10s",
    "Value of container cpu load average over the last 10 seconds.",
    *BASE_LABELS,
)
WAITING_AVERAGE = gauge(
    "container_cpu_load_d_average_10s",
    "Value of container cpu load.d average over the last 10 seconds.",
    *BASE_LABELS,
)
TASKS = gauge("container_tasks_state", "Number of tasks in given state", *BASE_LABELS, "state")

STATES = {"sleeping": b"S", "running": b"R", "stopped": b"T", "uninterruptible": b"D"}

_DECAY = 10.0
"""Seconds after which a third is left of what an average was."""

_THOUSANDTHS = 1000


class Averages(NamedTuple):
    """Of running and of uninterruptible threads."""

    running: float
    waiting: float

    def after(self, seconds: float, running: int, waiting: int) -> "Averages":
        """When so many were counted these seconds later."""
        left = math.exp(-max(0.0, seconds) / _DECAY)
        return Averages(
            self.running * left + running * (1.0 - left),
            self.waiting * left + waiting * (1.0 - left),
        )


class LoadCollector:
    """Reads a file a thread."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._proc = host.proc
        self._averages: dict[Cgroup, Averages] = {}
        self._last = 0.0

    def collect(self, now: float) -> Iterator[Family]:
        counts = [(cgroup, self._count(cgroup)) for cgroup in self._inventory.current(now)]
        known = [(cgroup, states) for cgroup, states in counts if states is not None]
        self._move(known, now)
        yield TASKS.family(
            [
                ((*cgroup.labels, state), states.count(letter))
                for cgroup, states in known
                for state, letter in STATES.items()
            ]
        )
        averages = [(cgroup.labels, average) for cgroup, average in self._averages.items()]
        yield RUNNING_AVERAGE.family([(labels, round(average.running * _THOUSANDTHS)) for labels, average in averages])
        yield WAITING_AVERAGE.family([(labels, round(average.waiting * _THOUSANDTHS)) for labels, average in averages])

    def _move(self, counts: Sequence[tuple[Cgroup, bytes]], now: float) -> None:
        """The averages at `now`; of cgroups that are gone they are forgotten."""
        seconds, self._last = now - self._last, now
        before, self._averages = self._averages, {}
        for cgroup, states in counts:
            running, waiting = states.count(STATES["running"]), states.count(STATES["uninterruptible"])
            average = before.get(cgroup)
            self._averages[cgroup] = (
                average.after(seconds, running, waiting) if average is not None else Averages(running, waiting)
            )

    def _count(self, cgroup: Cgroup) -> bytes | None:
        """The letters of all its threads; None when they can't be told."""
        ids = ids_in(processes(cgroup))
        if ids is None:
            return None
        found = [self._letters(pid) for pid in ids]
        return b"".join(letters for letters in found if letters is not None) if None not in found else None

    def _letters(self, pid: str) -> bytes | None:
        """Of a process's threads, none if it has ended; None when it may not be seen."""
        content = self._proc.read(f"{pid}/stat")
        if isinstance(content, Unreadable):
            return b"" if content.reason is Reason.ABSENT else None
        words = after_name(content)
        if len(words) > THREADS and words[THREADS] == b"1":
            return state_of(content)
        names = self._proc.names(f"{pid}/task")
        others = [] if isinstance(names, Unreadable) else [name for name in names if name != pid]
        return state_of(content) + b"".join(self._letter(f"{pid}/task/{name}/stat") for name in others)

    def _letter(self, path: str) -> bytes:
        content = self._proc.read(path)
        return b"" if isinstance(content, Unreadable) else state_of(content)
