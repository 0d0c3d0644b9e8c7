"""The folders of a hierarchy, found without walking a tree that has not changed.

A folder of cgroupfs has as many links as it has sub-folders, plus two: `stat` tells that nothing came or went,
and only then is a folder listed again. One that goes while another comes leaves the count as it was, but the
`stat` of the one that went fails. A folder of the same name with another inode is another cgroup.

On v1 a cgroup is a folder in several hierarchies. Runtimes make and remove those of a container together, so it is
asked for in the first hierarchy that has it, and taken to be in the others as long as those have not changed. Not so
with systemd's: a slice may have its units in one hierarchy, and in another none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from exporters.host import Tree, Unreadable
from exporters.pods.cgroup_path import Kind, Place, goes_on, parse

DEEPEST = 32
"""Levels; the kernel allows more, nobody uses ten."""

_LINKS_OF_AN_EMPTY_FOLDER = 2


@dataclass(slots=True)
class Folder:
    """A folder of one hierarchy as it was seen last. `path` is the cgroup's, `relative` is below cgroupfs."""

    path: str
    relative: str
    place: Place
    depth: int = 0
    inode: int = 0
    links: int = 0
    is_there: bool = False
    children: dict[str, "Folder"] = field(default_factory=dict)

    def all(self) -> Iterator["Folder"]:
        """This folder and those below it."""
        yield self
        for child in self.children.values():
            yield from child.all()


class Walk:
    """One look at all hierarchies."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._asked: set[str] = set()
        self._changed: set[str] = set()
        self.found_changes = False

    def visit(self, folder: Folder) -> None:
        """Bring a folder and those below it up to date."""
        if folder.place.kind is Kind.HELPER or (folder.path in self._asked and not folder.children):
            folder.is_there = True
            return
        status = self._tree.status(folder.relative)
        if isinstance(status, Unreadable):
            self._is_gone(folder)
            return
        if status.st_ino != folder.inode or not folder.is_there:
            self.found_changes = True
            folder.inode, folder.links, folder.children, folder.is_there = status.st_ino, 0, {}, True
        if folder.depth < DEEPEST:
            links = status.st_nlink
            if links != folder.links or links < _LINKS_OF_AN_EMPTY_FOLDER or folder.path in self._changed:
                folder.links = links
                self._list(folder)
            self._visit_children(folder)
        if folder.place.kind is Kind.CONTAINER and not folder.children:
            self._asked.add(folder.path)

    def _is_gone(self, folder: Folder) -> None:
        self.found_changes |= folder.is_there
        folder.is_there, folder.children = False, {}

    def _visit_children(self, folder: Folder) -> None:
        for child in folder.children.values():
            self.visit(child)
        if all(child.is_there for child in folder.children.values()):
            return
        self._changed.add(folder.path)
        before = {name for name, child in folder.children.items() if child.is_there}
        self._list(folder)
        for name, child in folder.children.items():
            if name not in before:
                self.visit(child)

    def _list(self, folder: Folder) -> None:
        names = self._tree.folders(folder.relative)
        old = folder.children
        chosen = [] if isinstance(names, Unreadable) else [name for name in names if goes_on(folder.place, name)]
        folder.children = {name: old[name] if name in old else _below(folder, name) for name in chosen}
        if folder.children.keys() != old.keys():
            self.found_changes = True
            self._changed.add(folder.path)


def _below(folder: Folder, name: str) -> Folder:
    path = f"{folder.path.rstrip('/')}/{name}"
    relative = f"{folder.relative}/{name}" if folder.relative else name
    return Folder(path, relative, parse(path), folder.depth + 1)
