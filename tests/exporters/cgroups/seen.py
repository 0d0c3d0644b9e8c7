"""What is to be seen of the machines of `trees`: each cgroup that is published, under which names."""

from typing import NamedTuple

from tests.exporters.cgroups.trees import PAUSE, id_of


class Who(NamedTuple):
    """The labels that cAdvisor has."""

    id: str
    container: str = ""
    image: str = ""
    name: str = ""
    namespace: str = ""
    pod: str = ""


WEB_UID = "4a163a05-439d-484b-8e53-2968bc15824f"
API_UID = "019c1fe8-0d92-4aa0-b61c-4df58bdde71c"
AGENT_UID = "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8"
VM_UID = "a3f1c2d4-5b6e-4f70-8a9b-0c1d2e3f4a5b"
ETCD_UID = "b53dfa9e2dc9b890f7fadb2770857b03"

APP_ID = id_of("shop/web-0/app")
NGINX = "docker.io/library/nginx:1.27"

PODS = {
    "web": ("shop", "web-0", WEB_UID),
    "api": ("shop", "api-7d4b9c6f5d-x2x4q", API_UID),
    "agent": ("monitoring", "agent-kzv5d", AGENT_UID),
    "etcd": ("kube-system", "etcd-node-1", ETCD_UID),
    "vm": ("builds", "vm-0", VM_UID),
}
CONTAINERS = (
    ("web", "app", NGINX),
    ("web", "proxy", "ghcr.io/example/proxy:v3"),
    ("api", "api", f"ghcr.io/example/api@sha256:{id_of('api')}"),
    ("agent", "agent", "quay.io/example/agent:2.1"),
    ("etcd", "etcd", "registry.k8s.io/etcd:3.5.15-0"),
    ("vm", "systemd", "registry.example.org:5000/os/debian"),
)


def slices(name: str, prefix: str = "/") -> dict[str, str]:
    """Where pods are with the systemd driver, by the pod."""
    top = f"{prefix}{name}.slice"
    burstable, besteffort = f"{top}/{name}-burstable.slice", f"{top}/{name}-besteffort.slice"
    return {
        "web": f"{burstable}/{name}-burstable-pod4a163a05_439d_484b_8e53_2968bc15824f.slice",
        "api": f"{top}/{name}-pod019c1fe8_0d92_4aa0_b61c_4df58bdde71c.slice",
        "agent": f"{besteffort}/{name}-besteffort-pod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8.slice",
        "etcd": f"{burstable}/{name}-burstable-podb53dfa9e2dc9b890f7fadb2770857b03.slice",
        "vm": f"{besteffort}/{name}-besteffort-poda3f1c2d4_5b6e_4f70_8a9b_0c1d2e3f4a5b.slice",
    }


KUBEPODS = slices("kubepods")
NESTED = slices("kubelet-kubepods", "/kubelet.slice/")
FOLDERS = {
    "web": f"/kubepods/burstable/pod{WEB_UID}",
    "api": f"/kubepods/pod{API_UID}",
    "agent": f"/kubepods/besteffort/pod{AGENT_UID}",
}
BESIDE = {
    "web": "/system.slice/kubepods-burstable-pod4a163a05_439d_484b_8e53_2968bc15824f.slice:cri-containerd:",
    "agent": "/system.slice/kubepods-besteffort-pod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8.slice:cri-containerd:",
}
KIND = f"/system.slice/docker-{id_of('kind-control-plane')}.scope"


def groups(*paths: str) -> set[Who]:
    """Groups of others and units: known by their path."""
    return {Who(path) for path in ("/", *paths)}


def pods(at: dict[str, str], *names: str) -> set[Who]:
    """The pods' own cgroups."""
    return {Who(at[name], namespace=PODS[name][0], pod=PODS[name][1]) for name in names}


def containers(at: dict[str, str], scope: str, *names: str, docker_names: bool = False) -> set[Who]:
    """The containers of pods. Some runtimes have names for them, others call them by their id."""
    found = set()
    for pod, container, image in CONTAINERS:
        if pod in names:
            namespace, full, uid = PODS[pod]
            one = id_of(f"{namespace}/{full}/{container}")
            name = f"k8s_{container}_{full}_{namespace}_{uid}_0" if docker_names else one
            found.add(Who(f"{at[pod]}{scope.format(one)}", container, image, name, namespace, full))
    return found


def sandboxes(at: dict[str, str], scope: str, *names: str, container: str = "") -> set[Who]:
    """The pause containers of pods."""
    found = set()
    for pod in names:
        namespace, full, uid = PODS[pod]
        one = id_of(f"{namespace}/{full}")
        name = f"k8s_POD_{full}_{namespace}_{uid}_0" if container else one
        found.add(Who(f"{at[pod]}{scope.format(one)}", container, PAUSE, name, namespace, full))
    return found


def nobody(*paths: str) -> set[Who]:
    """Containers of which only the id is known."""
    return {Who(path, name=path.rpartition("-")[2].removesuffix(".scope")) for path in paths}


CLASSES = ("/kubepods.slice", "/kubepods.slice/kubepods-burstable.slice", "/kubepods.slice/kubepods-besteffort.slice")
UNITS = ("/init.scope", "/system.slice")
KUBELET = ("/system.slice/containerd.service", "/system.slice/kubelet.service")
CONTAINERD, CRIO, DOCKER = "/cri-containerd-{}.scope", "/crio-{}.scope", "/docker-{}.scope"
IN_KIND = {name: KIND + path for name, path in NESTED.items()}
NODE = ("/kubelet.slice", "/kubelet.slice/kubelet-kubepods.slice")
NODE_BURSTABLE = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice"
USER = "/user.slice/user-1000.slice/user@1000.service"
LOGGED_IN = ("/user.slice", "/user.slice/user-1000.slice", USER, f"{USER}/init.scope")
JOB = "/slurm/uid_20821/job_10"

SEEN: dict[str, set[Who]] = {
    "v2_containerd": groups(*CLASSES, *UNITS, *KUBELET)
    | pods(KUBEPODS, *PODS)
    | containers(KUBEPODS, CONTAINERD, *PODS),
    "v2_containerd_misconfigured": groups(*CLASSES, *UNITS, *KUBELET)
    | pods(KUBEPODS, "web", "agent")
    | containers(BESIDE, "{}", "web", "agent"),
    "v2_crio": groups(*CLASSES, *UNITS, "/system.slice/crio.service", "/system.slice/kubelet.service")
    | pods(KUBEPODS, "web", "api", "agent", "vm")
    | containers(KUBEPODS, CRIO, "web", "api", "agent", "vm", docker_names=True),
    "v2_cri_dockerd": groups(*CLASSES, *UNITS, "/system.slice/docker.service", "/system.slice/kubelet.service")
    | pods(KUBEPODS, "web", "api", "agent")
    | containers(KUBEPODS, DOCKER, "web", "api", "agent", docker_names=True),
    "v2_docker": groups(*UNITS, "/system.slice/docker.service", "/system.slice/containerd.service")
    | {
        Who(f"/system.slice/docker-{id_of('web')}.scope", image="nginx:1.27", name="web"),
        Who(f"/system.slice/docker-{id_of('cache')}.scope", image="redis:7", name="cache"),
        Who(f"/system.slice/docker-{id_of('debug')}.scope", image="busybox", name="debug"),
    },
    "v2_podman": groups("/init.scope", "/machine.slice", *LOGGED_IN, f"{USER}/user.slice")
    | {
        Who(f"/machine.slice/libpod-{id_of('db')}.scope", image="docker.io/library/postgres:16", name="db"),
        Who(f"{USER}/user.slice/libpod-{id_of('blog')}.scope", image="docker.io/library/ghost:5", name="blog"),
    },
    # the names of what runs in the node are in the node's own files
    "v2_kind_host": groups(
        *UNITS, "/system.slice/docker.service", *(f"{KIND}{path}" for path in (*NODE, NODE_BURSTABLE))
    )
    | {Who(KIND, image="kindest/node:v1.31.0", name="kind-control-plane"), Who(f"{KIND}/kubelet.slice/kubelet.service")}
    | {Who(IN_KIND["web"]), Who(IN_KIND["etcd"])}
    | nobody(
        *(f"{IN_KIND['web']}/cri-containerd-{id_of(f'shop/web-0{name}')}.scope" for name in ("", "/app", "/proxy")),
        *(
            f"{IN_KIND['etcd']}/cri-containerd-{id_of(f'kube-system/etcd-node-1{name}')}.scope"
            for name in ("", "/etcd")
        ),
    ),
    "v2_kind_node": groups(*UNITS, "/system.slice/containerd.service", *NODE, NODE_BURSTABLE)
    | groups("/kubelet.slice/kubelet.service")
    | pods(NESTED, "web", "etcd")
    | containers(NESTED, CONTAINERD, "web", "etcd"),
    "v2_systemd": groups(*UNITS, *LOGGED_IN, "/system.slice/cron.service", "/system.slice/nginx.service")
    | groups("/system.slice/nginx.service/supervisor", "/system.slice/nginx.service/workers")
    | groups(
        r"/system.slice/system-serial\x2dgetty.slice",
        r"/system.slice/system-serial\x2dgetty.slice/serial-getty@ttyS0.service",
        "/user.slice/user-1000.slice/session-3.scope",
        f"{USER}/app.slice",
        f"{USER}/app.slice/gpg-agent.service",
    ),
    "v1_containerd": groups("/kubepods", "/kubepods/burstable", "/kubepods/besteffort", "/user.slice")
    | groups("/system.slice", "/system.slice/containerd.service")
    | pods(FOLDERS, *FOLDERS)
    | containers(FOLDERS, "/{}", *FOLDERS),
    "v1_docker": groups("/system.slice", "/system.slice/docker.service", "/docker")
    | {
        Who(f"/docker/{id_of('web')}", image="nginx:1.27", name="web"),
        Who(f"/docker/{id_of('cache')}", image="redis:7", name="cache"),
    },
    "v1_slurm": groups("/system.slice", "/system.slice/slurmd.service", "/slurm", "/slurm/uid_20821", JOB)
    | groups(f"{JOB}/step_batch", f"{JOB}/step_0", f"{JOB}/step_0/task_0"),
}
"""Machine → the cgroups that have series."""

POD_SANDBOXES = {
    "v2_containerd": sandboxes(KUBEPODS, CONTAINERD, *PODS),
    "v2_cri_dockerd": sandboxes(KUBEPODS, DOCKER, "web", "api", "agent", container="POD"),
    "v2_kind_node": sandboxes(NESTED, CONTAINERD, "web", "etcd"),
    "v1_containerd": sandboxes(FOLDERS, "/{}", *FOLDERS),
    "v2_crio": set[Who](),
}
"""Machine → what is seen besides when sandboxes are asked for."""

HOST = [("", "", "", "eth0"), ("", "", "", "cni0")]
WEB, API, VM = (("shop", "web-0", "", "eth0"), ("shop", PODS["api"][1], "", "eth0"), ("builds", "vm-0", "", "eth0"))

NETWORKS: dict[str, list[tuple[str, str, str, str]]] = {
    "v2_containerd": [*HOST, WEB, API, VM],
    "v2_containerd_misconfigured": [*HOST, WEB],
    "v2_crio": [*HOST, WEB, API, VM],
    "v2_cri_dockerd": [*HOST, WEB, API],
    "v2_docker": [*HOST, ("", "", "web", "eth0")],
    "v2_podman": [*HOST, ("", "", "db", "eth0"), ("", "", "blog", "eth0")],
    "v2_kind_host": [*HOST, ("", "", "kind-control-plane", "eth0"), ("", "", "", "eth0")],
    "v2_kind_node": [*HOST, WEB],
    "v2_systemd": HOST,
    "v1_containerd": [*HOST, WEB, API],
    "v1_docker": [*HOST, ("", "", "web", "eth0")],
    "v1_slurm": HOST,
}
"""Machine → namespace, pod, name and interface of each series of traffic."""
