"""Network traffic of pods, of containers without a pod, and of the machine.

Read from /proc/<pid>/net/dev, proc_pid_net(5): the interfaces of the network namespace that a process is in. All
containers of a pod share one, so any live process of any of them tells it: no infra container is needed, which CRI-O
leaves out. Processes of the pod's own cgroup are not asked: those are monitors, such as conmon, in the host's network.

Who has the series. A pod's stand under the labels of the pod's own cgroup, once: `container`, `image` and `name` are
empty, `namespace` and `pod` are not. cAdvisor has them at the sandbox container, with its image and name. Dashboards
select and add up by namespace and pod, which is the same at both; a sandbox is not there with every runtime, and its
id changes when it is made anew while the pod's cgroup stays. Only `image!=""` finds nothing here. Where a pod has no
cgroup of its own, one of its containers lends its `id`. `/` has the interfaces of the machine itself.

The host's network. A pod with hostNetwork, or a container on it, has no series: cAdvisor shows the whole machine's
traffic at each of them. /proc/<pid>/net/dev has an inode number of its own in each network namespace, and whoever
may read it may ask for that; /proc/<pid>/ns/net would take CAP_SYS_PTRACE. Equal to that of process 1 means the host's.

What is kept is the process id. The file is opened at each scrape: an open one would keep the network alive, with its
devices, after the last process has gone, until somebody scrapes again. The inode number tells as well that a process id
stands for the network that it stood for.
"""

from collections.abc import Iterable, Iterator, Sequence

from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.members import processes
from exporters.cgroups.model import Cgroup, number_of
from exporters.collector import Family, Labels, counter
from exporters.host import Host, KeptFile, Tree, Unreadable
from exporters.pods.cgroup_path import Kind

METRICS = tuple(
    counter(f"container_network_{way}_{what}_total", f"Cumulative count of {meaning}.", *BASE_LABELS, "interface")
    for way, done, doing in (("receive", "received", "receiving"), ("transmit", "transmitted", "transmitting"))
    for what, meaning in (
        ("bytes", f"bytes {done}"),
        ("packets", f"packets {done}"),
        ("errors", f"errors while {doing}"),
        ("packets_dropped", f"packets dropped while {doing}"),
    )
)
"""In the order of the columns of net/dev: these are the first four of the eight that each way has."""

SKIPPED = (b"lo", b"veth", b"docker", b"nerdctl")
"""How names of interfaces begin that are not published, as in cAdvisor."""

_WAY = 4
_COLUMNS = 16
_HEADER_LINES = 2
_BEYOND = 1 << 64

_CERTAIN_END = 3072
"""The kernel hands the table out by the page of 4096 bytes, up to the last line that fits, and a line has less than
400: a shorter piece is all of it.
"""

_MOST_COMPARED = 100
"""Processes of which the oldest is looked for; of those tried, the first few."""
_MOST_TRIED = 3
_LONGEST_ID = 10
_START_FIELD = 19
"""Where the start of a process stands in its `stat`, from the state on, proc_pid_stat(5)."""

Counts = list[int]
"""The values of METRICS."""


class NetworkCollector:
    """Reads one file a pod, and one for each container without a pod."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._proc = host.proc
        self._init = host.proc.keep("1/net/dev")
        self._own = host.proc.keep("net/dev")
        self._networks: dict[str, Network] = {}

    def collect(self, now: float) -> Iterator[Family]:
        rows = list(self._rows(self._inventory.current(now)))
        for place, metric in enumerate(METRICS):
            yield metric.family([(labels, counts[place]) for labels, counts in rows])

    def _rows(self, cgroups: Sequence[Cgroup]) -> Iterator[tuple[Labels, Counts]]:
        for cgroup in cgroups:
            if cgroup.place.kind is Kind.ROOT:
                yield from _labelled(cgroup.labels, _table(self._init) or _table(self._own) or b"")
        pods = {cgroup.place.pod_uid: cgroup for cgroup in cgroups if cgroup.place.kind is Kind.POD}
        tenants = _tenants(cgroups)
        for key in self._networks.keys() - tenants.keys():
            del self._networks[key]
        for key, containers in tenants.items():
            network = self._networks.get(key)
            if network is None:
                network = self._networks[key] = Network(self._proc)
            table = network.read(containers)
            if table and network.member is not None:
                yield from _labelled(self._labels(pods.get(key), network.member), table)

    def _labels(self, pod: Cgroup | None, member: Cgroup) -> Labels:
        """Those of the pod's cgroup, or of the container that has no pod."""
        if pod is not None:
            return pod.labels
        return self._inventory.labels_of_pod(member) if member.place.pod_uid else member.labels


class Network:
    """The network of one pod or container, seen through one process in it. `member` is the cgroup of that process."""

    def __init__(self, proc: Tree) -> None:
        self.member: Cgroup | None = None
        self._proc = proc
        self._pid = ""
        self._inode = 0
        self._is_hosts = False
        self._in_vain: list[bytes | None] | None = None

    def read(self, containers: Sequence[Cgroup]) -> bytes:
        """Its net/dev as it is now; empty for the host's network, and while there is no process."""
        if self.member in containers:
            table = self._read()
            if table is not None:
                return table
        return self._choose(containers)

    def _read(self) -> bytes | None:
        """None when another process is to be chosen: this one has ended, or its id is another's by now."""
        table = b"" if self._is_hosts else self._proc.read(f"{self._pid}/net/dev")
        same = self._inode_of(self._pid) == self._inode
        return table if same and isinstance(table, bytes) else None

    def _inode_of(self, pid: str) -> int | None:
        status = self._proc.status(f"{pid}/net/dev")
        return None if isinstance(status, Unreadable) else status.st_ino

    def _choose(self, containers: Sequence[Cgroup]) -> bytes:
        self.member = None
        lists = [processes(cgroup) for cgroup in containers]
        if lists == self._in_vain:
            return b""
        for cgroup, ids in zip(containers, lists, strict=True):
            for pid in self._oldest(_visible(ids))[:_MOST_TRIED]:
                table = self._join(cgroup, pid)
                if table is not None:
                    self._in_vain = None
                    return table
        self._in_vain = lists  # the same processes will not be readable next time
        return b""

    def _join(self, cgroup: Cgroup, pid: str) -> bytes | None:
        """Its network from now on; None when the process ended, can't be read, or is another's by now."""
        inode = self._inode_of(pid)
        if inode is None:
            return None
        self._pid, self._inode, self._is_hosts = pid, inode, inode == self._inode_of("1")
        table = self._read()
        if table is None or pid not in _visible(processes(cgroup)):
            return None
        self.member = cgroup
        return table

    def _oldest(self, pids: list[str]) -> list[str]:
        """By age: what runs a network of its own inside a container was started later than the container."""
        if len(pids) <= 1:
            return pids
        return sorted(pids[:_MOST_COMPARED], key=lambda pid: (self._started(pid), int(pid)))

    def _started(self, pid: str) -> float:
        content = self._proc.read(f"{pid}/stat")
        # the name before the last parenthesis may hold spaces and parentheses
        words = b"" if isinstance(content, Unreadable) else content[content.rfind(b")") + 2 :]
        fields = words.split(b" ", _START_FIELD + 1)
        started = number_of(fields[_START_FIELD]) if len(fields) > _START_FIELD else None
        return float("inf") if started is None else started


def _tenants(cgroups: Iterable[Cgroup]) -> dict[str, list[Cgroup]]:
    """The containers of each pod by its uid, and those without a pod, each by its path."""
    tenants: dict[str, list[Cgroup]] = {}
    for cgroup in cgroups:
        if cgroup.place.kind is Kind.CONTAINER:
            tenants.setdefault(cgroup.place.pod_uid or cgroup.path, []).append(cgroup)
    return tenants


def _visible(ids: bytes | None) -> list[str]:
    """Process ids out of a cgroup's list; a 0 is one that is not to be seen from this process's namespace."""
    words = (ids or b"").decode("ascii", errors="replace").split()
    return [word for word in words if len(word) <= _LONGEST_ID and word.isascii() and word.isdigit() and word != "0"]


def _table(file: KeptFile) -> bytes | None:
    """The content of a net/dev; None when it can't be read."""
    content = file.read_record()
    if isinstance(content, bytes) and len(content) >= _CERTAIN_END:
        content = file.read()
    return content if isinstance(content, bytes) else None


def _labelled(labels: Labels, table: bytes) -> Iterator[tuple[Labels, Counts]]:
    for interface, counts in counted(table).items():
        yield (*labels, interface), counts


def counted(table: bytes) -> dict[str, Counts]:
    """The counts of each interface that is published. A line that can't be understood is left out."""
    found: dict[str, Counts] = {}
    for line in table.split(b"\n")[_HEADER_LINES:]:
        # an interface may have a colon in its name
        padded, _, rest = line.rpartition(b":")
        name = padded.lstrip(b" ")
        if not name or name.startswith(SKIPPED):
            continue
        words = rest.split()
        if len(words) < _COLUMNS:
            continue
        try:
            counts = list(map(int, words[:_WAY] + words[_COLUMNS // 2 : _COLUMNS // 2 + _WAY]))
        except ValueError:
            continue
        if min(counts) >= 0 and max(counts) < _BEYOND:
            found[name.decode(errors="replace")] = counts
    return found
