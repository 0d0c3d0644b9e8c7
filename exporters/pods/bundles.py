"""Names from the OCI bundles that runtimes keep while a container lives: the image too, and no socket needed.

containerd: `/run/containerd/io.containerd.runtime.v2.task/<namespace>/<id>/config.json`
CRI-O:      `/run/containers/storage/overlay-containers/<id>/userdata/config.json`

Both write what Kubernetes asked for into the annotations. Reading them needs root.
"""

import json
from collections.abc import Iterator

from exporters.host import Host, Unreadable
from exporters.pods.identity import NOBODY, Identity

CONTAINERD = ("run/containerd/io.containerd.runtime.v2.task", "run/k3s/containerd/io.containerd.runtime.v2.task")
CRIO = "run/containers/storage/overlay-containers"


class Bundles:
    """Reads one file a container; a bundle does not change while its container lives."""

    def __init__(self, host: Host) -> None:
        self._root = host.root

    def container(self, container_id: str, now: float) -> Identity:
        for path in self._places(container_id):
            content = self._root.read(path)
            if not isinstance(content, Unreadable):
                return parse_bundle(content, container_id)
        return NOBODY

    def pod(self, uid: str, now: float) -> Identity:
        return NOBODY  # bundles are found by the container's id only

    def _places(self, container_id: str) -> Iterator[str]:
        yield f"{CRIO}/{container_id}/userdata/config.json"
        for folder in CONTAINERD:
            namespaces = self._root.folders(folder)
            for namespace in [] if isinstance(namespaces, Unreadable) else namespaces:
                yield f"{folder}/{namespace}/{container_id}/config.json"


def parse_bundle(content: bytes, container_id: str) -> Identity:
    """Names from an OCI runtime configuration; NOBODY when it is no JSON or has no annotations.

    A sandbox (pause container) has no container name, as the kubelet shows it.
    """
    try:
        annotations = json.loads(content)["annotations"]
        texts = {str(key): value for key, value in annotations.items() if isinstance(value, str)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return NOBODY
    cri, crio = "io.kubernetes.cri.", "io.kubernetes.cri-o."
    if f"{crio}ContainerType" in texts:
        sandbox = texts[f"{crio}ContainerType"] == "sandbox"
        return Identity(
            namespace=texts.get(f"{crio}Namespace") or texts.get("io.kubernetes.pod.namespace", ""),
            pod=texts.get("io.kubernetes.pod.name") or texts.get(f"{crio}KubeName", ""),
            container="POD" if sandbox else texts.get("io.kubernetes.container.name", ""),
            image=texts.get(f"{crio}ImageName") or texts.get(f"{crio}Image", ""),
            name=texts.get(f"{crio}Name") or container_id,
        )
    return Identity(
        namespace=texts.get(f"{cri}sandbox-namespace", ""),
        pod=texts.get(f"{cri}sandbox-name", ""),
        container=texts.get(f"{cri}container-name", ""),
        image=texts.get(f"{cri}image-name") or texts.get("nerdctl/image-ref", ""),
        name=texts.get("nerdctl/name") or container_id,
    )
