"""One node of a cluster for the exporters, and what kube-state-metrics would say of it.

The node: systemd and containerd on cgroup v2, names in OCI bundles and log folders, a pod of each kind of owner.
kube-state-metrics is a file of metrics, for the exporter's own textfile collector to serve.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from exporters.testing import FakeMachine
from tests.exporters.machines import v2_cgroup

NODE = "node-1"
NET_DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier "
    "compressed\n"
    "    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n"
    "  eth0: 5000 50 1 2 0 0 0 0 4000 40 3 4 0 0 0 0\n"
)
IO_STAT = "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n"
DISKSTATS = "   8       0 sda 1 0 8 0 2 0 16 0 0 0 0 0 0 0 0 0 0\n"


@dataclass(frozen=True)
class Pod:
    """A pod with one container for each name. `owner` is its direct owner, such as ReplicaSet/web-5d8f6c7b9d."""

    namespace: str
    name: str
    owner: str = ""
    containers: tuple[str, ...] = ("app",)

    @property
    def uid(self) -> str:
        """Made of the name, as the ids of its containers are."""
        digits = sha256(f"{self.namespace}/{self.name}".encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def container_id(self, container: str) -> str:
        """64 hexadecimal digits."""
        return sha256(f"{self.uid}/{container}".encode()).hexdigest()

    @property
    def cgroup(self) -> str:
        """Where its cgroup is, by the systemd driver; a pod without limits on all containers is burstable."""
        slices = "kubepods.slice/kubepods-burstable.slice"
        return f"{slices}/kubepods-burstable-pod{self.uid.replace('-', '_')}.slice"


PODS = (
    Pod("shop", "web-5d8f6c7b9d-x2x4z", "ReplicaSet/web-5d8f6c7b9d", ("app", "istio-proxy")),
    Pod("shop", "web-5d8f6c7b9d-b7kqm", "ReplicaSet/web-5d8f6c7b9d", ("app", "istio-proxy")),
    Pod("shop", "lone-7c9d-qq2zx", "ReplicaSet/lone-7c9d"),
    Pod("shop", "rolled-66b5-8sjf2", "ReplicaSet/rolled-66b5"),
    Pod("shop", "db-0", "StatefulSet/db"),
    Pod("shop", "import-4k2lp", "Job/import"),
    Pod("shop", "report-29000000-9xk2v", "Job/report-29000000"),
    Pod("shop", "by-hand"),
    Pod("shop", "game-0", "GameServer/game"),
    Pod("kube-system", "agent-7xk2p", "DaemonSet/agent"),
    Pod("kube-system", "etcd-node-1", "Node/node-1"),
)
WEB = PODS[0]


def node_of_a_cluster(folder: Path) -> FakeMachine:
    """The machine on which these pods run."""
    machine = FakeMachine(folder)
    machine.write_all(
        {
            "stat": "".join(f"cpu{number} 1 0 1 1 0 0 0 0 0 0\n" for number in ("", 0, 1, 2, 3)) + "btime 1700000000\n",
            "meminfo": "MemTotal: 8388608 kB\nMemFree: 4194304 kB\nBuffers: 0 kB\nCached: 1048576 kB\nSwapTotal: 0 kB\n"
            "SwapFree: 0 kB\nSwapCached: 0 kB\nAnonPages: 2097152 kB\nInactive(file): 4096 kB\nActive(file): 4096 kB\n",
            "diskstats": DISKSTATS,
            "1/net/dev": NET_DEV,
        },
        "proc",
    )
    for path in ("", "kubepods.slice", "kubepods.slice/kubepods-burstable.slice", "system.slice/sshd.service"):
        v2_cgroup(machine, path, quota="max 100000")
    for number, pod in enumerate(PODS):
        _run(machine, pod, 1000 + 10 * number)
    return machine


def _run(machine: FakeMachine, pod: Pod, pid: int) -> None:
    """A pod's cgroups, its containers' bundles, and one process in each container."""
    v2_cgroup(machine, pod.cgroup, quota="max 100000")
    for place, container in enumerate(("", *pod.containers)):
        digits = pod.container_id(container)
        path = f"{pod.cgroup}/cri-containerd-{digits}.scope"
        v2_cgroup(machine, path)
        process = pid + place
        machine.write_all({"io.stat": IO_STAT, "cgroup.procs": f"{process}\n"}, f"cgroup/{path}")
        machine.write(f"proc/{process}/net/dev", NET_DEV)
        machine.write(f"proc/{process}/stat", f"{process} (a) S {' '.join(['0'] * 18)} {process} 0 0\n")
        bundle = f"root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{digits}/config.json"
        machine.write(bundle, json.dumps({"annotations": _annotations(pod, container)}))
    for container in pod.containers:
        machine.write(f"root/var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}/{container}/0.log", "")


def _annotations(pod: Pod, container: str) -> dict[str, str]:
    """What containerd's CRI plug-in writes; without a name it is the sandbox."""
    told = {
        "container-type": "container" if container else "sandbox",
        "sandbox-id": pod.container_id(""),
        "sandbox-name": pod.name,
        "sandbox-namespace": pod.namespace,
        "sandbox-uid": pod.uid,
    }
    if container:
        told |= {"container-name": container, "image-name": f"registry.example/{container}:1.2.3"}
    return {f"io.kubernetes.cri.{key}": value for key, value in told.items()}


def kube_state_metrics() -> str:
    """As much as kube-prometheus' rules and boards of containers join with."""
    return "".join(f"{line}\n" for line in (*_of_the_cluster(), *(line for pod in PODS for line in _of_a_pod(pod))))


def _of_the_cluster() -> Iterator[str]:
    for namespace in sorted({pod.namespace for pod in PODS}):
        yield f'kube_namespace_status_phase{{namespace="{namespace}",phase="Active"}} 1'
    yield f'kube_node_info{{node="{NODE}",internal_ip="10.0.0.1"}} 1'
    yield f'kube_node_role{{node="{NODE}",role="control-plane"}} 1'
    for what in ("allocatable", "capacity"):
        for resource, unit, amount in (("cpu", "core", 4), ("memory", "byte", 8 << 30), ("pods", "integer", 110)):
            yield f'kube_node_status_{what}{{node="{NODE}",resource="{resource}",unit="{unit}"}} {amount}'
    for resource in ("requests.cpu", "limits.cpu", "requests.memory", "limits.memory"):
        for kind in ("hard", "used"):
            yield f'kube_resourcequota{{namespace="shop",resourcequota="all",resource="{resource}",type="{kind}"}} 8'
    for replicaset, kind, owner in (
        ("web-5d8f6c7b9d", "Deployment", "web"),
        ("lone-7c9d", "", ""),
        ("rolled-66b5", "Rollout", "rolled"),
    ):
        labels = f'namespace="shop",replicaset="{replicaset}",owner_kind="{kind}",owner_name="{owner}"'
        yield f"kube_replicaset_owner{{{labels}}} 1"
    for job, kind, owner in (("import", "", ""), ("report-29000000", "CronJob", "report")):
        yield f'kube_job_owner{{namespace="shop",job_name="{job}",owner_kind="{kind}",owner_name="{owner}"}} 1'


def _of_a_pod(pod: Pod) -> Iterator[str]:
    who = f'namespace="{pod.namespace}",pod="{pod.name}"'
    kind, _, owner = pod.owner.partition("/")
    yield f'kube_pod_info{{{who},node="{NODE}",uid="{pod.uid}",host_network="false"}} 1'
    yield f'kube_pod_owner{{{who},owner_kind="{kind}",owner_name="{owner}"}} 1'
    yield f'kube_pod_status_phase{{{who},phase="Running"}} 1'
    for container in pod.containers:
        for resource, unit, amount in (("cpu", "core", 0.5), ("memory", "byte", 1000)):
            labels = f'{who},container="{container}",resource="{resource}",unit="{unit}",node="{NODE}"'
            yield f"kube_pod_container_resource_requests{{{labels}}} {amount}"
            yield f"kube_pod_container_resource_limits{{{labels}}} {amount}"
