"""One node of a cluster for the exporters, and what kube-state-metrics would say of it.

The node runs containerd, with systemd on cgroup v2 and without it on v1, and a pod of each kind of owner.
kube-state-metrics is a file of metrics, for the exporter's own textfile collector to serve.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees.kubernetes import folders, slices
from tests.exporters.cgroups.trees.layout import Layout
from tests.exporters.cgroups.trees.names import Container, Pod, containerd_bundles, id_of, logs
from tests.exporters.cgroups.trees.processes import HOST
from tests.exporters.cgroups.trees.v2 import Limits

NODE = "node-1"
VERSIONS = ("v1", "v2")

APP = Container("app", "registry.example.org/app:1.2.3", Limits(quota=50_000, memory=256 << 20))
PROXY = Container("istio-proxy", "registry.example.org/proxy:4.5.6", Limits(quota=20_000, memory=128 << 20))


def _pod(name: str, *containers: Container, namespace: str = "shop", on_host: bool = False) -> Pod:
    digits = id_of(f"uid of {namespace}/{name}")
    uid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
    return Pod(namespace, name, uid, "burstable", containers or (APP,), host_network=on_host)


OWNED = (
    (_pod("web-5d8f6c7b9d-x2x4z", APP, PROXY), "ReplicaSet", "web-5d8f6c7b9d"),
    (_pod("web-5d8f6c7b9d-b7kqm", APP, PROXY), "ReplicaSet", "web-5d8f6c7b9d"),
    (_pod("lone-7c9d6f5b8-qq2zx"), "ReplicaSet", "lone-7c9d6f5b8"),
    (_pod("rolled-66b5c7d8f-8sjf2"), "ReplicaSet", "rolled-66b5c7d8f"),
    (_pod("db-0"), "StatefulSet", "db"),
    (_pod("import-4k2lp"), "Job", "import"),
    (_pod("report-29000000-9xk2v"), "Job", "report-29000000"),
    (_pod("by-hand"), "", ""),
    (_pod("game-0"), "GameServer", "game"),
    (_pod("agent-7xk2p", namespace="kube-system", on_host=True), "DaemonSet", "agent"),
    (_pod("etcd-node-1", namespace="kube-system", on_host=True), "Node", NODE),
)
"""Each pod with its direct owner, by kind and name."""

PODS = tuple(pod for pod, _, _ in OWNED)
WEB = PODS[0]
CONTAINERS = sorted((pod.name, container.name) for pod in PODS for container in pod.containers)

_PERIODS = re.compile(r"(nr_periods|nr_throttled) (\d+)")
_OWNERS_OF_REPLICA_SETS = (
    ("web-5d8f6c7b9d", "Deployment", "web"),
    ("lone-7c9d6f5b8", "", ""),
    ("rolled-66b5c7d8f", "Rollout", "rolled"),
)
_OWNERS_OF_JOBS = (("import", "", ""), ("report-29000000", "CronJob", "report"))


def node_of_a_cluster(folder: Path, version: str) -> FakeMachine:
    """The machine on which these pods run."""
    machine = FakeMachine(folder)
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/containerd.service", "/system.slice/kubelet.service")
    path = folders if version == "v1" else slices("cri-containerd-{}.scope")
    for pod in PODS:
        ids = {container: pod.id_of(container) for container in pod.containers}
        layout.add(path(pod, ""))
        layout.add(path(pod, pod.sandbox), HOST if pod.host_network else pod.network, idle=True)
        for container, one in ids.items():
            layout.add(path(pod, one), pod.network, limits=container.limits)
        containerd_bundles(machine, pod, {one: path(pod, one) for one in (pod.sandbox, *ids.values())})
        logs(machine, pod)
    (layout.write_v1 if version == "v1" else layout.write_v2)()
    return machine


def let_time_pass(machine: FakeMachine) -> None:
    """All who have a quota get through 100 more of its periods, half of them throttled."""
    for file in (machine.folder / "cgroup").rglob("cpu.stat"):
        text = _PERIODS.sub(_later, file.read_text(encoding="ascii"))
        file.write_text(text, encoding="ascii")


def _later(found: re.Match[str]) -> str:
    return f"{found[1]} {int(found[2]) + (100 if found[1] == 'nr_periods' else 50)}"


def kube_state_metrics() -> str:
    """As much as kube-prometheus' rules and boards of containers join with."""
    lines = [*_of_the_cluster(), *(line for pod, kind, owner in OWNED for line in _of_a_pod(pod, kind, owner))]
    return "".join(f"{line}\n" for line in lines)


def _of_the_cluster() -> Iterator[str]:
    for namespace in sorted({pod.namespace for pod in PODS}):
        yield f'kube_namespace_status_phase{{namespace="{namespace}",phase="Active"}} 1'
    yield f'kube_node_info{{node="{NODE}",internal_ip="10.0.0.1"}} 1'
    yield f'kube_node_role{{node="{NODE}",role="control-plane"}} 1'
    for what in ("allocatable", "capacity"):
        for resource, unit, amount in (("cpu", "core", 8), ("memory", "byte", 8 << 30), ("pods", "integer", 110)):
            yield f'kube_node_status_{what}{{node="{NODE}",resource="{resource}",unit="{unit}"}} {amount}'
    for resource in ("requests.cpu", "limits.cpu", "requests.memory", "limits.memory"):
        for kind in ("hard", "used"):
            yield f'kube_resourcequota{{namespace="shop",resourcequota="all",resource="{resource}",type="{kind}"}} 8'
    for replicaset, kind, owner in _OWNERS_OF_REPLICA_SETS:
        labels = f'namespace="shop",replicaset="{replicaset}",owner_kind="{kind}",owner_name="{owner}"'
        yield f"kube_replicaset_owner{{{labels}}} 1"
    for job, kind, owner in _OWNERS_OF_JOBS:
        yield f'kube_job_owner{{namespace="shop",job_name="{job}",owner_kind="{kind}",owner_name="{owner}"}} 1'


def _of_a_pod(pod: Pod, kind: str, owner: str) -> Iterator[str]:
    who = f'namespace="{pod.namespace}",pod="{pod.name}"'
    yield f'kube_pod_info{{{who},node="{NODE}",uid="{pod.uid}",host_network="{str(pod.host_network).lower()}"}} 1'
    yield f'kube_pod_owner{{{who},owner_kind="{kind}",owner_name="{owner}"}} 1'
    yield f'kube_pod_status_phase{{{who},phase="Running"}} 1'
    for container in pod.containers:
        for resource, unit, amount in (("cpu", "core", 0.5), ("memory", "byte", 256 << 20)):
            labels = f'{who},container="{container.name}",resource="{resource}",unit="{unit}",node="{NODE}"'
            yield f"kube_pod_container_resource_requests{{{labels}}} {amount}"
            yield f"kube_pod_container_resource_limits{{{labels}}} {amount}"
