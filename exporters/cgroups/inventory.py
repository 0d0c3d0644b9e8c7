"""The cgroups that live now, found without walking a tree that has not changed.

A folder of cgroupfs has as many links as it has sub-folders, plus two: `stat` tells that nothing came or went,
and only then is a folder listed again. One that goes while another comes leaves the count as it was, but the
`stat` of the one that went fails. A folder of the same name with another inode is another cgroup.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from exporters.cgroups.detect import ASSUMED, Layout, Version, detect
from exporters.cgroups.model import Cgroup, Reader
from exporters.cgroups.v1 import V1Reader
from exporters.cgroups.v2 import V2Reader
from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Kind, Place, parse
from exporters.pods.resolver import Resolver

BASE_LABELS = ("container", "id", "image", "name", "namespace", "pod")

DEEPEST = 32
"""Levels; the kernel allows more, nobody uses ten."""

_LINKS_OF_AN_EMPTY_FOLDER = 2


@dataclass(slots=True)
class _Folder:
    """A folder of one hierarchy as it was seen last. `path` is the cgroup's, `relative` is below cgroupfs."""

    path: str
    relative: str
    place: Place
    depth: int = 0
    inode: int = 0
    links: int = 0
    children: dict[str, "_Folder"] = field(default_factory=dict)

    @property
    def is_leaf(self) -> bool:
        """What is below a container belongs to it; what is below a helper interests nobody."""
        return self.place.kind in (Kind.CONTAINER, Kind.HELPER) or self.depth >= DEEPEST


class Inventory:
    """All cgroups with their labels, and the reader that fits their version."""

    def __init__(self, host: Host, resolver: Resolver) -> None:
        self._host = host
        self._resolver = resolver
        self._layout: Layout | None = None
        self._roots: dict[str, _Folder] = {}
        self._cgroups: dict[str, tuple[dict[str, int], Cgroup]] = {}
        self._now: float | None = None
        self.reader: Reader = V2Reader()

    @property
    def version(self) -> Version:
        """How this machine accounts; known once `current` was called."""
        return self._layout.version if self._layout is not None else Version.V2

    @property
    def root(self) -> str:
        """The folder in which all hierarchies are, for messages."""
        return self._host.cgroup.root

    def current(self, now: float) -> list[Cgroup]:
        """The cgroups at `now`, the root first. The same `now` is answered from memory: a scrape walks once.

        Raises NoData when there is no cgroupfs.
        """
        if now != self._now:
            self._set_up()
            self._refresh()
            self._now = now
            for _, cgroup in self._cgroups.values():
                if not cgroup.labels or not self._resolver.is_final(cgroup.place):
                    cgroup.labels = self._labels(cgroup, now)
        return [cgroup for _, cgroup in self._cgroups.values()]

    def _set_up(self) -> None:
        if self._layout is not None:
            return
        self._layout = detect(self._host)
        self.reader = V1Reader() if self._layout.version is Version.V1 else V2Reader()
        # two controllers in one folder are one hierarchy, walked once
        self._roots = {folder: _Folder("/", folder, parse("/")) for folder in self._layout.walked}

    def _refresh(self) -> None:
        found: dict[str, dict[str, _Folder]] = {}
        for hierarchy, root in self._roots.items():
            for folder in self._walk(root):
                found.setdefault(folder.path, {})[hierarchy] = folder
        for path in self._cgroups.keys() - found.keys():
            self._drop(path)
        for path in sorted(found):
            self._take(path, found[path])

    def _walk(self, folder: _Folder) -> Iterator[_Folder]:
        """This folder and those below it that are to be published. Nothing when it is gone."""
        status = self._host.cgroup.status(folder.relative)
        if isinstance(status, Unreadable):
            folder.inode = 0
            return
        if status.st_ino != folder.inode:
            folder.inode, folder.links, folder.children = status.st_ino, 0, {}
        if folder.place.kind is not Kind.HELPER:
            yield folder
        if folder.is_leaf:
            return
        if status.st_nlink != folder.links or status.st_nlink < _LINKS_OF_AN_EMPTY_FOLDER:
            folder.links = status.st_nlink
            self._list(folder)
        yield from self._walk_children(folder)

    def _walk_children(self, folder: _Folder) -> Iterator[_Folder]:
        for child in folder.children.values():
            yield from self._walk(child)
        if all(child.inode for child in folder.children.values()):
            return
        before = {name for name, child in folder.children.items() if child.inode}
        self._list(folder)
        for name, child in folder.children.items():
            if name not in before:
                yield from self._walk(child)

    def _list(self, folder: _Folder) -> None:
        names = self._host.cgroup.folders(folder.relative)
        old = folder.children
        folder.children = {
            name: old[name] if name in old else _below(folder, name)
            for name in ([] if isinstance(names, Unreadable) else names)
        }

    def _take(self, path: str, folders: dict[str, _Folder]) -> None:
        """Keep the cgroup that is known, or make a new one when there was none or it was another."""
        inodes = {hierarchy: folder.inode for hierarchy, folder in folders.items()}
        if path in self._cgroups:
            if self._cgroups[path][0] == inodes:
                return
            self._drop(path)
        place = next(iter(folders.values())).place
        self._cgroups[path] = inodes, Cgroup(path, place, self._where(path, folders), self._host.cgroup)

    def _where(self, path: str, folders: dict[str, _Folder]) -> dict[str, str]:
        """The cgroup's folder for each controller that has it, or is taken to have it."""
        layout = self._layout if self._layout is not None else Layout(Version.V2)
        where = {
            controller: f"{hierarchy}{path}".rstrip("/")
            for controller, hierarchy in layout.folders.items()
            if controller in ASSUMED
        }
        for controller, hierarchy in layout.folders.items():
            if hierarchy in folders:
                where[controller] = folders[hierarchy].relative
        return where

    def _drop(self, path: str) -> None:
        _, cgroup = self._cgroups.pop(path)
        cgroup.close()
        self._resolver.forget(cgroup.place)

    def _labels(self, cgroup: Cgroup, now: float) -> tuple[str, ...]:
        who = self._resolver.identity(cgroup.place, now)
        return (who.container, cgroup.path, who.image, who.name, who.namespace, who.pod)


def _below(folder: _Folder, name: str) -> _Folder:
    path = f"{folder.path.rstrip('/')}/{name}"
    relative = f"{folder.relative}/{name}" if folder.relative else name
    return _Folder(path, relative, parse(path), folder.depth + 1)
