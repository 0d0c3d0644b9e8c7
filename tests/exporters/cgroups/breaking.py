"""Nodes of Kubernetes for tests that break something, and trees that fail as no common file system does."""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters import catalog
from exporters.app import cgroup_group
from exporters.host import Host, KeptFile, KeptFiles, Reason, Tree, Unreadable
from exporters.scrape import Scraper, Selection
from exporters.testing import FakeMachine, ManualTime, RecordingLog, text_of
from tests.exporters.cgroups import trees
from tests.exporters.cgroups.seen import APP_ID, FOLDERS, KUBEPODS
from tests.exporters.machines import NOW

EVERYTHING = dict.fromkeys(catalog.CGROUP, True)
OF_THE_MOMENT = ("cgroup_scrape_collector_duration_seconds", "container_last_seen", "fenghuo_exporter_")
UNLIMITED = ("container_ulimits_soft", "container_network_advance_tcp_stats_total")
"""The only families with a number below 0: -1 is no limit."""
NO_NUMBER_OF_THE_KERNEL = 1 << 64

Found = dict[str, float]
"""Series, as it stands in the exposition → value."""

_ID = re.compile(r'[{,]id="((?:[^"\\]|\\.)*)"')
_ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


class Scrapes:
    """All collectors of cgroups, asked as a server asks them, every fifteen seconds."""

    def __init__(self, host: Host) -> None:
        self.text = ""
        self._log = RecordingLog()
        self._time = ManualTime(NOW)
        self._scraper = Scraper([cgroup_group(host, EVERYTHING, log=self._log)], self._log, self._time)

    def next(self, after: float = 15.0) -> Found:
        """The series of one scrape so many seconds later, which is sound whatever the machine is."""
        self._time.advance(after)
        self.text = self._scraper.scrape(Selection(), text_of)
        lines = self.text.split("\n")
        found: Found = {}
        for series, _, number in (line.rpartition(" ") for line in lines if line and line[0] != "#"):
            assert series not in found
            value = found[series] = float(number)
            assert value < NO_NUMBER_OF_THE_KERNEL, series
            assert value >= 0 or series.startswith(UNLIMITED), series
        assert [line for line in self._log.lines if "level=error" in line] == []
        return {series: value for series, value in found.items() if not series.startswith(OF_THE_MOMENT)}


def ids(found: Found) -> set[str]:
    """The cgroups that have any series."""
    escaped = {match[1] for series in found if (match := _ID.search(series))}
    return {re.sub(r"\\.", lambda match: _ESCAPES[match[0]], one) for one in escaped}


def of(path: str) -> str:
    """The label of a cgroup's series."""
    escaped = path.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'id="{escaped}"'


def families(found: Found, path: str) -> set[str]:
    """What is published of one cgroup."""
    return {series.partition("{")[0] for series in found if of(path) in series}


def without(found: Found, *paths: str) -> Found:
    """The series of all others, and how the collectors fared."""
    labels = [of(path) for path in paths]
    return {series: value for series, value in found.items() if not any(label in series for label in labels)}


def without_kills_of(pod: str, found: Found) -> Found:
    """All but one series: a pod of v1 has the kills of those of its containers that tell them."""
    return {s: value for s, value in found.items() if not (s.startswith("container_oom_events") and of(pod) in s)}


def made(version: str, folder: Path) -> FakeMachine:
    """A node of Kubernetes."""
    machine = FakeMachine(folder)
    trees.MACHINES[f"{version}_containerd"](machine)
    return machine


def folders_of(machine: FakeMachine, path: str) -> list[Path]:
    """A cgroup's folder in each hierarchy."""
    root = machine.folder / "cgroup"
    tops = [root] if (root / "cgroup.controllers").exists() else [top for top in root.iterdir() if not top.is_symlink()]
    return [top / path.strip("/") for top in tops]


def files_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


@dataclass
class Node:
    """A machine, the cgroup in it that a test breaks, and what is published of it while it is whole."""

    version: str
    machine: FakeMachine
    before: Found

    @property
    def app(self) -> str:
        """The container that is broken: it has limits, kills and processes, and there is another in the pod."""
        return self.pod + {"v2": f"/cri-containerd-{APP_ID}.scope", "v1": f"/{APP_ID}"}[self.version]

    @property
    def pod(self) -> str:
        """The pod that it is in."""
        return {"v2": KUBEPODS["web"], "v1": FOLDERS["web"]}[self.version]

    @property
    def cgroupfs(self) -> str:
        """The root of its cgroups."""
        return str(self.machine.folder / "cgroup")

    @contextlib.contextmanager
    def lent(self) -> Iterator[list[Path]]:
        """The files of the cgroup, which are as they were when this is over."""
        folders = folders_of(self.machine, self.app)
        whole = {file: (file.read_bytes(), file.stat().st_mtime) for folder in folders for file in files_in(folder)}
        dates = {folder: folder.stat().st_mtime for folder in folders}
        try:
            yield list(whole)
        finally:
            for file, (content, changed) in whole.items():
                if file.is_symlink():
                    file.unlink()
                elif file.is_dir():
                    file.rmdir()
                file.write_bytes(content)
                os.utime(file, (changed, changed))
            for folder, changed in dates.items():
                os.utime(folder, (changed, changed))

    @contextlib.contextmanager
    def away(self, *folders: Path) -> Iterator[None]:
        """The folders are not there while this lasts."""
        aside = Path(tempfile.mkdtemp(dir=self.machine.folder))
        moves = [(folder, aside / str(number)) for number, folder in enumerate(folders)]
        for folder, place in moves:
            folder.rename(place)
        try:
            yield
        finally:
            for folder, place in moves:
                place.rename(folder)

    def others(self, found: Found) -> Found:
        """The series of all but that cgroup."""
        return without_kills_of(self.pod, without(found, self.app))


class Narrow(Host):
    """A host whose cgroupfs is another tree, also to those who see it in a view of their own."""

    def __init__(self, machine: FakeMachine, tree: Tree) -> None:
        super().__init__(machine.roots, machine.calls)
        self.cgroup = tree

    def view(self) -> Host:
        return self


class Fleeting(Tree):
    """Folders of one name that `take` makes go as soon as they were listed."""

    def __init__(self, root: str, fleeting: str, take: Callable[[Path], object]) -> None:
        super().__init__(root)
        self._fleeting = fleeting
        self._take = take

    def folders(self, relative: str) -> list[str] | Unreadable:
        names = super().folders(relative)
        for name in [] if isinstance(names, Unreadable) else names:
            if self._fleeting in name:
                self._take(Path(self.path(f"{relative}/{name}")))
        return names


class Closed(Tree):
    """A folder that may not be entered, or not be listed."""

    def __init__(self, root: str, closed: str, *, is_seen: bool) -> None:
        super().__init__(root)
        self._closed = closed
        self._is_seen = is_seen

    def folders(self, relative: str) -> list[str] | Unreadable:
        return self._refused(relative) or super().folders(relative)

    def names(self, relative: str) -> list[str] | Unreadable:
        return self._refused(relative) or super().names(relative)

    def status(self, relative: str) -> os.stat_result | Unreadable:
        refused = None if self._is_seen else self._refused(relative)
        return refused or super().status(relative)

    def _refused(self, relative: str) -> Unreadable | None:
        if f"/{relative}".endswith(self._closed):
            return Unreadable(self.path(relative), Reason.NOT_PERMITTED, "Permission denied")
        return None


class GoneFile(KeptFile):
    """An open file that answers as the kernel does once `tree.gone` is in its path: there is no such cgroup."""

    __slots__ = ("tree",)
    tree: "Leaving"

    def read(self) -> bytes | Unreadable:
        return self.gone() or super().read()

    def read_record(self) -> bytes | Unreadable:
        return self.gone() or super().read_record()

    def gone(self) -> Unreadable | None:
        return Unreadable(self.path, Reason.ABSENT) if self.tree.has_gone(self.path) else None


class GoneFiles(KeptFiles):
    """The same of files that are read together."""

    __slots__ = ("tree",)
    tree: "Leaving"

    def read(self) -> list[bytes]:
        return [b"" if self.tree.has_gone(path) else content for path, content in self.answers()]

    def answers(self) -> list[tuple[str, bytes]]:
        return list(zip(self._paths, super().read(), strict=True))


class Leaving(Tree):
    """A tree of which a part may go, also for those who have files of it open. A common file system would let them
    read on.
    """

    gone = ""

    def has_gone(self, path: str) -> bool:
        return bool(self.gone) and self.gone in path

    def keep(self, relative: str) -> KeptFile:
        file = GoneFile(self.path(relative), self._access)
        file.tree = self
        return file

    def keep_all(self, relatives: Sequence[str]) -> KeptFiles:
        files = GoneFiles([self.path(relative) for relative in relatives], self._access)
        files.tree = self
        return files
