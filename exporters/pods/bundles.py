"""Names from the OCI bundles that runtimes keep while a container lives: the image too, and no socket needed.

containerd: `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/config.json`
CRI-O:      `<storage>/overlay-containers/<id>/userdata/config.json`

Both write what Kubernetes asked for into the annotations (containerd `internal/cri/annotations`, CRI-O
`pkg/annotations`). Reading them needs root.
"""

from collections.abc import Iterator, Mapping

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.texts import object_of, texts_of, value_in
from exporters.pods.users import LONGEST, folders_of
from exporters.pods.workload import workload_in

CONTAINERD = (
    "run/containerd",
    "run/k3s/containerd",  # rke2 too
    "run/k0s/containerd",
    "var/snap/microk8s/common/run/containerd",
)
CRIO = ("run/containers/storage", "var/lib/containers/storage")
ROOTLESS_CONTAINERD = "containerd"
ROOTLESS_CRIO = "containers"
"""In the folder in /run of a user who is logged in."""

_OF_USERS = ("default", "k8s.io")
"""containerd's namespaces that are looked at in a user's folder, where there may be any number."""
_TASKS = "io.containerd.runtime.v2.task"
_CRI = "io.kubernetes.cri."
_CRIO = "io.kubernetes.cri-o."


class Bundles(Source):
    """Reads one file a container; a bundle does not change while its container lives."""

    of_users = True

    def __init__(self, host: Host) -> None:
        self._root = host.root

    def identity(self, place: Place, now: float) -> Identity:
        for folder, path in self._paths(place) if place.container_id else ():
            content = self._root.read_of(folder, path, LONGEST) if folder else self._root.read(path)
            if not isinstance(content, Unreadable):
                return parse_bundle(content, place.container_id)
        return NOBODY

    def _paths(self, place: Place) -> Iterator[tuple[str, str]]:
        """Each file, and the user's folder that it is in."""
        one = place.container_id
        if place.runtime == "crio" or (not place.runtime and not place.pod_uid):  # all of CRI-O's paths in pods say so
            for folder, storage in self._folders(place, CRIO, ROOTLESS_CRIO):
                yield folder, f"{storage}/overlay-containers/{one}/userdata/config.json"
        if place.runtime not in ("crio", "libpod"):
            for folder, state in self._folders(place, CONTAINERD, ROOTLESS_CONTAINERD):
                namespaces = _OF_USERS if folder else self._root.folders(f"{state}/{_TASKS}")
                for namespace in () if isinstance(namespaces, Unreadable) else namespaces:
                    yield folder, f"{state}/{_TASKS}/{namespace}/{one}/config.json"

    def _folders(self, place: Place, of_root: tuple[str, ...], in_run: str) -> Iterator[tuple[str, str]]:
        yield from folders_of(self._root, place.user, "", in_run) if place.user else (("", path) for path in of_root)


def parse_bundle(content: bytes, container_id: str) -> Identity:
    """Names from an OCI runtime configuration; NOBODY when it is no JSON or Kubernetes and nerdctl did not ask for it.

    A sandbox has no container name in containerd and is called POD in CRI-O, as the kubelet shows it.
    """
    texts = texts_of(object_of(value_in(content)).get("annotations"))
    if f"{_CRI}container-type" in texts or f"{_CRI}sandbox-name" in texts:
        return _of_containerd(texts, container_id)
    if f"{_CRIO}ContainerType" in texts and texts.get("io.container.manager", "cri-o") == "cri-o":
        return _of_crio(texts, container_id)
    workload, kind = workload_in(texts)
    name, image = texts.get("nerdctl/name", ""), texts.get("nerdctl/image-ref", "")
    return Identity(name=name, image=image, workload=workload, workload_kind=kind)


def _of_containerd(texts: Mapping[str, str], container_id: str) -> Identity:
    sandbox = texts.get(f"{_CRI}container-type") == "sandbox"
    return Identity(
        namespace=texts.get(f"{_CRI}sandbox-namespace", ""),
        pod=texts.get(f"{_CRI}sandbox-name", ""),
        container="" if sandbox else texts.get(f"{_CRI}container-name", ""),
        image=texts.get(f"{_CRI}image-name") or texts.get(f"{_CRI}podsandbox.image-name", ""),
        name=container_id,
        sandbox=sandbox,
    )


def _of_crio(texts: Mapping[str, str], container_id: str) -> Identity:
    """CRI-O's, and not those of old versions of Podman, which use the same key and call all containers sandboxes."""
    pod = texts.get("io.kubernetes.pod.name") or texts.get(f"{_CRIO}KubeName", "")
    if not pod:
        return NOBODY
    sandbox = texts[f"{_CRIO}ContainerType"] == "sandbox"
    return Identity(
        namespace=texts.get("io.kubernetes.pod.namespace") or texts.get(f"{_CRIO}Namespace", ""),
        pod=pod,
        container="POD" if sandbox else texts.get("io.kubernetes.container.name", ""),
        image=texts.get(f"{_CRIO}ImageName") or texts.get(f"{_CRIO}Image", ""),
        name=texts.get(f"{_CRIO}Name") or container_id,
        sandbox=sandbox,
    )
