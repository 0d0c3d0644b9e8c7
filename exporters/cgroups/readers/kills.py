"""Kills by the kernel that survive the container, on cgroup v1.

v1 counts a killed process in its own cgroup only, and the count goes with the cgroup: a pod's stays 0, and a container
that comes back begins anew. So a pod is given the kills of all its containers, also of those that are gone, as far as a
scrape has seen them. (On v2 the kernel itself counts upwards, see `v2`.)
"""

from collections.abc import Sequence
from typing import NamedTuple

from exporters.cgroups.tree.model import Cgroup
from exporters.pods.cgroup_path import Kind

Counts = list[tuple[Cgroup, int | None]]


class _Container(NamedTuple):
    pod: str
    kills: int


class Kills:
    """Remembers the last count of each container, and for each pod the sum of those that are gone."""

    def __init__(self) -> None:
        self._last: dict[str, _Container] = {}
        """By path: runtimes remove a cgroup from one hierarchy after the other, and it is the same all the while."""
        self._gone: dict[str, int] = {}

    def with_those_of_pods(self, counts: Sequence[tuple[Cgroup, int | None]]) -> Counts:
        """The counts of a scrape, those of pods with the counts of their containers added."""
        pods = {cgroup.place.pod for cgroup, _ in counts if cgroup.place.kind is Kind.POD}
        living = {
            cgroup.path: _Container(cgroup.place.pod, self._last_of(cgroup) if count is None else count)
            for cgroup, count in counts
            if cgroup.place.kind is Kind.CONTAINER and cgroup.place.pod
        }
        for path, (pod, kills) in self._last.items():
            # the kernel's count never falls: one that did is of a new cgroup
            if path not in living or living[path].kills < kills:
                self._gone[pod] = self._gone.get(pod, 0) + kills
        self._last = living
        self._gone = {uid: count for uid, count in self._gone.items() if uid in pods}
        sums = dict(self._gone)
        for pod, kills in living.values():
            sums[pod] = sums.get(pod, 0) + kills
        return [
            (cgroup, count + sums.get(cgroup.place.pod, 0))
            if cgroup.place.kind is Kind.POD and count is not None
            else (cgroup, count)
            for cgroup, count in counts
        ]

    def _last_of(self, cgroup: Cgroup) -> int:
        """One that can't tell now is not gone."""
        return self._last[cgroup.path].kills if cgroup.path in self._last else 0
