"""The cgroups that live now, whose they are, and which of them have series."""

import math
import threading
from collections import Counter
from dataclasses import replace

from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.detect import ASSUMED, Layout, Version, detect
from exporters.cgroups.tree.labels import Labelling, is_chosen
from exporters.cgroups.tree.model import Cgroup, Reader
from exporters.cgroups.tree.v1 import V1Reader
from exporters.cgroups.tree.v2 import V2Reader
from exporters.cgroups.tree.walk import Folder, Walk
from exporters.collector import PAIRS, Labels, NoData
from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Kind, Place, parse
from exporters.pods.resolver import Resolver

BASE_LABELS = (PAIRS,)
"""Of every metric of cgroups, what stands for the labels that say which cgroup it is, see `labels`."""

MOST_OF_A_USER = 1000
"""Cgroups with series below one user's slice: users make as many as they like, and would crowd the others out."""

_OF_A_USER = "/user.slice/user-"


class Inventory:
    """All cgroups with their labels, and the reader that fits their version."""

    def __init__(self, host: Host, resolver: Resolver, choice: Choice | None = None) -> None:
        self._host = host
        self._resolver = resolver
        self._choice = choice if choice is not None else Choice()
        self._labelling = Labelling(self._choice)
        self._layout: Layout | None = None
        self._as_of: tuple[int, int] | None = None
        self._has_changed = False
        self._roots: list[Folder] = []
        self._cgroups: dict[str, Cgroup] = {}
        self._keys: dict[str, tuple[object, ...]] = {}
        self._unsure: list[Cgroup] = []
        self._chosen: list[Cgroup] = []
        self._now: float | None = None
        self._turn = threading.Lock()
        self.reader: Reader = V2Reader()
        self.left_out: dict[str, int] = {}
        """By a user's slice, how many cgroups have no series as they are too many."""

    @property
    def version(self) -> Version:
        """How this machine accounts; known once `current` was called."""
        return self._layout.version if self._layout is not None else Version.V2

    @property
    def root(self) -> str:
        """The folder in which all hierarchies are, for messages."""
        return self._host.cgroup.root

    @property
    def denied(self) -> dict[str, str]:
        """What could not be read of cgroups and names → the right that it takes."""
        return self._host.denied

    def current(self, now: float) -> list[Cgroup]:
        """The cgroups at `now` that are to have series, the root first. The same `now` is answered from memory: a
        scrape walks once.

        Raises NoData when there is no cgroupfs, or a scrape before this one is stuck in it.
        """
        self._look(now)
        return self._chosen.copy()

    def everyone(self, now: float) -> list[Cgroup]:
        """As `current`, with those that have no series."""
        self._look(now)
        return list(self._cgroups.values())

    def unnamed(self) -> int:
        """Pods and containers of which something is still to be found out, such as the image."""
        return len(self._unsure)

    def faults(self) -> dict[str, str]:
        """The sources of names that can't answer although they should, and why."""
        return self._resolver.faults()

    def labels_of_pod(self, member: Cgroup) -> Labels:
        """The labels of the pod that a container is in, where the pod has no cgroup of its own."""
        pod = Place(Kind.POD, member.place.pod_uid, qos=member.place.qos)
        return (self._labelling.text(member.path, pod, replace(member.identity, container="", image="", name="")),)

    def _look(self, now: float) -> None:
        if now == self._now:
            return
        if not self._turn.acquire(blocking=False):
            raise NoData(f"{self.root}: the scrape before this one still looks for cgroups")
        try:
            self._set_up()
            self._has_changed |= self._walk()  # what breaks off below is done at the next look
            if self._has_changed:
                self._take_all()
            if self._name(now) or self._has_changed:
                self._choose()
            self._has_changed, self._now = False, now
        finally:
            self._turn.release()

    def _set_up(self) -> None:
        """Find out which hierarchies there are, again once folders for more of them have come."""
        status = self._host.cgroup.status("")
        as_of = None if isinstance(status, Unreadable) else (status.st_ino, status.st_mtime_ns)
        if self._layout is not None and as_of == self._as_of:
            return
        layout = detect(self._host)
        self._as_of = as_of
        if layout == self._layout:
            return
        self._layout, self._keys = layout, {}
        self.reader = V1Reader() if layout.version is Version.V1 else V2Reader()
        # two controllers in one folder are one hierarchy, walked once
        self._roots = [Folder("/", folder, parse("/")) for folder in sorted(layout.walked)]

    def _walk(self) -> bool:
        """Whether anything has changed."""
        walk = Walk(self._host.cgroup)
        walk.look(self._roots)
        return walk.found_changes

    def _take_all(self) -> None:
        """Keep the cgroups that are known, and make new ones where there was none or it was another."""
        found: dict[str, dict[str, Folder]] = {}
        for root in self._roots:
            for folder in root.all():
                if folder.is_there and folder.place.kind is not Kind.HELPER:
                    found.setdefault(folder.path, {})[root.relative] = folder
        before, keys = self._cgroups, self._keys
        self._cgroups, self._keys = {}, {}
        for path in sorted(found):
            folders = found[path]
            first = next(iter(folders.values()))
            key = self._keys[path] = (first.inode, *folders)
            same = keys.get(path) == key
            self._cgroups[path] = before.pop(path) if same else self._new(path, first.place, folders)
        living = {cgroup.place for cgroup in self._cgroups.values()}
        for cgroup in before.values():
            if cgroup.place not in living:
                self._resolver.forget(cgroup.place)
        self._unsure = [cgroup for cgroup in self._cgroups.values() if cgroup.ask_at < math.inf]

    def _new(self, path: str, place: Place, folders: dict[str, Folder]) -> Cgroup:
        return Cgroup(path, place, self._where(path, folders), self._host.cgroup)

    def _where(self, path: str, folders: dict[str, Folder]) -> dict[str, str]:
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

    def _name(self, now: float) -> bool:
        """Ask who those are that are not known for sure. Whether anybody's name has changed."""
        changed = False
        goes_on = self._now is not None and self._now <= now  # the clock may have been set back
        due = [cgroup for cgroup in self._unsure if not goes_on or now >= cgroup.ask_at]
        named = [cgroup for cgroup in due if cgroup.place.kind in (Kind.POD, Kind.CONTAINER)]
        self._resolver.prepare([cgroup.place for cgroup in named], now)
        for cgroup in due:
            who = self._resolver.identity(cgroup.place, now)
            cgroup.ask_at = self._resolver.next_try(cgroup.place)
            if not cgroup.labels or who != cgroup.identity:
                cgroup.identity = who
                cgroup.labels = (self._labelling.text(cgroup.path, cgroup.place, who),)
                changed = True
        self._unsure = [cgroup for cgroup in self._unsure if cgroup.ask_at < math.inf]
        return changed

    def _choose(self) -> None:
        """Those that are wanted. Without the label `id` several may be called the same, and one of them has series."""
        chosen: list[Cgroup] = []
        taken = {""}
        of_users: Counter[str] = Counter()
        for cgroup in self._cgroups.values():
            (text,), path = cgroup.labels, cgroup.path
            if text in taken or not is_chosen(self._choice, path, cgroup.place, cgroup.identity):
                continue
            taken.add(text)
            if path.startswith(_OF_A_USER):
                user = path.split("/", 3)[2]
                of_users[user] += 1
                if of_users[user] > MOST_OF_A_USER:
                    continue
            chosen.append(cgroup)
        self._chosen = chosen
        self.left_out = {user: count - MOST_OF_A_USER for user, count in of_users.items() if count > MOST_OF_A_USER}
