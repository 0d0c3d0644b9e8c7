"""The only opener of files: the machine as five folders and a few system calls, all of them replaceable.

A collector asks for the content of a file below one of the roots and gets bytes, or an `Unreadable` that
says why not; nothing here raises for what a machine may lack. Reads are bounded. A file that is read at
every scrape is kept open and read again from its start (`pread`), which costs a quarter of opening it.
What this process lacks the right to read is noted, so that the exporter can tell its operator.
"""

import errno
import os
import resource
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from exporters.calls import Calls

LONGEST = 8 << 20
"""Bytes of one file that are read at most; the longest known, /proc/interrupts of a large host, has 2 MiB."""

READ_RIGHT = "CAP_DAC_READ_SEARCH"
"""The capability that lets a process read any file, capabilities(7); root has it."""

MOST_DENIED = 1000
"""Refusals that one user of the host keeps at most."""

_ABSENT, _UNKEPT = -1, -2
"""In place of a descriptor: a file that is not there; one that is, and that the purse can't keep open."""

_CHUNK = 1 << 16
_RECORD = 1 << 12
"""What nearly all records fit into; the kernel makes and clears a buffer of the size asked for, below /proc/sys."""


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


class Unreadable(NamedTuple):
    """A file or folder that could not be read, as a value. Made in numbers at each scrape: most machines lack most
    kinds of hardware.
    """

    path: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.detail or self.reason.value}"


def _unreadable(path: str, error: OSError, access: "Access") -> Unreadable:
    reason = _REASONS.get(error.errno or 0, Reason.FAILED)
    if reason is Reason.NOT_PERMITTED:
        access.deny(path, READ_RIGHT)
    return Unreadable(path, reason, error.strerror or str(error))


class Purse:
    """How many files may be kept open: what the limit of open files leaves, less what everything else needs."""

    RESERVE = 256

    def __init__(self, files: int | None = None) -> None:
        highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.left = files if files is not None else max(0, highest - self.RESERVE)


@dataclass(frozen=True, slots=True)
class Access:
    """What the files of one user of the host share: the purse of all, and that user's own denials."""

    purse: Purse = field(default_factory=Purse)
    denied: dict[str, str] = field(default_factory=dict)
    """What could not be read for lack of rights → the right that it takes."""

    def deny(self, what: str, right: str) -> None:
        """Note what was refused. Of very many the first will do: each container that ever was may have a file."""
        if len(self.denied) < MOST_DENIED:
            self.denied[what] = right


class KeptFile:
    """A file that stays open between scrapes, as long as the purse allows. Not for regular files that are replaced
    by renaming.
    """

    __slots__ = ("_access", "_descriptor", "path")

    def __init__(self, path: str, access: Access | None = None) -> None:
        self.path = path
        self._access = access if access is not None else Access()
        self._descriptor = -1

    def read(self) -> bytes | Unreadable:
        """The whole content as it is now. A read through a stale descriptor opens the file anew."""
        return self._read(whole=True)

    def read_record(self) -> bytes | Unreadable:
        """The content of a file that the kernel writes as one record, as all of cgroupfs: one system call."""
        if self._descriptor >= 0:  # nearly always: a scrape reads hundreds of files, so without a call to spare
            try:
                content = os.pread(self._descriptor, _RECORD, 0)
            except OSError as error:
                return self._failed(error, kept=True, whole=False)
            if len(content) < _RECORD:
                return content
        return self._read(whole=False)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, _ABSENT  # first, or a thread left behind may close it again
        if descriptor >= 0:
            os.close(descriptor)
            self._access.purse.left += 1

    def __del__(self) -> None:
        self.close()  # whoever forgets a kept file has no other way to give its descriptor back

    def _read(self, *, whole: bool) -> bytes | Unreadable:
        kept = self._descriptor >= 0
        if not kept and self._access.purse.left <= 0:
            return _read_once(self.path, self._access)
        try:
            if not kept:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                self._access.purse.left -= 1
            return _content(self._descriptor, self.path, whole=whole)
        except OSError as error:
            return self._failed(error, kept=kept, whole=whole)

    def _failed(self, error: OSError, *, kept: bool, whole: bool) -> bytes | Unreadable:
        """A kept descriptor may be stale, so try a new one; not so where the device refuses an answer, as one that is
        down when asked for its speed.
        """
        if _REASONS.get(error.errno or 0) is not Reason.NOT_SUPPORTED:
            self.close()
            if kept:
                return self._read(whole=whole)
        return _unreadable(self.path, error, self._access)


class KeptFiles:
    """Files of one folder that are read together at every scrape, each one record of the kernel; kept open like
    KeptFile. A folder that is gone has no answer; a new one of its name has, but not before the next read.
    """

    LOOK_AGAIN = 16
    """Reads after which an absent file is looked for again; sooner at first, as v1's folders are made one by one."""

    __slots__ = ("_access", "_descriptors", "_paths", "_reads")

    def __init__(self, paths: Sequence[str], access: Access) -> None:
        self._paths = paths
        self._access = access
        self._descriptors = [_ABSENT] * len(paths)
        self._reads = -1

    def read(self) -> list[bytes]:
        """Their contents in order; empty for one that can't be read."""
        self._reads += 1
        if _ABSENT in self._descriptors and (self._reads in (1, 2, 4, 8) or self._reads % self.LOOK_AGAIN == 0):
            self._open()
        try:
            contents = [os.pread(file, _CHUNK, 0) if file >= 0 else b"" for file in self._descriptors]
        except OSError:  # one is gone, or has no answer now
            return [self._read(place) for place in range(len(self._paths))]
        if _UNKEPT in self._descriptors or max(map(len, contents), default=0) == _CHUNK:
            return [self._read(place) for place in range(len(self._paths))]
        return contents

    def __del__(self) -> None:
        for place in range(len(self._descriptors)):
            self._close(place)

    def _close(self, place: int) -> None:
        file, self._descriptors[place] = self._descriptors[place], _ABSENT
        if file >= 0:
            os.close(file)
            self._access.purse.left += 1

    def _open(self) -> None:
        for place, path in enumerate(self._paths):
            if self._descriptors[place] != _ABSENT:
                continue
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                _unreadable(path, error, self._access)
                continue
            if self._access.purse.left > 0:
                self._access.purse.left -= 1
                self._descriptors[place] = file
            else:
                os.close(file)
                self._descriptors[place] = _UNKEPT

    def _read(self, place: int) -> bytes:
        file, path = self._descriptors[place], self._paths[place]
        if file == _ABSENT:
            return b""
        try:
            content = _content(file, path, whole=False) if file >= 0 else _read_once(path, self._access)
        except OSError as error:
            if _REASONS.get(error.errno or 0) is Reason.ABSENT:
                self._close(place)
                self._reads = 0
            return b""
        return content if isinstance(content, bytes) else b""


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


def _read_once(path: str, access: Access) -> bytes | Unreadable:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return _unreadable(path, error, access)
    try:
        return _content(descriptor, path, whole=True)
    except OSError as error:
        return _unreadable(path, error, access)
    finally:
        os.close(descriptor)


def _read_owned(path: str, owner: int, longest: int, access: Access) -> bytes | Unreadable:
    """Through a handle that opens nothing yet: to open a FIFO waits, and to open a device may do what it is for."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        return _unreadable(path, error, access)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
            return Unreadable(path, Reason.FAILED, "no regular file, or another user's")
        if status.st_size > longest:
            return Unreadable(path, Reason.TOO_LONG, f"longer than {longest} bytes")
        # the owner may hold a lease, fcntl(2), for whose end an open waits otherwise
        file = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.pread(file, status.st_size, 0)
        finally:
            os.close(file)
    except OSError as error:
        return _unreadable(path, error, access)
    finally:
        os.close(handle)


class Tree:
    """The files below one root; relative paths have no leading slash."""

    def __init__(self, root: str, access: Access | None = None) -> None:
        self._access = access if access is not None else Access()
        self.root = root.rstrip("/") or "/"
        self._stem = self.root.rstrip("/")

    def path(self, relative: str) -> str:
        """The absolute path, for reading it elsewhere and for messages."""
        # a name out of a broken file may hold a null byte, which no system call takes and no file has
        return f"{self._stem}/{relative}".replace("\0", "\ufffd") if relative else self.root

    def keep(self, relative: str) -> KeptFile:
        """A file that will be read again and again; it need not be there yet."""
        return KeptFile(self.path(relative), self._access)

    def keep_all(self, relatives: Sequence[str]) -> KeptFiles:
        """Files of one folder that will be read together again and again."""
        return KeptFiles([self.path(relative) for relative in relatives], self._access)

    def read(self, relative: str) -> bytes | Unreadable:
        """The content of a file that is read rarely."""
        return _read_once(self.path(relative), self._access)

    def read_of(self, folder: str, relative: str, longest: int) -> bytes | Unreadable:
        """The content of a file in a user's folder, which must be the user's as the folder is: no link leads to what
        only this process may read. Never waits for the user, as for the other end of a FIFO.
        """
        status = self.status(folder)
        if isinstance(status, Unreadable):
            return status
        return _read_owned(self.path(f"{folder}/{relative}"), status.st_uid, longest, self._access)

    def names(self, relative: str) -> list[str] | Unreadable:
        """The names in a folder, sorted."""
        try:
            return sorted(os.listdir(self.path(relative)))  # noqa: PTH208 - no Path objects in the scrape's way
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)

    def inodes(self, relative: str) -> dict[str, int] | Unreadable:
        """The names in a folder, sorted, with their inode numbers: a device that took another's name has a new one."""
        try:
            with os.scandir(self.path(relative)) as entries:
                return dict(sorted((entry.name, entry.inode()) for entry in entries))
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)

    def folders(self, relative: str) -> list[str] | Unreadable:
        """The names of the folders in a folder, sorted; links are not followed."""
        try:
            with os.scandir(self.path(relative)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)

    def status(self, relative: str) -> os.stat_result | Unreadable:
        """What `stat` says of a file or folder."""
        try:
            return os.stat(self.path(relative))  # noqa: PTH116 - as above
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)

    def target(self, relative: str) -> str | Unreadable:
        """Where a symbolic link points to, as it is written there."""
        try:
            return os.readlink(self.path(relative))  # noqa: PTH115 - as above
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)

    def resolved(self, relative: str) -> str | Unreadable:
        """The absolute path with all links followed, as realpath(3)."""
        try:
            return os.path.realpath(self.path(relative), strict=True)
        except OSError as error:
            return _unreadable(self.path(relative), error, self._access)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the machine's folders are, seen from this process: in a container they are mounted elsewhere."""

    procfs: str = "/proc"
    sysfs: str = "/sys"
    rootfs: str = "/"
    cgroupfs: str = "/sys/fs/cgroup"
    udev: str = "/run/udev/data"


class Host:
    """One machine as one collector sees it. `calls` are the system calls that no file stands for."""

    def __init__(self, roots: Roots, calls: Calls | None = None, access: Access | None = None) -> None:
        self._roots = roots
        self._access = access if access is not None else Access()
        self.calls = calls if calls is not None else Calls()
        self.proc = Tree(roots.procfs, self._access)
        self.sys = Tree(roots.sysfs, self._access)
        self.root = Tree(roots.rootfs, self._access)
        self.cgroup = Tree(roots.cgroupfs, self._access)
        self.udev = Tree(roots.udev, self._access)

    def view(self) -> "Host":
        """The same machine with denials of its own: one for each collector."""
        return Host(self._roots, self.calls, Access(self._access.purse))

    def folder(self, path: str) -> Tree:
        """A folder that an operator named; it need not be below one of the roots."""
        return Tree(path, self._access)

    @property
    def denied(self) -> dict[str, str]:
        """What this view could not read for lack of rights → the right that it takes."""
        return self._access.denied

    def deny(self, what: str, right: str) -> None:
        """Note that `what`, such as `adjtimex(2)`, was refused; `right` is a capability(7) such as `CAP_SYS_TIME`."""
        self._access.deny(what, right)
