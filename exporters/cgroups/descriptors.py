"""Open files and sockets of the processes in cgroups, and how many files they may open.

Off by default: each descriptor is a link in /proc/<pid>/fd that is read, as only its target tells a socket, and it
takes root or CAP_DAC_READ_SEARCH with CAP_SYS_PTRACE. Formats: proc_pid_fd(5), proc_pid_limits(5), proc_pid_stat(5).

cAdvisor gives of all limits `max_open_files` only, of the container's first process, which the runtime names. The
oldest process in the cgroup is that one, and so there is one for the units of systemd as well. For the root it is
process 1, as in cAdvisor. A descriptor that several processes share counts in each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.cgroups.readers.members import by_age, ids_in, processes
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, number_of
from exporters.collector import Family, gauge
from exporters.host import Host, Reason, Unreadable
from exporters.pods.cgroup_path import Kind

FILES = gauge("container_file_descriptors", "Number of open file descriptors for the container.", *BASE_LABELS)
SOCKETS = gauge("container_sockets", "Number of open sockets for the container.", *BASE_LABELS)
SOFT_LIMITS = gauge(
    "container_ulimits_soft",
    "Soft limit of the container's first process; -1 is unlimited.",
    *BASE_LABELS,
    "ulimit",
)

SEE_ALL = "CAP_SYS_PTRACE"
"""The capability that lets a process read the descriptors of others, ptrace(2)."""

UNLIMITED = -1

_LIMIT = b"\nMax open files"


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What processes hold open; None where this process may not see all of it."""

    files: int | None
    sockets: int | None


class DescriptorsCollector:
    """Reads every descriptor of every process in a cgroup. One that has ended meanwhile holds none."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._proc = host.proc
        self._host = host

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = [(cgroup, ids_in(processes(cgroup))) for cgroup in self._inventory.current(now)]
        held = [(cgroup.labels, self._held(ids)) for cgroup, ids in cgroups if ids is not None]
        yield FILES.family([(labels, row.files) for labels, row in held if row.files is not None])
        yield SOCKETS.family([(labels, row.sockets) for labels, row in held if row.sockets is not None])
        limits = [(cgroup.labels, self._most_files(cgroup, ids)) for cgroup, ids in cgroups if ids]
        yield SOFT_LIMITS.family([((*labels, "max_open_files"), most) for labels, most in limits if most is not None])

    def _held(self, ids: list[str]) -> Descriptors:
        files, sockets = 0, 0
        all_seen = True
        for pid in ids:
            names = self._proc.names(f"{pid}/fd")
            if isinstance(names, Unreadable):
                if names.reason is Reason.ABSENT:
                    continue
                return Descriptors(None, None)
            files += len(names)
            found = self._sockets(pid, names) if all_seen else None
            if found is None:
                all_seen = False
            else:
                sockets += found
        return Descriptors(files, sockets if all_seen else None)

    def _sockets(self, pid: str, names: list[str]) -> int | None:
        """How many of a process's descriptors are sockets; None when it may not be asked."""
        sockets = 0
        for name in names:
            target = self._proc.target(f"{pid}/fd/{name}")
            if not isinstance(target, Unreadable):
                sockets += target.startswith("socket:")
            elif target.reason is Reason.NOT_PERMITTED:
                self._host.deny(target.path, SEE_ALL)
                return None
        return sockets

    def _most_files(self, cgroup: Cgroup, ids: list[str]) -> int | None:
        first = "1" if cgroup.place.kind is Kind.ROOT else by_age(self._proc, ids)[0]
        content = self._proc.read(f"{first}/limits")
        if isinstance(content, Unreadable):
            return None
        words = content.partition(_LIMIT)[2].split(maxsplit=1)
        return UNLIMITED if words[:1] == [b"unlimited"] else number_of(words[0] if words else None)
