"""Names from the lists that Podman and CRI-O keep of their containers, containers/storage `containers.go`. Reading
those of root needs root.

    <storage>/<driver>-containers/containers.json             all containers of a storage in one list
    <storage>/<driver>-containers/volatile-containers.json    those that go away when they stop (`--rm`)

Labels and the names of Podman's own pods are in its data base only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from exporters.host import Host, Tree, Unreadable
from exporters.pods.cgroup_path import Place
from exporters.pods.container_names import parse_name
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.texts import list_of, object_of, text_of, value_in
from exporters.pods.users import LONGEST, MOST, folders_of

STORAGES = ("var/lib/containers/storage", "run/containers/storage")
ROOTLESS = ".local/share/containers/storage"
ROOTLESS_RUN = "containers"
DRIVERS = ("overlay", "vfs", "btrfs")
FILES = ("containers.json", "volatile-containers.json")

_INFRA = re.compile(r"[0-9a-f]{12}-infra")
"""The container that holds a pod's namespaces, which is called after the pod's id."""


class _List(NamedTuple):
    """A list as it was read last; another has another version."""

    version: tuple[int, int, int]
    containers: Mapping[str, Identity]


class Podman(Source):
    """A list is read again only when it has changed."""

    of_users = True

    def __init__(self, host: Host) -> None:
        self._root = host.root
        self._lists: dict[str, dict[str, _List]] = {}

    def identity(self, place: Place, now: float) -> Identity:
        one = place.container_id
        if not one or place.runtime not in (("libpod", "crio") if place.pod_uid else ("", "libpod", "crio")):
            return NOBODY  # CRI-O's containers in pods say in their path whose they are
        lists = self._lists.get(place.user, {})
        if not any(one in known.containers for known in lists.values()):
            lists = self._lists[place.user] = dict(self._read(place.user, lists))
        return next((known.containers[one] for known in lists.values() if one in known.containers), NOBODY)

    def _read(self, user: str, before: Mapping[str, _List]) -> Iterator[tuple[str, _List]]:
        for folder, storage in storages(self._root, user):
            for name in (f"{storage}/{driver}-containers/{file}" for driver in DRIVERS for file in FILES):
                path = f"{folder}/{name}" if folder else name
                status = self._root.status(path)
                if isinstance(status, Unreadable):
                    continue
                version = (status.st_mtime_ns, status.st_ino, status.st_size)
                known = before.get(path)
                if known is None or known.version != version:
                    content = self._root.read_of(folder, name, LONGEST) if user else self._root.read(path)
                    known = _List(version, parse_containers(content, MOST if user else None))
                yield path, known


def storages(root: Tree, user: str) -> Iterator[tuple[str, str]]:
    """Where containers/storage may be: root's, or a user's with the folder that must be the user's."""
    yield from folders_of(root, user, ROOTLESS, ROOTLESS_RUN) if user else (("", storage) for storage in STORAGES)


def parse_containers(content: bytes | Unreadable, most: int | None = None) -> dict[str, Identity]:
    """The containers of a list by id, all or the first `most`; `metadata` is JSON inside JSON."""
    found: dict[str, Identity] = {}
    for row in map(object_of, list_of(value_in(content))[:most]):
        if isinstance(row.get("id"), str):
            metadata = object_of(value_in(text_of(row.get("metadata"), LONGEST).encode(errors="replace")))
            names = list_of(row.get("names"))
            name = text_of(names[0]) if names else text_of(metadata.get("name"))
            found[row["id"]] = Identity(
                image=text_of(metadata.get("image-name")), name=name, sandbox=_INFRA.fullmatch(name) is not None
            ).filled_from(parse_name(name))
    return found
