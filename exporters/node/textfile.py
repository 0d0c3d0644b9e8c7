"""Metrics that other programs wrote to files, `*.prom` in the folders that an operator names, in the text format.

A file that is wrong costs only itself, and of a file that contradicts another or the exporter only the metric in
question is left out. What is wrong goes to the log with its line, once, and is a label of `fenghuo_textfile_error`
as long as it lasts. A file is parsed when it is new, was replaced or has changed, and no descriptor of it is kept:
writers rename a finished file into place, as they should.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from exporters.collector import Family, Fault, gauge
from exporters.host import LONGEST, Host, Reason, Tree, Unreadable
from exporters.options import option
from exporters.readers.textmerge import Merger
from exporters.textformat import TextError, TextFamily, parse

ENDING = ".prom"

MTIME = gauge("node_textfile_mtime_seconds", "When a file was last written, in Unix seconds, faulty or not.", "file")
SCRAPE_ERROR = gauge("node_textfile_scrape_error", "1 if there is a fault in any file or folder, 0 otherwise.")
ERROR = gauge("fenghuo_textfile_error", "1 for each reason why metrics of a file are left out.", "file", "reason")
OWN = {metric.name for metric in (MTIME, SCRAPE_ERROR, ERROR)}

UNSETTLED_SECONDS = 0.1
"""A file that was written this shortly ago may change again without a change of its time: clocks of files tick
slowly. It is parsed at the next scrape once more.
"""

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Options:
    """Where the files are."""

    directory: tuple[str, ...] = option(
        (), "A folder with *.prom files of metrics; *, ? and [] match. May be given more than once."
    )


class _Stamp(NamedTuple):
    """What changes when a file's content does. A writer may set `mtime` to what it was, but not `ctime`."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int


class _Source(NamedTuple):
    """What a file held when it was parsed."""

    stamp: _Stamp
    settled: bool
    families: list[TextFamily]
    fault: Fault | None


class TextFile:
    """Looks at every file at each scrape, and reads those that have changed."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        chosen = options if options is not None else Options()
        self._folder = host.folder
        self._patterns = [pattern for pattern in chosen.directory if pattern]
        self._sources: dict[str, _Source] = {}
        self._taken: Callable[[], Mapping[str, str]] = dict
        self._names: set[str] = set()
        self._clashes: dict[str, str] = {}
        self._merger = Merger()
        self._unread: list[Fault] = []

    def give_way(self, taken: Callable[[], Mapping[str, str]]) -> None:
        self._taken = taken

    def faults(self) -> list[Fault]:
        of_files = [source.fault for source in self._sources.values() if source.fault is not None]
        return [*self._unread, *of_files, *self._merger.faults]

    def collect(self, now: float) -> Iterator[Family]:
        if not self._patterns:
            yield SCRAPE_ERROR.single(0.0)
            return
        self._unread = []
        found = dict(self._files())
        if self._has_changed(found, now):
            families = {path: source.families for path, source in self._sources.items()}
            self._merger.merge(families, self._clashes)
        yield from self._merger.families
        yield MTIME.family([((path,), status.st_mtime_ns // 10**9) for path, status in found.items()])
        faults = self.faults()
        reasons = dict.fromkeys((fault.path, fault.reason) for fault in faults)
        yield ERROR.family([(labels, 1) for labels in reasons])
        yield SCRAPE_ERROR.single(float(bool(faults)))

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Every file that is to be read, folder by folder."""
        for path in dict.fromkeys(path for pattern in self._patterns for path in self._folders(pattern)):
            folder = self._folder(path)
            names = folder.names("")
            if isinstance(names, Unreadable):
                self._unread.append(Fault(path, 0, names.reason.value, f"expected a folder: {names}"))
                continue
            base = os.path.normpath(path).rstrip("/")
            for name in names:
                if name.endswith(ENDING):
                    file, status = f"{base}/{name}", folder.status(name)
                    if not isinstance(status, Unreadable):
                        yield file, status
                    elif status.reason is not Reason.ABSENT or isinstance(folder.target(name), str):
                        # a link to nothing; whatever else is absent has just gone
                        self._unread.append(Fault(file, 0, status.reason.value, f"expected a file to read: {status}"))

    def _folders(self, pattern: str) -> list[str]:
        """The folders that a pattern matches, sorted; the pattern itself when there are none."""
        return (_PATTERN.search(pattern) and matches(self._folder, pattern)) or [pattern]

    def _has_changed(self, found: Mapping[str, os.stat_result], now: float) -> bool:
        """Parse what is new, forget what is gone, look whose names clash, and tell whether anything of that was."""
        before, self._sources = self._sources, {}
        for path, status in found.items():
            known = before.get(path)
            stamp = _Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if known is None or known.stamp != stamp or not known.settled:
                settled = all(abs(now - time) > UNSETTLED_SECONDS for time in (status.st_mtime, status.st_ctime))
                known = _Source(stamp, settled, *self._read(path, status))
            self._sources[path] = known
        changed = before.keys() != self._sources.keys() or any(
            source is not before[path] for path, source in self._sources.items()
        )
        if changed:
            families = (family for source in self._sources.values() for family in source.families)
            self._names = {name for family in families for name in family.names}
        clashes, self._clashes = self._clashes, self._clashing()
        return changed or clashes != self._clashes

    def _clashing(self) -> dict[str, str]:
        """The names in files that are taken, and by whom."""
        if not self._names:
            return {}
        taken = self._taken()
        clashes = {name: taken[name] for name in self._names.intersection(taken)}
        return clashes | dict.fromkeys(self._names & OWN, "the collector itself")

    def _read(self, path: str, status: os.stat_result) -> tuple[list[TextFamily], Fault | None]:
        if not stat.S_ISREG(status.st_mode):
            return [], Fault(path, 0, "no file", "expected a regular file")
        if status.st_size > LONGEST:
            return [], Fault(path, 0, "too long", f"expected at most {LONGEST} bytes, got {status.st_size}")
        folder, _, name = path.rpartition("/")
        content = self._folder(folder or ("/" if path.startswith("/") else ".")).read(name)
        if isinstance(content, Unreadable):
            return [], Fault(path, 0, content.reason.value, f"expected a file to read: {content}")
        try:
            return parse(content), None
        except TextError as error:
            return [], Fault(path, error.line, error.reason.value, str(error))


def matches(tree: Callable[[str], Tree], pattern: str) -> list[str]:
    """The paths that a pattern matches, sorted: each part of it on its own, as in a shell, but a `*` also matches
    names that begin with a dot. `[^a]` is any sign but `a`, as in Go.
    """
    start = "/" if pattern.startswith("/") else ""
    base = tree(start or ".")
    found = [""]
    for part in pattern.replace("[^", "[!").strip("/").split("/"):
        below: list[str] = []
        for folder in found:
            names = base.names(folder) if _PATTERN.search(part) else [part]
            entries = [] if isinstance(names, Unreadable) else [name for name in names if fnmatchcase(name, part)]
            below += [f"{folder}/{name}" if folder else name for name in entries]
        found = below
    return [start + path for path in found if not isinstance(base.status(path), Unreadable)]
