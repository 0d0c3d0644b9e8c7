"""Names from CRI-O's socket, for what its files do not tell: HTTP, `/containers/<id>` (CRI-O `server/inspect.go`).

Its containers are asked for only. Connecting needs the right to write to the socket, which is root's.
"""

import socket

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.container_names import SANDBOX, parse_name
from exporters.pods.fetch import Failure, Limits, fetch
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.texts import object_of, text_of, texts_of, value_in

LIMITS = Limits(seconds=1.0, size=1 << 20)

SILENT_FOR = 30.0
"""Seconds for which a socket is not asked again that did not answer."""


class Crio(Source):
    """One request a container. `path` is that of the socket, below the root of the host."""

    def __init__(self, host: Host, path: str, limits: Limits = LIMITS) -> None:
        self._root = host.root
        path = path.lstrip("/")
        # /var/run is a link to /run, which leads out of a host's root that is mounted elsewhere
        self._path = path.removeprefix("var/") if path.startswith("var/run/") else path
        self._limits = limits
        self._failed_at = float("-inf")

    def identity(self, place: Place, now: float) -> Identity:
        is_silent = self._failed_at <= now < self._failed_at + SILENT_FOR
        if place.runtime != "crio" or not place.container_id or is_silent:
            return NOBODY
        if isinstance(self._root.status(self._path), Unreadable):  # most machines have no CRI-O
            return NOBODY
        path = f"/containers/{place.container_id}"
        answer = fetch(self._connect, path, {"Host": "crio"}, self._limits)
        if not isinstance(answer, Failure):
            self.fault = ""
            return parse_crio(answer)
        if not answer.status:  # with one it is alive: 404 is a container that it does not know, 500 one half made
            self._failed_at, self.fault = now, f"{self._root.path(self._path)}: {answer.reason}"
        return NOBODY

    def _connect(self, seconds: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(seconds)
            connection.connect(self._root.path(self._path))
        except OSError:
            connection.close()
            raise
        return connection


def parse_crio(content: bytes) -> Identity:
    """Names from CRI-O's description of a container; NOBODY when it is none."""
    data = object_of(value_in(content))
    labels, annotations = texts_of(data.get("labels")), texts_of(data.get("annotations"))
    name = text_of(data.get("name"))
    container = labels.get("io.kubernetes.container.name", "")
    return Identity(
        namespace=labels.get("io.kubernetes.pod.namespace", ""),
        pod=labels.get("io.kubernetes.pod.name", ""),
        container=container,
        image=annotations.get("io.kubernetes.cri-o.ImageName") or text_of(data.get("image")),
        name=name,
        sandbox=container == SANDBOX,
    ).filled_from(parse_name(name))
