"""How long the processes of cgroups ran and waited for a CPU, and how often they got one.

Read from /proc/<pid>/schedstat (Documentation/scheduler/sched-stats.rst), which speaks of a process's first thread; as
in cAdvisor the others are not asked. A cgroup has what is below it, those without series included, such as the sandbox
of a pod.

A counter must not fall when a process ends: what it said last is kept by its cgroup and those above. So what a process
does after the last scrape that sees it, or between two, is not known. A process id whose numbers have fallen is another
process by now. One that moves to another cgroup takes along what it did before, and the old one keeps it as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from exporters.cgroups.readers.members import ids_in, processes_and_below
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, number_of
from exporters.collector import Family, counter, required
from exporters.host import Host, Reason, Unreadable

RUN = counter(
    "container_cpu_schedstat_run_seconds_total",
    "Time duration the processes of the container have run on the CPU.",
    *BASE_LABELS,
)
WAITED = counter(
    "container_cpu_schedstat_runqueue_seconds_total",
    "Time duration processes of the container have been waiting on a runqueue.",
    *BASE_LABELS,
)
PERIODS = counter(
    "container_cpu_schedstat_run_periods_total",
    "Number of times processes of the cgroup have run on the cpu",
    *BASE_LABELS,
)

_NANOSECONDS = 1_000_000_000


class Times(NamedTuple):
    """Nanoseconds on a CPU and waiting for one, and how often it got one."""

    run: int = 0
    waited: int = 0
    periods: int = 0

    def plus(self, other: "Times") -> "Times":
        return Times(self.run + other.run, self.waited + other.waited, self.periods + other.periods)

    def is_before(self, other: "Times") -> bool:
        """Whether a process that was here can be there later."""
        return self.run <= other.run and self.waited <= other.waited and self.periods <= other.periods


class _Seen(NamedTuple):
    """The path of a process's cgroup, and what the process said last."""

    path: str
    times: Times


class SchedstatCollector:
    """Reads one file a process."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._proc = host.proc
        self._seen: dict[str, _Seen] = {}
        self._ended: dict[str, Times] = {}

    def collect(self, now: float) -> Iterator[Family]:
        totals = self._totals(self._inventory.everyone(now))
        rows = [
            (cgroup.labels, totals[cgroup.path]) for cgroup in self._inventory.current(now) if cgroup.path in totals
        ]
        yield RUN.family([(labels, times.run / _NANOSECONDS) for labels, times in rows])
        yield WAITED.family([(labels, times.waited / _NANOSECONDS) for labels, times in rows])
        yield PERIODS.family([(labels, times.periods) for labels, times in rows])

    def _totals(self, cgroups: Sequence[Cgroup]) -> dict[str, Times]:
        """By path, of all cgroups that can say which processes they have."""
        required(self._proc.read("self/schedstat"))  # a kernel that keeps no such account has none of the files
        lists = [(cgroup.path, ids_in(processes_and_below(cgroup))) for cgroup in cgroups]
        silent = {path for path, ids in lists if ids is None}  # for a moment: nobody has ended there for all we know
        seen = {pid: last for pid, last in self._seen.items() if last.path in silent}
        seen |= {
            pid: _Seen(path, times)
            for path, ids in lists
            for pid in ids or ()
            if (times := self._times_of(pid)) is not None
        }
        self._keep_ended(seen)
        self._seen = seen
        totals = {path: self._ended.get(path, Times()) for path, ids in lists if ids is not None}
        self._ended = {path: self._ended[path] for path, _ in lists if path in self._ended}
        own: dict[str, Times] = {}
        for path, times in seen.values():
            own[path] = own.get(path, Times()).plus(times)
        for path, times in own.items():
            for above in _and_above(path):
                if above in totals:
                    totals[above] = totals[above].plus(times)
        return totals

    def _times_of(self, pid: str) -> Times | None:
        """None when it has ended. One that is there and makes no sense is as it was."""
        content = self._proc.read(f"{pid}/schedstat")
        if isinstance(content, Unreadable):
            times = None
            if content.reason is Reason.ABSENT:
                return None
        else:
            times = parsed(content)
        last = self._seen.get(pid)
        return times if times is not None or last is None else last.times

    def _keep_ended(self, seen: Mapping[str, _Seen]) -> None:
        """Give what processes said last to the cgroups that they are no longer in."""
        for pid, (path, times) in self._seen.items():
            now = seen.get(pid)
            if now is not None and not times.is_before(now.times):
                now = None
            if now is not None and now.path == path:
                continue
            stays_in = set(_and_above(now.path)) if now is not None else set()
            for above in _and_above(path):
                if above not in stays_in:
                    self._ended[above] = self._ended.get(above, Times()).plus(times)


def parsed(content: bytes) -> Times | None:
    """A process's schedstat: `<run> <waited> <periods>`."""
    match [number_of(word) for word in content.split()]:
        case [int() as run, int() as waited, int() as periods] if min(run, waited, periods) >= 0:
            return Times(run, waited, periods)
    return None


def _and_above(path: str) -> Iterator[str]:
    """The path of a cgroup and of all that it is in, up to `/`."""
    yield path
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path
