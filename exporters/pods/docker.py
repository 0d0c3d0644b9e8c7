"""Names from the file in which Docker keeps each container, `<data-root>/containers/<id>/config.v2.json`, where
`Config` is as in Docker's API. Reading it needs root.

Labels may come from the image, whoever made it: a container that is in no pod's cgroup is in no pod.
"""

from collections.abc import Iterator

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.container_names import parse_name
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.texts import object_of, text_of, texts_of, value_in
from exporters.pods.users import LONGEST, folders_of
from exporters.pods.workload import workload_in

DATA_ROOTS = ("var/lib/docker", "var/snap/docker/common/var-lib-docker")
ROOTLESS = ".local/share/docker"


class Docker(Source):
    """One file a container."""

    of_users = True

    def __init__(self, host: Host) -> None:
        self._root = host.root

    def identity(self, place: Place, now: float) -> Identity:
        if not place.container_id or place.runtime not in ("", "docker"):
            return NOBODY
        for content in self._contents(place):
            if not isinstance(content, Unreadable):
                return parse_docker(content, in_pod=bool(place.pod_uid))
        return NOBODY

    def _contents(self, place: Place) -> Iterator[bytes | Unreadable]:
        path = f"containers/{place.container_id}/config.v2.json"
        if not place.user:
            yield from (self._root.read(f"{data_root}/{path}") for data_root in DATA_ROOTS)
            return
        for folder, data_root in folders_of(self._root, place.user, ROOTLESS, ""):
            yield self._root.read_of(folder, f"{data_root}/{path}", LONGEST)


def parse_docker(content: bytes, *, in_pod: bool = True) -> Identity:
    """Names from a container's config.v2.json; of a pod's container (cri-dockerd) also pod and namespace."""
    data = object_of(value_in(content))
    config = object_of(data.get("Config"))
    labels = texts_of(config.get("Labels"))
    workload, kind = workload_in(labels)
    of_kubernetes = labels if in_pod else {}
    name = text_of(data.get("Name")).removeprefix("/")
    return Identity(
        namespace=of_kubernetes.get("io.kubernetes.pod.namespace", ""),
        pod=of_kubernetes.get("io.kubernetes.pod.name", ""),
        container=of_kubernetes.get("io.kubernetes.container.name", ""),
        image=text_of(config.get("Image")),
        name=name,
        sandbox=of_kubernetes.get("io.kubernetes.docker.type") == "podsandbox",
        workload=workload,
        workload_kind=kind,
    ).filled_from(parse_name(name))
