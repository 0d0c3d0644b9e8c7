"""The folders of a hierarchy, found without walking a tree that has not changed.

A folder of cgroupfs has as many links as it has sub-folders, plus two: `stat` tells that nothing came or went,
and only then is a folder listed again. One that goes while another comes leaves the count as it was, but the
`stat` of the one that went fails. A folder of the same name with another inode is another cgroup.

On v1 a cgroup is a folder in several hierarchies. Runtimes make and remove those of a container together, so it is
asked for in the first hierarchy that has it, and taken to be in the others as long as those have not changed. Not so
with systemd's: a slice may have its units in one hierarchy, and in another none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from exporters.host import Reason, Tree, Unreadable
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
    leaves: list["Folder"] = field(default_factory=list)
    """Children that are containers with nothing in them, which are nearly all there are: looked at in short."""
    branches: list["Folder"] = field(default_factory=list)
    """Other children that are to be looked at; neither has those that another hierarchy tells of."""

    def all(self) -> Iterator["Folder"]:
        """This folder and those below it."""
        yield self
        for child in self.children.values():
            yield from child.all()


class Walk:
    """One look at all hierarchies."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._done: list[Folder] = []
        self._elsewhere: dict[str, Folder] | None = None
        self._changed: set[str] = set()
        self.found_changes = False

    def look(self, roots: Sequence[Folder]) -> None:
        """Bring the hierarchies up to date, one after the other."""
        for root in roots:
            self._visit(root)
            self._done.append(root)
            self._elsewhere = None

    def _visit(self, folder: Folder) -> None:
        """Bring a folder and those below it up to date."""
        status = self._tree.status(folder.relative)
        if isinstance(status, Unreadable):
            self._is_gone(folder)
            return
        if status.st_ino != folder.inode or not folder.is_there:
            self.found_changes = True
            folder.inode, folder.links, folder.is_there = status.st_ino, 0, True
            folder.children, folder.leaves, folder.branches = {}, [], []
        if folder.depth < DEEPEST:
            links = status.st_nlink
            if links != folder.links or links < _LINKS_OF_AN_EMPTY_FOLDER or folder.path in self._changed:
                self._list(folder)
            self._visit_children(folder)

    def _is_gone(self, folder: Folder) -> None:
        self.found_changes |= folder.is_there
        folder.is_there, folder.children, folder.leaves, folder.branches = False, {}, [], []

    def _visit_children(self, folder: Folder) -> None:
        for child in folder.branches:
            self._visit(child)
        for leaf in folder.leaves:
            status = self._tree.status(leaf.relative)
            if isinstance(status, Unreadable) or status.st_ino != leaf.inode or status.st_nlink != leaf.links:
                self._visit(leaf)
        gone = [child for child in (*folder.branches, *folder.leaves) if not child.is_there]
        if gone:
            self._changed.add(folder.path)
            for child in gone:
                del folder.children[child.path.rpartition("/")[2]]
            self._list(folder)
            for child in (*folder.branches, *folder.leaves):
                if not child.is_there:
                    self._visit(child)
        if any(leaf.children for leaf in folder.leaves):
            self._sort(folder)

    def _list(self, folder: Folder) -> None:
        names = self._tree.folders(folder.relative)
        old = folder.children
        if isinstance(names, Unreadable):
            folder.links = 0  # whatever the reason was, what was there is looked for again
            if names.reason is not Reason.ABSENT:
                self._sort(folder)
                return
            names = []
        else:
            # as listed, not as the `stat` before said: of one that goes in between, another must not take the place
            folder.links = len(names) + _LINKS_OF_AN_EMPTY_FOLDER
        chosen = [name for name in names if goes_on(folder.place, name)]
        folder.children = {name: old[name] if name in old else _below(folder, name) for name in chosen}
        if folder.children.keys() != old.keys():
            self.found_changes = True
            self._changed.add(folder.path)
        self._sort(folder)

    def _sort(self, folder: Folder) -> None:
        """Decide which children are looked at at each scrape, and how."""
        folder.leaves, folder.branches = [], []
        for child in folder.children.values():
            if child.place.kind is Kind.HELPER:
                child.is_there = True  # of no interest, and gone when the count of links says so
            elif child.place.kind is not Kind.CONTAINER or child.children:
                folder.branches.append(child)
            elif (other := self._paths_elsewhere().get(child.path)) is None:
                folder.leaves.append(child)
            elif other.children:
                folder.branches.append(child)
            else:
                child.is_there = True

    def _paths_elsewhere(self) -> dict[str, Folder]:
        """What the hierarchies before this one have."""
        if self._elsewhere is None:
            self._elsewhere = {folder.path: folder for root in self._done for folder in root.all() if folder.is_there}
        return self._elsewhere


def _below(folder: Folder, name: str) -> Folder:
    path = f"{folder.path.rstrip('/')}/{name}"
    relative = f"{folder.relative}/{name}" if folder.relative else name
    return Folder(path, relative, parse(path), folder.depth + 1)
