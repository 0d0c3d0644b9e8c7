"""All files that globs lead to, followed: what to read next, through rotation, and what to remember.

Synchronous, in one thread; time is an argument. `FileSource` runs it beside the event loop.
"""

import glob
import os
import stat
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fenghuo.logs import get_logger
from log_pipeline.adapters.line_events import events_of, partition_of
from log_pipeline.adapters.positions import FileKey, Mark, Positions
from log_pipeline.adapters.rotated import COMPRESSED, later_siblings
from log_pipeline.adapters.tail import Found, Tail, real_path
from log_pipeline.model.event import Event
from log_pipeline.model.position import Partition

_WEEK = 7 * 86_400.0
_HOUR = 3_600.0
_MOST_COMPLAINTS = 10_000


class Instant(NamedTuple):
    """Now, by both of a clock's hands: `monotonic` for how long, `unix` for when."""

    monotonic: float
    unix: float


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Seconds, bytes and counts.

    `scan`: how often paths are looked at. `linger`: how long a file that lost its path must be silent until it
    counts as ended, when it still has another name; `linger_deleted`: when it has none. `unfinished`: how long a
    piece of a line waits for the next. `idle`: after that a silent file's descriptor is closed.
    """

    scan: float = 1.0
    linger: float = 60.0
    linger_deleted: float = 5.0
    unfinished: float = 5.0
    idle: float = 60.0
    most_open: int = 256
    longest_line: int = 1 << 20


class Follower:
    """`paths` are globs, `host` names the node. Methods raise StorageError when positions can't be kept."""

    def __init__(self, paths: Sequence[str], positions: Path, host: str, settings: FileSettings) -> None:
        self._globs = tuple(paths)
        self._positions = Positions(positions)
        self._host = host
        self._settings = settings
        self._log = get_logger("files")
        self._marks: dict[FileKey, Mark] = {}
        self._tails: dict[FileKey, Tail] = {}
        self._given: dict[Partition, Tail] = {}
        self._behind: deque[Tail] = deque()
        self._ready: deque[Event] = deque()
        self._begun: list[Tail] = []
        self._scanned_at = float("-inf")
        self._swept_at = float("-inf")
        self._complaints: dict[str, str] = {}

    def open(self, now: Instant) -> None:
        """Load the positions, look for the files, and for those that were rotated away meanwhile."""
        self._positions.open()
        self._marks = self._positions.load()
        self._scan(now)
        if not self._tails:
            self._log.info("no log file there yet", paths=list(self._globs))
        self._look_for_the_lost(now)

    def collect(self, limit: int, now: Instant) -> list[Event]:
        """At most `limit` new events, taken in turn from the files that have grown."""
        if now.monotonic - self._scanned_at >= self._settings.scan:
            self._scan(now)
        while len(self._ready) < limit and self._behind:
            tail = self._behind.popleft()
            if not self._advance(tail, now):
                continue
            if tail.left_at is None:
                self._behind.append(tail)
            else:
                self._behind.appendleft(tail)
        # a file is remembered before its first line is given, else one that is rotated now would never be found
        if self._begun:
            self._positions.save([tail.mark(tail.committed, False, now.unix) for tail in self._begun])
            self._begun.clear()
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    def commit(self, offsets: Mapping[Partition, int], now: Instant) -> None:
        """Remember that everything before these offsets is dealt with."""
        marks: list[Mark] = []
        for partition, offset in offsets.items():
            tail = self._given.get(partition)
            if tail is None:
                continue
            tail.committed = offset
            # an inode may be another file by now, whose mark must not be overwritten
            if self._tails.get(tail.key, tail) is tail:
                marks.append(tail.mark(offset, tail.finished and offset >= tail.resume, now.unix))
        self._positions.save(marks)
        for partition in offsets:
            tail = self._given.get(partition)
            if tail is not None and tail.finished and tail.committed >= tail.resume:
                del self._given[partition]

    def lag(self) -> int:
        """Bytes that are there and not yet read."""
        return sum(max(0, tail.size - tail.read_to) for tail in tuple(self._tails.values()))

    def close(self) -> None:
        """Close all files. Nothing is committed."""
        for tail in self._tails.values():
            tail.shut()
        self._positions.close()

    def _scan(self, now: Instant) -> None:
        """Look at all paths: new files, growth, files that went."""
        self._scanned_at = now.monotonic
        seen: set[FileKey] = set()
        for path in self._paths():
            status = self._status(path)
            if status is None:
                continue
            key = FileKey(status.st_dev, status.st_ino)
            if key in seen:
                continue
            seen.add(key)
            tail = self._tails.get(key) or self._begin(key, path)
            tail.found_at(path, status.st_size)
        for tail in [tail for key, tail in self._tails.items() if key not in seen]:
            self._left(tail, now)
        for tail in tuple(self._tails.values()):
            self._emit(tail, tail.give_up(now.monotonic - self._settings.unfinished), now)
        # files that have left their path come first: the old one is read to its end before the new one
        behind = [tail for tail in self._tails.values() if tail.behind]
        self._behind = deque(sorted(behind, key=lambda tail: tail.left_at is None))
        self._shut_idle(now)
        if now.monotonic - self._swept_at >= _HOUR:
            self._forget_old(now)

    def _paths(self) -> Iterator[str]:
        for pattern in self._globs:
            folder = os.path.dirname(pattern)  # noqa: PTH120 - a pattern is no path
            if not glob.has_magic(folder) and Path(folder).is_dir() and not os.access(folder, os.R_OK | os.X_OK):
                self._complain(folder, "this user may not list the folder")
            for path in sorted(glob.iglob(pattern, recursive=True)):  # noqa: PTH207 - thousands of Paths a second would be felt
                if path.endswith(COMPRESSED):
                    self._complain(path, "compressed files are not read")
                elif not _is_text(path):
                    self._complain(path, "its name is no UTF-8; rename it")
                else:
                    yield path

    def _status(self, path: str) -> os.stat_result | None:
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except FileNotFoundError:
            return None  # a link to nowhere, or a file that went this moment
        except OSError as error:
            self._complain(path, error.strerror or str(error))
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _begin(self, key: FileKey, path: str) -> Tail:
        mark = self._marks.pop(key, None)
        self._tails[key] = Tail(key, path, real_path(path), mark, self._settings.longest_line)
        return self._tails[key]

    def _look_for_the_lost(self, now: Instant) -> None:
        """Files that were rotated away while nobody read: followed where they are, or said to be gone."""
        gone: list[Mark] = []
        for mark in [mark for mark in self._marks.values() if not mark.done]:
            since = mark.seen
            if mark.key in self._tails:
                continue  # followed already, as a sibling of one before
            if self._follow_rotated(mark.key, mark.path, mark.real_path, now):
                since = self._tails[mark.key].look().st_mtime
            else:
                self._log.warning("a log file is gone; it was read up to this byte", path=mark.path, byte=mark.offset)
                gone.append(mark._replace(fingerprint="", done=True, seen=now.unix))
            self._follow_siblings(mark.path, mark.real_path, since, now)
        self._positions.save(gone)
        self._marks.update({mark.key: mark for mark in gone})

    def _forget_old(self, now: Instant) -> None:
        """Drop the marks of files that ended a week ago."""
        self._swept_at = now.monotonic
        expired = [key for key, mark in self._marks.items() if mark.done and mark.seen < now.unix - _WEEK]
        self._positions.forget(expired)
        for key in expired:
            del self._marks[key]

    def _follow_siblings(self, path: str, real_path: str, since: float, now: Instant) -> None:
        """Files that had this path after a file that left it, and left it too before anybody looked."""
        for key in later_siblings(real_path, since):
            if key not in self._tails:
                self._follow_rotated(key, path, real_path, now)

    def _follow_rotated(self, key: FileKey, path: str, real_path: str, now: Instant) -> bool:
        """Follow a file that no path of ours leads to; False when it is not in its folder."""
        tail = Tail(key, path, real_path, self._marks.get(key), self._settings.longest_line)
        tail.left_at = now.monotonic
        if not self._opened(tail):
            return False
        tail.look()
        self._marks.pop(key, None)
        self._tails[key] = tail
        self._behind.appendleft(tail)
        return True

    def _left(self, tail: Tail, now: Instant) -> None:
        """No path leads to this file any more: it has ended when it has been silent for long enough."""
        just_now = tail.left_at is None
        tail.left_at = now.monotonic if tail.left_at is None else tail.left_at
        status = tail.look() if self._opened(tail) else None
        if just_now:
            since = status.st_mtime if status else now.unix - 2 * self._settings.scan
            self._follow_siblings(tail.path, tail.real_path, since, now)
        if status is None:
            if tail.size > tail.read_to:
                lost = tail.size - tail.read_to
                self._log.warning("a log file went before it was read to its end", path=tail.path, lost_bytes=lost)
            self._finish(tail, now, deleted=True)
            return
        linger = self._settings.linger if status.st_nlink else self._settings.linger_deleted
        is_silent = now.monotonic - max(tail.left_at, tail.grew_at) >= linger
        # a long rest, left while nobody read, is read on in turn with the others, not into memory at once
        if is_silent and not self._advance(tail, now, ended=True):
            self._finish(tail, now, deleted=status.st_nlink == 0)

    def _finish(self, tail: Tail, now: Instant, deleted: bool) -> None:
        """Give what is left of a file that has ended, and keep its mark for the next file of its inode."""
        if tail.finished:
            return
        self._emit(tail, tail.end(now.monotonic), now)
        tail.finished, tail.deleted = True, deleted
        tail.shut()
        if self._tails.get(tail.key) is tail:
            del self._tails[tail.key]
        if tail.fingerprint is None:
            if (known := tail.unused_mark) is not None:
                self._marks[tail.key] = known
            return
        mark = self._marks[tail.key] = tail.mark(tail.resume, True, now.unix)
        if tail.committed >= tail.resume:
            self._positions.save([mark])
            self._given.pop(partition_of(tail, self._host), None)

    def _advance(self, tail: Tail, now: Instant, ended: bool = False) -> bool:
        """Read one chunk; whether there is more at once."""
        if not self._opened(tail):
            return False
        before, known = tail.read_to, tail.fingerprint
        try:
            found = tail.read(now.monotonic, ended)
        except OSError as error:
            self._complain(tail.path, error.strerror or str(error))
            return False
        if tail.rewritten:
            self._rewritten(tail, now)
            return False
        if known is None and tail.fingerprint is not None:
            self._begun.append(tail)
        self._emit(tail, found, now)
        more = tail.behind and tail.read_to > before
        if not more and tail.left_at is None and self._open_files() > self._settings.most_open:
            tail.shut()
        return more

    def _rewritten(self, tail: Tail, now: Instant) -> None:
        """The file was cut (copytruncate) or its inode is another file now: begin again as a new instance."""
        self._log.info("a log file was cut or replaced, reading it from its beginning", path=tail.path)
        size = tail.size
        self._finish(tail, now, deleted=True)
        mark = self._marks.pop(tail.key)
        self._given.pop(partition_of(tail, self._host), None)
        again = self._tails[tail.key] = Tail(tail.key, tail.path, tail.real_path, mark, self._settings.longest_line)
        again.left_at, again.size = tail.left_at, size
        if again.behind:
            self._behind.append(again)

    def _opened(self, tail: Tail) -> bool:
        try:
            return tail.open()
        except OSError as error:
            self._complain(tail.path, f"{error.strerror}; this user needs the right to read it")
            return False

    def _shut_idle(self, now: Instant) -> None:
        for tail in self._tails.values():
            silent = now.monotonic - tail.grew_at > self._settings.idle
            if silent and tail.is_open and not tail.behind and tail.left_at is None:
                tail.shut()

    def _open_files(self) -> int:
        return sum(tail.is_open for tail in self._tails.values())

    def _complain(self, path: str, reason: str) -> None:
        """Once for each path and reason."""
        if self._complaints.get(path) == reason:
            return
        if len(self._complaints) >= _MOST_COMPLAINTS:
            self._complaints.clear()
        self._complaints[path] = reason
        shown = path.encode("utf-8", "backslashreplace").decode()
        self._log.warning("a log file can't be read", path=shown, reason=reason)

    def _emit(self, tail: Tail, found: Sequence[Found], now: Instant) -> None:
        if found:
            partition = partition_of(tail, self._host)
            self._given[partition] = tail
            self._ready.extend(events_of(tail, found, partition, self._host, now.unix))


def _is_text(path: str) -> bool:
    """Whether the name can be stored and sent: Linux allows any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
