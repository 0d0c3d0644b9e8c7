"""The only opener of files: the machine as four folders and two system calls, all of them replaceable.

A collector asks for the content of a file below one of the roots and gets bytes, or an `Unreadable` that
says why not; nothing here raises for what a machine may lack. Reads are bounded. A file that is read at
every scrape is kept open and read again from its start (`pread`), which costs a quarter of opening it.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 8 << 20
"""Bytes of one file that are read at most; the longest known, /proc/interrupts of a large host, has 2 MiB."""

_CHUNK = 1 << 16


class Reason(StrEnum):
    """Why a file can't be read."""

    ABSENT = "absent"
    NOT_PERMITTED = "not permitted"
    NOT_SUPPORTED = "not supported by this kernel"
    TOO_LONG = "too long"
    FAILED = "failed"


_REASONS = {
    errno.ENOENT: Reason.ABSENT,
    errno.ENOTDIR: Reason.ABSENT,
    errno.ENODEV: Reason.ABSENT,  # a cgroup that was removed while its file was open
    errno.ESRCH: Reason.ABSENT,  # a process that ended
    errno.EACCES: Reason.NOT_PERMITTED,
    errno.EPERM: Reason.NOT_PERMITTED,
    errno.EOPNOTSUPP: Reason.NOT_SUPPORTED,
    errno.EINVAL: Reason.NOT_SUPPORTED,
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that could not be read, as a value."""

    path: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.detail or self.reason.value}"


def _unreadable(path: str, error: OSError) -> Unreadable:
    return Unreadable(path, _REASONS.get(error.errno or 0, Reason.FAILED), error.strerror or str(error))


class KeptFile:
    """A file that stays open between scrapes. Not for regular files that are replaced by renaming."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = -1

    def read(self) -> bytes | Unreadable:
        """The whole content as it is now. A read through a stale descriptor opens the file anew."""
        return self._read(whole=True)

    def read_record(self) -> bytes | Unreadable:
        """The content of a file that the kernel writes as one record, as all of cgroupfs: one system call."""
        return self._read(whole=False)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()  # whoever forgets a kept file has no other way to give its descriptor back

    def _read(self, *, whole: bool) -> bytes | Unreadable:
        kept = self._descriptor >= 0
        try:
            if not kept:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            return _content(self._descriptor, self.path, whole=whole)
        except OSError as error:
            self.close()
            return self._read(whole=whole) if kept else _unreadable(self.path, error)


def _content(descriptor: int, path: str, *, whole: bool) -> bytes | Unreadable:
    """All bytes of an open file from its start; procfs hands out long files in pieces, so read until the end."""
    first = os.pread(descriptor, _CHUNK, 0)
    if not first or (not whole and len(first) < _CHUNK):
        return first
    parts, size = [first], len(first)
    while piece := os.pread(descriptor, _CHUNK, size):
        parts.append(piece)
        size += len(piece)
        if size > LONGEST:
            return Unreadable(path, Reason.TOO_LONG, f"longer than {LONGEST} bytes")
    return b"".join(parts)


class Tree:
    """The files below one root; relative paths have no leading slash."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") or "/"
        self._stem = self.root.rstrip("/")

    def path(self, relative: str) -> str:
        """The absolute path, for reading it elsewhere and for messages."""
        return f"{self._stem}/{relative}" if relative else self.root

    def keep(self, relative: str) -> KeptFile:
        """A file that will be read again and again; it need not be there yet."""
        return KeptFile(self.path(relative))

    def read(self, relative: str) -> bytes | Unreadable:
        """The content of a file that is read rarely."""
        path = self.path(relative)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return _unreadable(path, error)
        try:
            return _content(descriptor, path, whole=True)
        except OSError as error:
            return _unreadable(path, error)
        finally:
            os.close(descriptor)

    def names(self, relative: str) -> list[str] | Unreadable:
        """The names in a folder, sorted."""
        try:
            return sorted(os.listdir(self.path(relative)))  # noqa: PTH208 - no Path objects in the scrape's way
        except OSError as error:
            return _unreadable(self.path(relative), error)

    def folders(self, relative: str) -> list[str] | Unreadable:
        """The names of the folders in a folder, sorted; links are not followed."""
        try:
            with os.scandir(self.path(relative)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError as error:
            return _unreadable(self.path(relative), error)

    def status(self, relative: str) -> os.stat_result | Unreadable:
        """What `stat` says of a file or folder."""
        try:
            return os.stat(self.path(relative))  # noqa: PTH116 - as above
        except OSError as error:
            return _unreadable(self.path(relative), error)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the machine's folders are, seen from this process: in a container they are mounted elsewhere."""

    procfs: str = "/proc"
    sysfs: str = "/sys"
    rootfs: str = "/"
    cgroupfs: str = "/sys/fs/cgroup"
    udev: str = "/run/udev/data"


class Host:
    """One machine. `statvfs` and `uname` stand for the two system calls that no file gives."""

    def __init__(
        self,
        roots: Roots,
        statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
        uname: Callable[[], os.uname_result] = os.uname,
    ) -> None:
        self.proc = Tree(roots.procfs)
        self.sys = Tree(roots.sysfs)
        self.root = Tree(roots.rootfs)
        self.cgroup = Tree(roots.cgroupfs)
        self.udev = Tree(roots.udev)
        self.statvfs = statvfs
        self.uname = uname
