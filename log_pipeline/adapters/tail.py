"""One file as it grows: from bytes to whole lines, from where it was left to its end.

A `Tail` follows one *instance* of a file: when the file turns out to be cut or written anew, this tail ends and
the source begins another. Nothing here knows of globs, events or commits. Every method blocks, shortly.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from log_pipeline.adapters.positions import FileKey, Mark
from log_pipeline.adapters.rotated import renamed
from log_pipeline.codec.container_log import Joiner, Whole, parse_line
from log_pipeline.codec.split import LineSplitter, RawLine

CHUNK = 128 << 10
"""Bytes that one read takes: large enough to be cheap, small enough to be fair to other files."""

HEAD = 256
ANCHOR = 64


def fingerprint(head: bytes, ended: bool = False) -> str | None:
    """A hash of a file's first line (of its first 256 bytes at most): the same however far the file has grown.

    None while the line is not complete, unless the file has `ended`. `head` is the first 256 bytes.
    """
    line, feed, _ = head.partition(b"\n")
    if not (feed or len(head) >= HEAD or ended):
        return None
    return digest(line)


def real_path(path: str) -> str:
    """Where the path leads; the path itself where that can't be told, or has a name that is no text."""
    with suppress(OSError, RuntimeError, UnicodeEncodeError):
        resolved = str(Path(path).resolve())
        resolved.encode()
        return resolved
    return path


def digest(content: bytes) -> str:
    """16 hex digits; empty for no bytes."""
    return blake2b(content, digest_size=8).hexdigest() if content else ""


class Found(NamedTuple):
    """A whole line, its raw bytes (empty when it was joined), and where a restart goes on after it."""

    whole: Whole
    raw: bytes
    next: int


class Tail:
    """Reads one instance of a file. `path` names it to people, `real_path` is where that led."""

    def __init__(self, key: FileKey, path: str, real_path: str, mark: Mark | None, longest: int) -> None:
        self.key = key
        self.path = path
        self.real_path = real_path
        self.size = 0
        """Bytes of the file when it was last looked at."""
        self.fingerprint: str | None = None
        self.generation = 0
        self.rewritten = False
        """The file is no longer the one that was begun; what was read of it stays valid."""
        self.grew_at = float("-inf")
        self.left_at: float | None = None
        """Since when no path leads here: rotated away or deleted (monotonic)."""
        self.finished = False
        """Read to its end, and nothing more will come."""
        self.deleted = False
        """This instance is gone for good: whatever has its inode next is another file, be it byte for byte the same."""
        self.committed = mark.offset if mark else 0
        """Everything before this byte is dealt with."""
        self._moved = False
        self._mark = mark
        self._longest = longest
        self._descriptor: int | None = None
        self._anchor = b""
        self._splitter = LineSplitter(0, longest)
        self._joiner = Joiner(longest)
        self._read_to = 0

    @property
    def read_to(self) -> int:
        """The byte up to which the file was read; before the first read, where reading will go on."""
        return self._read_to if self.fingerprint is not None or self._mark is None else self._mark.offset

    @property
    def behind(self) -> bool:
        """Whether there is, or may be, more to read, or whether it must be seen which file this is."""
        unsure = self._moved or (self._mark is not None and self.fingerprint is None)
        return not self.rewritten and (unsure or self.size != self.read_to)

    @property
    def unused_mark(self) -> Mark | None:
        """The mark that this tail was given, as long as it is not told which instance the file is."""
        return self._mark

    @property
    def is_open(self) -> bool:
        return self._descriptor is not None

    @property
    def resume(self) -> int:
        """Where a restart must go on once everything given so far is dealt with."""
        oldest = self._joiner.oldest
        return self._splitter.offset if oldest is None else oldest

    def found_at(self, path: str, size: int) -> None:
        """A path leads to this file, which has that size. By a new path it may be another file of its inode."""
        self.left_at, self.size = None, size
        if path != self.path:
            self.path, self.real_path = path, real_path(path)
            self._moved = True

    def open(self) -> bool:
        """Open the file, by its path or, after a rename, by a search of its folder; False when it is gone.

        Raises OSError when it is there and can't be opened.
        """
        if self._descriptor is None:
            self._descriptor = _open_as(self.path, self.key)
        if self._descriptor is None:
            self._descriptor = _open_as(renamed(self.real_path, self.key), self.key)
        return self._descriptor is not None

    def look(self) -> os.stat_result:
        """Note the size of the open file, and return all that the kernel says of it. Raises OSError."""
        assert self._descriptor is not None
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        return status

    def shut(self) -> None:
        """Give the descriptor back; `open` goes on where this left off."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self, now: float, ended: bool = False) -> list[Found]:
        """The lines of the next chunk, each with its raw bytes; the file must be open. `now` is monotonic.

        `ended`: nothing more will be written, so the first line counts even without a line feed.
        Raises OSError.
        """
        self.look()
        assert self._descriptor is not None
        if self.fingerprint is None and not self._begin(ended):
            return []
        self._moved = False
        data = os.pread(self._descriptor, len(self._anchor) + CHUNK, self._read_to - len(self._anchor))
        if self.size < self._read_to or not data.startswith(self._anchor):
            self.rewritten = True
            return []
        chunk = data[len(self._anchor) :]
        if chunk:
            self.grew_at = now
            self._read_to += len(chunk)
            self.size = max(self.size, self._read_to)
            self._anchor = data[-ANCHOR:]
        return self._joined(self._splitter.feed(chunk), now)

    def give_up(self, begun_before: float) -> list[Found]:
        """The lines begun before that time whose last piece has not come."""
        wholes = self._joiner.flush(begun_before)
        nexts = [*(whole.offset for whole in wholes[1:]), self.resume]
        return [Found(whole, b"", min(next_, self.resume)) for whole, next_ in zip(wholes, nexts, strict=False)]

    def end(self, now: float) -> list[Found]:
        """What is left when the file has ended: its last line without a line feed, and open pieces."""
        rest = self._splitter.rest()
        lines = [] if rest is None else self._joined([rest], now)
        return [*lines, *self.give_up(float("inf"))]

    def mark(self, offset: int, done: bool, now: float) -> Mark:
        """What to remember when everything before `offset` is dealt with. `now` is Unix time."""
        anchor = self._anchor if offset == self._read_to else self._before(offset)
        return Mark(
            *self.key,
            self.generation,
            "" if self.deleted else self.fingerprint or "",
            offset,
            digest(anchor),
            self.path,
            self.real_path,
            done,
            now,
        )

    def _begin(self, ended: bool) -> bool:
        """Tell which instance of the file this is, and where to read on; False while that can't be told."""
        assert self._descriptor is not None
        self.fingerprint = fingerprint(os.pread(self._descriptor, HEAD, 0), ended)
        if self.fingerprint is None:
            return False
        mark, self._mark = self._mark, None
        if mark is not None:
            before = self._before(mark.offset)
            same = mark.fingerprint == self.fingerprint and self.size >= mark.offset
            if same and mark.anchor in ("", digest(before)):
                self.generation, self._read_to, self._anchor = mark.generation, mark.offset, before
            else:
                self.generation, self.committed = mark.generation + 1, 0
        self._splitter = LineSplitter(self._read_to, self._longest)
        return True

    def _before(self, offset: int) -> bytes:
        """The bytes just before an offset; none when the file can't tell now."""
        if self._descriptor is None:
            return b""
        with suppress(OSError):
            return os.pread(self._descriptor, min(ANCHOR, offset), max(0, offset - ANCHOR))
        return b""

    def _joined(self, lines: Iterable[RawLine], now: float) -> list[Found]:
        found = []
        for raw in lines:
            whole = self._joiner.push(parse_line(raw.content), (raw.start, raw.end), now, raw.truncated)
            if whole is not None:
                oldest = self._joiner.oldest
                content = raw.content if whole.offset == raw.start else b""
                found.append(Found(whole, content, raw.end if oldest is None else oldest))
        return found


def _open_as(path: str, key: FileKey) -> int | None:
    """A descriptor of the path when it is that file; None when the path is gone or another file."""
    if not path:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    status = os.fstat(descriptor)
    if (status.st_dev, status.st_ino) == key:
        return descriptor
    os.close(descriptor)
    return None
