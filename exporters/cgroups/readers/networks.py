"""The networks of the machine, of pods, and of containers without a pod, by the files /proc/<pid>/net/*.

All containers of a pod share one network namespace, so any live process of any of them tells it: no infra container is
needed, which CRI-O leaves out. Processes of the pod's own cgroup are not asked: those are monitors, such as conmon, in
the host's network.

Who has the series. A pod's stand under the labels of the pod's own cgroup, once: `container`, `image` and `name` are
empty, `namespace` and `pod` are not. cAdvisor has them at the sandbox container, with its image and name. Dashboards
select and add up by namespace and pod, which is the same at both; a sandbox is not there with every runtime, and its
id changes when it is made anew while the pod's cgroup stays. Only `image!=""` finds nothing here. Where a pod has no
cgroup of its own, one of its containers lends its `id`. `/` has the network of the machine itself.

The host's network. A pod with hostNetwork, or a container on it, has no series: cAdvisor shows the whole machine's
network at each of them. /proc/<pid>/net/dev has an inode number of its own in each network namespace, and whoever
may read it may ask for that; /proc/<pid>/ns/net would take CAP_SYS_PTRACE. Equal to that of process 1 means the host's.

What is kept is the process id. Files are opened at each scrape: an open one would keep the network alive, with its
devices, after the last process has gone, until somebody scrapes again. The inode number tells as well that a process id
stands for the network that it stood for.
"""

from collections.abc import Iterable, Iterator, Sequence

from exporters.cgroups.readers.members import by_age, ids_in, processes, started
from exporters.cgroups.tree.inventory import Inventory
from exporters.cgroups.tree.model import Cgroup
from exporters.collector import Labels
from exporters.host import KeptFile, Tree, Unreadable
from exporters.pods.cgroup_path import Kind

_IDENTITY = "net/dev"
"""Which network it is: a file that is always there."""

_CERTAIN_END = 3072
"""The kernel hands a table out by the page of 4096 bytes, up to the last line that fits, and a line has less than 400:
a shorter piece is all of it. For net/tcp it looks through the sockets of the whole machine each time it is asked.
"""

_MOST_COMPARED = 100
"""Processes of which the oldest is looked for; of those tried, the first few."""
_MOST_TRIED = 3

Contents = list[bytes]
"""One for each file that is asked for; empty for one that can't be read, as net/tcp6 where there is no IPv6."""


class Networks:
    """The networks that there are now, with the contents of the files `names`, each below /proc/<pid>."""

    def __init__(self, inventory: Inventory, proc: Tree, *names: str) -> None:
        self._inventory = inventory
        self._proc = proc
        self._names = names
        self._of_init = [proc.keep(f"1/{name}") for name in names]
        self._of_self = [proc.keep(name) for name in names]
        self._known: dict[str, Network] = {}

    def read(self, now: float) -> Iterator[tuple[Labels, Contents]]:
        """The labels of whoever has the series, and the contents. A sandbox without series tells its pod's network
        like any container.
        """
        cgroups, chosen = self._inventory.everyone(now), set(self._inventory.current(now))
        taken: set[Labels] = {("",)}
        for cgroup in chosen:
            if cgroup.place.kind is Kind.ROOT:
                taken.add(cgroup.labels)
                yield cgroup.labels, self._machine()
        pods = {cgroup.place.pod: cgroup for cgroup in cgroups if cgroup.place.kind is Kind.POD}
        tenants = _tenants(cgroups)
        for key in self._known.keys() - tenants.keys():
            del self._known[key]
        read = {
            key: self._known.setdefault(key, Network(self._proc, self._names)).read(containers)
            for key, containers in tenants.items()
            if not chosen.isdisjoint([pods[key]] if key in pods else containers)
        }
        owners = _owners([self._known[key] for key, contents in read.items() if contents])
        for key, contents in read.items():
            labels = self._labels(pods.get(key), self._known[key].member)
            # without the label `id` two that lend theirs may be called the same
            if contents and self._known[key] in owners and labels not in taken:
                taken.add(labels)
                yield labels, contents

    def _machine(self) -> Contents:
        return [_whole(init) or _whole(own) for init, own in zip(self._of_init, self._of_self, strict=True)]

    def _labels(self, pod: Cgroup | None, member: Cgroup | None) -> Labels:
        """Those of the pod's cgroup, or of the container that has no pod."""
        if pod is not None:
            return pod.labels
        if member is None:
            return ("",)
        return self._inventory.labels_of_pod(member) if member.place.pod_uid else member.labels


class Network:
    """The network of one pod or container, seen through one process in it. `member` is the cgroup of that process."""

    def __init__(self, proc: Tree, names: Sequence[str]) -> None:
        self.member: Cgroup | None = None
        self._proc = proc
        self._names = names
        self._pid = ""
        self.inode = 0
        self.started = float("inf")
        self._is_hosts = False
        self._in_vain: list[bytes | None] | None = None

    def read(self, containers: Sequence[Cgroup]) -> Contents:
        """Its files as they are now; none for the host's network, and while there is no process."""
        if self.member in containers:
            contents = self._read()
            if contents is not None:
                return contents
        return self._choose(containers)

    def _read(self) -> Contents | None:
        """None when another process is to be chosen: this one has ended, or its id is another's by now."""
        contents = [] if self._is_hosts else [self._content(name) for name in self._names]
        same = self._inode_of(self._pid) == self.inode
        return contents if same and (self._is_hosts or any(contents)) else None

    def _content(self, name: str) -> bytes:
        file = self._proc.keep(f"{self._pid}/{name}")
        content = _whole(file)
        file.close()
        return content

    def _inode_of(self, pid: str) -> int | None:
        status = self._proc.status(f"{pid}/{_IDENTITY}")
        return None if isinstance(status, Unreadable) else status.st_ino

    def _choose(self, containers: Sequence[Cgroup]) -> Contents:
        self.member = None
        lists = [processes(cgroup) for cgroup in containers]
        if lists == self._in_vain:
            return []
        for cgroup, ids in zip(containers, lists, strict=True):
            # what runs a network of its own inside a container was started later than the container
            for pid in by_age(self._proc, (ids_in(ids) or [])[:_MOST_COMPARED])[:_MOST_TRIED]:
                contents = self._join(cgroup, pid)
                if contents is not None:
                    self._in_vain = None
                    return contents
        self._in_vain = lists  # the same processes will not be readable next time
        return []

    def _join(self, cgroup: Cgroup, pid: str) -> Contents | None:
        """Its network from now on; None when the process ended, can't be read, or is another's by now."""
        inode = self._inode_of(pid)
        if inode is None:
            return None
        self.started = started(self._proc, pid)
        self._pid, self.inode, self._is_hosts = pid, inode, inode == self._inode_of("1")
        contents = self._read()
        if contents is None or pid not in (ids_in(processes(cgroup)) or []):
            return None
        self.member = cgroup
        return contents


def _owners(networks: Iterable[Network]) -> set[Network]:
    """Each network once: of several containers in it, as with Docker's `--network container:…` or in a pod of Podman,
    the one that was there first.
    """
    owners: dict[int, Network] = {}
    for network in networks:
        other = owners.setdefault(network.inode, network)
        if network.started < other.started:
            owners[network.inode] = network
    return set(owners.values())


def _tenants(cgroups: Iterable[Cgroup]) -> dict[str, list[Cgroup]]:
    """The containers of each pod by its uid, and those without a pod, each by its path."""
    tenants: dict[str, list[Cgroup]] = {}
    for cgroup in cgroups:
        if cgroup.place.kind is Kind.CONTAINER:
            tenants.setdefault(cgroup.place.pod or cgroup.path, []).append(cgroup)
    return tenants


def _whole(file: KeptFile) -> bytes:
    """The content of a file of net; empty when it can't be read."""
    content = file.read_record()
    if isinstance(content, bytes) and len(content) >= _CERTAIN_END:
        content = file.read()
    return content if isinstance(content, bytes) else b""
