"""Names from the file in which Docker keeps each container, `<data-root>/containers/<id>/config.v2.json`, where
`Config` is as in Docker's API. Reading it needs root.
"""

from collections.abc import Iterator

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.container_names import parse_name
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.texts import object_of, text_of, texts_of, value_in
from exporters.pods.workload import workload_in

DATA_ROOTS = ("var/lib/docker", "var/snap/docker/common/var-lib-docker")
ROOTLESS = "home/{}/.local/share/docker"


class Docker(Source):
    """One file a container."""

    def __init__(self, host: Host) -> None:
        self._root = host.root

    def identity(self, place: Place, now: float) -> Identity:
        if not place.container_id or place.runtime not in ("", "docker"):
            return NOBODY
        for data_root in self._data_roots():
            content = self._root.read(f"{data_root}/containers/{place.container_id}/config.v2.json")
            if not isinstance(content, Unreadable):
                return parse_docker(content)
        return NOBODY

    def _data_roots(self) -> Iterator[str]:
        yield from DATA_ROOTS
        homes = self._root.folders("home")
        yield from [] if isinstance(homes, Unreadable) else map(ROOTLESS.format, homes)


def parse_docker(content: bytes) -> Identity:
    """Names from a container's config.v2.json; of a pod's container (cri-dockerd) also pod and namespace."""
    data = object_of(value_in(content))
    config = object_of(data.get("Config"))
    labels = texts_of(config.get("Labels"))
    workload, kind = workload_in(labels)
    name = text_of(data.get("Name")).removeprefix("/")
    return Identity(
        namespace=labels.get("io.kubernetes.pod.namespace", ""),
        pod=labels.get("io.kubernetes.pod.name", ""),
        container=labels.get("io.kubernetes.container.name", ""),
        image=text_of(config.get("Image")),
        name=name,
        sandbox=labels.get("io.kubernetes.docker.type") == "podsandbox",
        workload=workload,
        workload_kind=kind,
    ).filled_from(parse_name(name))
