"""Names from the folders in which kubelet keeps container logs: no socket, no token.

`/var/log/containers/<pod>_<namespace>_<container>-<id>.log` are links that kubelet makes, one a container;
`/var/log/pods/<namespace>_<pod>_<uid>/` are the folders they lead into. They tell everything but the image.

A link's stem is cut at 251 characters (kubelet `kuberuntime/legacy.go`), which can take a part of the id away. Then the
link's target tells the names, and it is the container's if the rest of the id is long enough to be sure. With less,
the pod is all that is certain: its sandbox has no link, so that even the only name may be that of the other one.
"""

import re
from typing import NamedTuple

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.identity import NOBODY, Identity, Source

LINKS = "var/log/containers"
FOLDERS = "var/log/pods"

LISTED_FOR = 30.0
"""Seconds after which folders are listed again that have not changed by their time, which has coarse steps."""

_LINK = re.compile(r"([^_]+)_([^_]+)_([^_]+)-([0-9a-f]{64})\.log")
_TARGET = re.compile(r"([^_/]+)_([^_/]+)_([^_/]+)/([^_/]+)/[^/]+\.log")
_LONGEST_NAME = 255
_SHORTEST_ID = 12
"""Digits that stand for a container wherever people write ids."""


class Cut(NamedTuple):
    """A link whose name was too long for the whole id."""

    uid: str
    beginning: str
    identity: Identity


class LogFolders(Source):
    """Lists both folders when asked for something that they did not have, if they have changed since."""

    def __init__(self, host: Host) -> None:
        self._root = host.root
        self._listed_at = float("-inf")
        self._seen: tuple[int, int] = (0, 0)
        self._containers: dict[str, Identity] = {}
        self._pods: dict[str, Identity] = {}
        self._cut: list[Cut] = []

    def identity(self, place: Place, now: float) -> Identity:
        found = self._find(place)
        if not found.pod or (place.container_id and not found.container):
            self._list(now)
            found = self._find(place)
        return found

    def _find(self, place: Place) -> Identity:
        whole = self._containers.get(place.container_id)
        if whole is not None:
            return whole
        for cut in self._cut:
            if cut.uid == place.pod_uid and place.container_id.startswith(cut.beginning):
                return cut.identity
        return self._pods.get(place.pod_uid, NOBODY)

    def _list(self, now: float) -> None:
        seen = self._changed_at(LINKS), self._changed_at(FOLDERS)
        if seen == self._seen and 0 <= now - self._listed_at < LISTED_FOR:
            return
        self._seen, self._listed_at = seen, now
        links = self._names(LINKS)
        self._containers = dict(filter(None, map(parse_link, links)))
        self._cut = list(filter(None, map(self._follow, links)))
        self._pods = dict(filter(None, map(parse_folder, self._names(FOLDERS))))

    def _follow(self, name: str) -> Cut | None:
        if len(name) < _LONGEST_NAME or _LINK.fullmatch(name):
            return None
        target = self._root.target(f"{LINKS}/{name}")
        return None if isinstance(target, Unreadable) else parse_target(name, target)

    def _names(self, folder: str) -> list[str]:
        names = self._root.names(folder)
        return [] if isinstance(names, Unreadable) else names

    def _changed_at(self, folder: str) -> int:
        status = self._root.status(folder)
        return 0 if isinstance(status, Unreadable) else status.st_mtime_ns


def parse_link(name: str) -> tuple[str, Identity] | None:
    """The name of a link as (container id, who it is); None for any other name."""
    match = _LINK.fullmatch(name)
    if match is None:
        return None
    pod, namespace, container, container_id = match.groups()
    return container_id, Identity(namespace, pod, container)


def parse_target(name: str, target: str) -> Cut | None:
    """The name of a link that was cut, with what it leads to; None when too little of the id is left."""
    match = _TARGET.search(target)
    if match is None:
        return None
    namespace, pod, uid, container = match.groups()
    before = f"{pod}_{namespace}_{container}-"
    beginning = name.removesuffix(".log").removeprefix(before)
    if not name.startswith(before) or len(beginning) < _SHORTEST_ID or not re.fullmatch("[0-9a-f]+", beginning):
        return None
    return Cut(uid, beginning, Identity(namespace, pod, container))


def parse_folder(name: str) -> tuple[str, Identity] | None:
    """The name of a pod's folder as (uid, who it is). Names in Kubernetes have no `_`, so this is unambiguous."""
    parts = name.split("_")
    return (parts[2], Identity(parts[0], parts[1])) if len(parts) == 3 and all(parts) else None
