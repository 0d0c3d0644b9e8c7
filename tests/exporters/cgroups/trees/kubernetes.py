"""Nodes of Kubernetes as each runtime and driver of cgroups lays them out."""

from collections.abc import Callable, Sequence

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees.layout import Layout
from tests.exporters.cgroups.trees.names import (
    Container,
    Pod,
    containerd_bundles,
    cri_dockerd,
    crio_bundles,
    docker,
    id_of,
    logs,
)
from tests.exporters.cgroups.trees.processes import HOST
from tests.exporters.cgroups.trees.v2 import NONE, Limits

WEB = Pod(
    "shop",
    "web-0",
    "4a163a05-439d-484b-8e53-2968bc15824f",
    "burstable",
    (
        Container("app", "docker.io/library/nginx:1.27", Limits(quota=50_000, memory=256 << 20), kills=2),
        Container("proxy", "ghcr.io/example/proxy:v3"),
    ),
    labels={"app": "web"},
)
API = Pod(
    "shop",
    "api-7d4b9c6f5d-x2x4q",
    "019c1fe8-0d92-4aa0-b61c-4df58bdde71c",
    "guaranteed",
    (Container("api", "ghcr.io/example/api@sha256:" + id_of("api"), Limits(100_000, 512 << 20, "2-3")),),
    labels={"app": "api", "pod-template-hash": "7d4b9c6f5d"},
)
AGENT = Pod(
    "monitoring",
    "agent-kzv5d",
    "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8",
    "besteffort",
    (Container("agent", "quay.io/example/agent:2.1"),),
    host_network=True,
)
ETCD = Pod(
    "kube-system",
    "etcd-node-1",
    "b53dfa9e2dc9b890f7fadb2770857b03",
    "burstable",
    (Container("etcd", "registry.k8s.io/etcd:3.5.15-0"),),
    host_network=True,
)
MACHINE = Pod(
    "builds",
    "vm-0",
    "a3f1c2d4-5b6e-4f70-8a9b-0c1d2e3f4a5b",
    "besteffort",
    (Container("systemd", "registry.example.org:5000/os/debian", inside=("init.scope", "system.slice/sshd.service")),),
)
PODS = (WEB, API, AGENT, ETCD, MACHINE)
"""All three classes of service, a static pod, pods on the host's network, and a systemd in a container."""

SERVICES = ("/init.scope", "/system.slice/containerd.service", "/system.slice/kubelet.service")
NODE = "kind-control-plane"
"""The name of the container that is a node of kind."""

Paths = Callable[[Pod, str], str]
"""Where a container of a pod is, by its id; the pod itself by an empty id."""


def slices(scope: str, prefix: str = "/", name: str = "kubepods") -> Paths:
    """The systemd driver: a slice a pod, a scope such as `cri-containerd-{}.scope` a container."""

    def path(pod: Pod, container_id: str) -> str:
        escaped = pod.uid.replace("-", "_")
        classes = "" if pod.qos == "guaranteed" else f"{name}-{pod.qos}.slice/"
        stem = name if pod.qos == "guaranteed" else f"{name}-{pod.qos}"
        slice_ = f"{prefix}{name}.slice/{classes}{stem}-pod{escaped}.slice"
        return f"{slice_}/{scope.format(container_id)}" if container_id else slice_

    return path


def folders(pod: Pod, container_id: str) -> str:
    """The cgroupfs driver."""
    classes = "" if pod.qos == "guaranteed" else f"/{pod.qos}"
    return f"/kubepods{classes}/pod{pod.uid}" + (f"/{container_id}" if container_id else "")


def containerd(machine: FakeMachine) -> None:
    """v2, systemd driver: a sandbox a pod, and systemd's own units."""
    layout = Layout(machine)
    layout.add_units(*SERVICES)
    _containerd_pods(layout, PODS, slices("cri-containerd-{}.scope"))
    layout.write_v2()


def containerd_cgroupfs(machine: FakeMachine) -> None:
    """v1, cgroupfs driver."""
    layout = Layout(machine, processors=2)
    layout.add_units("/system.slice/containerd.service", "/user.slice")
    _containerd_pods(layout, (WEB, API, AGENT), folders)
    layout.write_v1()


def containerd_misconfigured(machine: FakeMachine) -> None:
    """v2, a kubelet with the systemd driver and a containerd without `SystemdCgroup`: runc takes the name of the slice
    for a folder's beside that of containerd's own, and the pod's slice stays empty.
    """
    right = slices("cri-containerd-{}.scope")

    def wrong(pod: Pod, container_id: str) -> str:
        slice_ = right(pod, "")
        return f"/system.slice/{slice_.rpartition('/')[2]}:cri-containerd:{container_id}" if container_id else slice_

    layout = Layout(machine)
    layout.add_units(*SERVICES)
    _containerd_pods(layout, (WEB, AGENT), wrong)
    layout.write_v2()


def crio(machine: FakeMachine) -> None:
    """v2, systemd driver, crun: its processes are one level down, a monitor beside each container, no sandboxes."""
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/crio.service", "/system.slice/kubelet.service")
    path, monitor = slices("crio-{}.scope"), slices("crio-conmon-{}.scope")
    for pod in (WEB, API, AGENT, MACHINE):
        layout.add(path(pod, ""))
        for container in pod.containers:
            one = pod.id_of(container)
            layout.add(monitor(pod, one), HOST, idle=True)
            _add_container(layout, path(pod, one), pod, container, below="/container")
        crio_bundles(machine, pod, {pod.id_of(one): f"slice:crio:{pod.id_of(one)}" for one in pod.containers})
        logs(machine, pod)
    layout.write_v2()


def docker_pods(machine: FakeMachine) -> None:
    """v2, systemd driver, Docker by way of cri-dockerd."""
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/docker.service", "/system.slice/kubelet.service")
    for pod in (WEB, API, AGENT):
        _add_pod(layout, pod, slices("docker-{}.scope"))
        cri_dockerd(machine, pod)
        logs(machine, pod)
    layout.write_v2()


def kind_host(machine: FakeMachine) -> None:
    """v2, a host with a node of kind in a container of Docker: what is in it is below that container."""
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/docker.service")
    node = f"/system.slice/docker-{id_of(NODE)}.scope"
    layout.add(node)
    for unit in ("/init.scope", "/system.slice/containerd.service", "/kubelet.slice/kubelet.service"):
        layout.add(f"{node}{unit}", NODE)
    for pod in (WEB, ETCD):
        _add_pod(layout, pod, slices("cri-containerd-{}.scope", f"{node}/kubelet.slice/", "kubelet-kubepods"))
    docker(machine, id_of(NODE), NODE, "kindest/node:v1.31.0", {"io.x-k8s.kind.role": "control-plane"}, "kind")
    layout.write_v2()


def kind_node(machine: FakeMachine) -> None:
    """The same seen from the container: its root is no root to the kernel, and has limits."""
    layout = Layout(machine, root=f"/system.slice/docker-{id_of(NODE)}.scope")
    layout.add_units("/init.scope", "/system.slice/containerd.service", "/kubelet.slice/kubelet.service")
    _containerd_pods(layout, (WEB, ETCD), slices("cri-containerd-{}.scope", "/kubelet.slice/", "kubelet-kubepods"))
    layout.write_v2()


def _containerd_pods(layout: Layout, pods: Sequence[Pod], path: Paths) -> None:
    for pod in pods:
        _add_pod(layout, pod, path)
        ids = (pod.sandbox, *map(pod.id_of, pod.containers))
        containerd_bundles(layout.machine, pod, {one: path(pod, one) for one in ids})
        logs(layout.machine, pod)


def _add_pod(layout: Layout, pod: Pod, path: Paths) -> None:
    layout.add(path(pod, ""))
    layout.add(path(pod, pod.sandbox), pod.network, idle=True)
    for container in pod.containers:
        _add_container(layout, path(pod, pod.id_of(container)), pod, container)


def _add_container(layout: Layout, path: str, pod: Pod, container: Container, below: str = "") -> None:
    """The processes are in the container's cgroup, or further down."""
    inside = [f"{path}{below}/{name}" for name in container.inside] or [f"{path}{below}"]
    if inside != [path]:
        layout.add(path, limits=container.limits)
    for one in inside:
        limits = container.limits if one == path else NONE
        layout.add(one, *[pod.network] * (1 if container.inside else 2), limits=limits, kills=container.kills)
