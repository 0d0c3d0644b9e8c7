"""The files in which runtimes and the kubelet keep the names of what they run, cut to what tells who it is.

Formats: containerd `internal/cri/annotations`, CRI-O `pkg/annotations`, moby `container/container.go`, cri-dockerd
`core/labels.go`, containers/storage `containers.go`, kubelet `kuberuntime/legacy.go` (links of logs).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees.processes import HOST
from tests.exporters.cgroups.trees.v2 import NONE, Limits

PAUSE = "registry.k8s.io/pause:3.10"


def id_of(name: str) -> str:
    """The 64 hexadecimal digits by which a runtime knows a container."""
    return hashlib.sha256(name.encode()).hexdigest()


@dataclass(frozen=True)
class Container:
    """A container of a pod. `inside` are the cgroups that a systemd in it makes; `kills` its processes killed."""

    name: str
    image: str
    limits: Limits = NONE
    kills: int = 0
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pod:
    """A pod, and what owns it. A static pod's uid is the hash of its manifest."""

    namespace: str
    name: str
    uid: str
    qos: str
    containers: tuple[Container, ...]
    host_network: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """Which network its processes are in."""
        return HOST if self.host_network else f"{self.namespace}/{self.name}"

    @property
    def sandbox(self) -> str:
        """The id of its sandbox."""
        return id_of(f"{self.namespace}/{self.name}")

    def id_of(self, container: Container) -> str:
        """The id of one of its containers."""
        return id_of(f"{self.namespace}/{self.name}/{container.name}")

    def docker_name(self, container: str) -> str:
        """As dockershim named containers, and cri-dockerd and CRI-O do."""
        return f"k8s_{container}_{self.name}_{self.namespace}_{self.uid}_0"


def logs(machine: FakeMachine, pod: Pod) -> None:
    """What the kubelet makes for every runtime: folders of logs, and a link into them for each container."""
    links = machine.folder / "root/var/log/containers"
    links.mkdir(parents=True, exist_ok=True)
    for container in pod.containers:
        file = f"var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}/{container.name}/0.log"
        machine.write(f"root/{file}", "")
        link = links / f"{pod.name}_{pod.namespace}_{container.name}-{pod.id_of(container)}.log"
        link.symlink_to(f"/{file}")


def containerd_bundles(machine: FakeMachine, pod: Pod, cgroups: dict[str, str]) -> None:
    """OCI bundles of containerd 2; `cgroups` are the `cgroupsPath` by the container's id."""
    shared = {
        "io.kubernetes.cri.sandbox-id": pod.sandbox,
        "io.kubernetes.cri.sandbox-name": pod.name,
        "io.kubernetes.cri.sandbox-namespace": pod.namespace,
        "io.kubernetes.cri.sandbox-uid": pod.uid,
    }
    logs_at = f"/var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}"
    found = {
        pod.sandbox: {
            "io.kubernetes.cri.container-type": "sandbox",
            "io.kubernetes.cri.podsandbox.image-name": PAUSE,
            "io.kubernetes.cri.sandbox-log-directory": logs_at,
        }
    }
    for container in pod.containers:
        found[pod.id_of(container)] = {
            "io.kubernetes.cri.container-name": container.name,
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.image-name": container.image,
        }
    for one, annotations in found.items():
        bundle = f"root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{one}"
        machine.write(f"{bundle}/config.json", _oci(pod.name, cgroups[one], annotations | shared))
        machine.write(f"{bundle}/init.pid", "1")


def crio_bundles(machine: FakeMachine, pod: Pod, cgroups: dict[str, str]) -> None:
    """OCI bundles of CRI-O, which are there for the sandbox even where it has no process. Each is there twice."""
    shared = {
        "io.container.manager": "cri-o",
        "io.kubernetes.cri-o.SandboxID": pod.sandbox,
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }
    labels = {**pod.labels, "io.kubernetes.pod.name": pod.name, "io.kubernetes.pod.namespace": pod.namespace}
    found = {
        pod.sandbox: {
            "io.kubernetes.container.name": "POD",
            "io.kubernetes.cri-o.ContainerType": "sandbox",
            "io.kubernetes.cri-o.Image": PAUSE,
            "io.kubernetes.cri-o.KubeName": pod.name,
            "io.kubernetes.cri-o.Labels": json.dumps(labels | {"io.kubernetes.container.name": "POD"}),
            "io.kubernetes.cri-o.Name": f"k8s_{pod.name}_{pod.namespace}_{pod.uid}_0",
            "io.kubernetes.cri-o.Namespace": pod.namespace,
        }
    }
    for container in pod.containers:
        found[pod.id_of(container)] = {
            "io.kubernetes.container.name": container.name,
            "io.kubernetes.cri-o.ContainerID": pod.id_of(container),
            "io.kubernetes.cri-o.ContainerType": "container",
            "io.kubernetes.cri-o.Image": id_of(container.image),
            "io.kubernetes.cri-o.ImageName": container.image,
            "io.kubernetes.cri-o.LogPath": f"/var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}/{container.name}/0.log",
            "io.kubernetes.cri-o.Name": pod.docker_name(container.name),
            "io.kubernetes.cri-o.SandboxName": f"k8s_{pod.name}_{pod.namespace}_{pod.uid}_0",
        }
    for one, annotations in found.items():
        for folder in ("root/run/containers/storage", "root/var/lib/containers/storage"):
            content = _oci(pod.name, cgroups.get(one, ""), annotations | shared)
            machine.write(f"{folder}/overlay-containers/{one}/userdata/config.json", content)


def docker(
    machine: FakeMachine, container_id: str, name: str, image: str, labels: dict[str, str], network: str = "bridge"
) -> None:
    """A container of Docker: its own file, the file that says which network it is in, and containerd's bundle."""
    folder = f"root/var/lib/docker/containers/{container_id}"
    config = {
        "StreamConfig": {},
        "State": {"Running": True, "Pid": 1, "StartedAt": "2023-11-14T19:27:10.123456789Z"},
        "ID": container_id,
        "Created": "2023-11-14T19:27:09.123456789Z",
        "Path": "/entrypoint.sh",
        "Args": [],
        "Config": {"Hostname": container_id[:12], "Env": ["PATH=/bin"], "Image": image, "Labels": labels},
        "Image": f"sha256:{id_of(image)}",
        "Name": f"/{name}",
        "Driver": "overlay2",
        "RestartCount": 0,
    }
    machine.write(f"{folder}/config.v2.json", json.dumps(config))
    machine.write(f"{folder}/hostconfig.json", json.dumps({"NetworkMode": network, "CgroupnsMode": "private"}))
    bundle = f"root/run/containerd/io.containerd.runtime.v2.task/moby/{container_id}/config.json"
    machine.write(bundle, _oci(container_id[:12], f"system.slice:docker:{container_id}", None))


def cri_dockerd(machine: FakeMachine, pod: Pod) -> None:
    """The containers of a pod in Docker, as cri-dockerd names them."""
    shared = {
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
        "io.kubernetes.sandbox.id": pod.sandbox,
    }
    sandbox = {"io.kubernetes.container.name": "POD", "io.kubernetes.docker.type": "podsandbox"}
    docker(machine, pod.sandbox, pod.docker_name("POD"), PAUSE, shared | pod.labels | sandbox)
    for container in pod.containers:
        labels = {"io.kubernetes.container.name": container.name, "io.kubernetes.docker.type": "container"}
        name, network = pod.docker_name(container.name), f"container:{pod.sandbox}"
        docker(machine, pod.id_of(container), name, container.image, shared | labels, network)


def podman(machine: FakeMachine, storage: str, containers: Iterable[tuple[str, str, str]]) -> None:
    """Podman's list of (id, name, image) below the folder `storage`, and an OCI bundle for each."""
    rows = []
    for one, name, image in containers:
        metadata = {"image-name": image, "image-id": id_of(image), "name": name, "created-at": 1_699_989_900}
        rows.append(
            {
                "id": one,
                "names": [name],
                "image": id_of(image),
                "layer": id_of(f"layer of {name}"),
                "metadata": json.dumps(metadata),
                "created": "2023-11-14T19:25:00.123456789Z",
                "flags": {"MountLabel": "", "ProcessLabel": ""},
            }
        )
        annotations = {"io.container.manager": "libpod", "org.opencontainers.image.stopSignal": "15"}
        bundle = f"root/{storage}/overlay-containers/{one}/userdata/config.json"
        machine.write(bundle, _oci(one[:12], f"machine.slice:libpod:{one}", annotations))
    machine.write(f"root/{storage}/overlay-containers/containers.json", json.dumps(rows))


def _oci(hostname: str, cgroups_path: str, annotations: dict[str, str] | None) -> str:
    """An OCI runtime configuration, of which all but a few lines are left out."""
    config: dict[str, object] = {
        "ociVersion": "1.2.0",
        "process": {"args": ["/entrypoint.sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "root": {"path": "rootfs"},
        "hostname": hostname,
        "linux": {"cgroupsPath": cgroups_path, "namespaces": [{"type": "pid"}, {"type": "network"}]},
    }
    if annotations is not None:
        config["annotations"] = annotations
    return json.dumps(config)
