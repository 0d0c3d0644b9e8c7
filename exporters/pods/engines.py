"""Names from the files in which Docker and Podman keep their containers. Reading them needs root.

Docker: `/var/lib/docker/containers/<id>/config.v2.json`
Podman: `/var/lib/containers/storage/overlay-containers/containers.json`, one list for all
"""

import json
from typing import Any

from exporters.host import Host, Unreadable
from exporters.pods.identity import NOBODY, Identity

DOCKER = "var/lib/docker/containers"
PODMAN = "var/lib/containers/storage/overlay-containers/containers.json"


class Docker:
    """One file a container."""

    def __init__(self, host: Host) -> None:
        self._root = host.root

    def container(self, container_id: str, now: float) -> Identity:
        content = self._root.read(f"{DOCKER}/{container_id}/config.v2.json")
        return NOBODY if isinstance(content, Unreadable) else parse_docker(content)

    def pod(self, uid: str, now: float) -> Identity:
        return NOBODY


class Podman:
    """One file for all containers, read again only when it has changed."""

    def __init__(self, host: Host) -> None:
        self._root = host.root
        self._changed_at = 0
        self._containers: dict[str, Identity] = {}

    def container(self, container_id: str, now: float) -> Identity:
        status = self._root.status(PODMAN)
        if isinstance(status, Unreadable):
            return NOBODY
        if status.st_mtime_ns != self._changed_at:
            content = self._root.read(PODMAN)
            self._changed_at = status.st_mtime_ns
            self._containers = {} if isinstance(content, Unreadable) else parse_podman(content)
        return self._containers.get(container_id, NOBODY)

    def pod(self, uid: str, now: float) -> Identity:
        return NOBODY


def parse_docker(content: bytes) -> Identity:
    """Names from a container's config.v2.json; of a pod's container (cri-dockerd) also pod and namespace."""
    data = _object(content)
    config = data.get("Config")
    config = config if isinstance(config, dict) else {}
    labels = config.get("Labels")
    labels = labels if isinstance(labels, dict) else {}
    return Identity(
        namespace=_text(labels.get("io.kubernetes.pod.namespace")),
        pod=_text(labels.get("io.kubernetes.pod.name")),
        container=_text(labels.get("io.kubernetes.container.name")),
        image=_text(config.get("Image")),
        name=_text(data.get("Name")).removeprefix("/"),
    )


def parse_podman(content: bytes) -> dict[str, Identity]:
    """All containers of Podman's list by id; `metadata` is JSON inside JSON."""
    try:
        rows = json.loads(content)
    except ValueError:
        return {}
    found: dict[str, Identity] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            metadata = _object(_text(row.get("metadata")).encode())
            names = row.get("names")
            name = _text(names[0]) if isinstance(names, list) and names else _text(metadata.get("name"))
            found[row["id"]] = Identity(image=_text(metadata.get("image-name")), name=name)
    return found


def _object(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
