"""Names from the folders in which kubelet keeps container logs: no socket, no token.

`/var/log/containers/<pod>_<namespace>_<container>-<id>.log` are links that kubelet makes, one a container;
`/var/log/pods/<namespace>_<pod>_<uid>/` are the folders they lead into. They tell everything but the image.
A link's stem is cut at 251 characters, which can take the id away; such a container stays without names here.
"""

import re

from exporters.host import Host, Unreadable
from exporters.pods.identity import NOBODY, Identity

_LINK = re.compile(r"^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$")

STALE_AFTER = 5.0
"""Seconds for which a listing is used again."""


class LogFolders:
    """Lists both folders when asked for something that the last listing did not have."""

    def __init__(self, host: Host) -> None:
        self._root = host.root
        self._listed_at = float("-inf")
        self._containers: dict[str, Identity] = {}
        self._pods: dict[str, Identity] = {}

    def container(self, container_id: str, now: float) -> Identity:
        if container_id not in self._containers:
            self._list(now)
        return self._containers.get(container_id, NOBODY)

    def pod(self, uid: str, now: float) -> Identity:
        if uid not in self._pods:
            self._list(now)
        return self._pods.get(uid, NOBODY)

    def _list(self, now: float) -> None:
        if 0 <= now - self._listed_at < STALE_AFTER:
            return
        self._listed_at = now
        self._containers = dict(filter(None, map(parse_link, self._names("var/log/containers"))))
        self._pods = dict(filter(None, map(parse_folder, self._names("var/log/pods"))))

    def _names(self, folder: str) -> list[str]:
        names = self._root.names(folder)
        return [] if isinstance(names, Unreadable) else names


def parse_link(name: str) -> tuple[str, Identity] | None:
    """The name of a link as (container id, who it is); None for any other name."""
    match = _LINK.match(name)
    if match is None:
        return None
    pod, namespace, container, container_id = match.groups()
    return container_id, Identity(namespace, pod, container)


def parse_folder(name: str) -> tuple[str, Identity] | None:
    """The name of a pod's folder as (uid, who it is). Names in Kubernetes have no `_`, so this is unambiguous."""
    parts = name.split("_")
    return (parts[2], Identity(parts[0], parts[1])) if len(parts) == 3 and all(parts) else None
