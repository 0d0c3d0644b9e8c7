"""Bytes of a file, in whatever chunks they come, to lines with their place. Pure."""

from collections.abc import Iterator
from typing import NamedTuple


class RawLine(NamedTuple):
    """A line without its line feed; `start` and `end` are the bytes of the file that it takes, feed included."""

    content: bytes
    start: int
    end: int
    truncated: bool


class LineSplitter:
    """Cuts at line feeds. Keeps at most `longest` bytes of a line and counts the rest, so memory is bounded."""

    def __init__(self, offset: int, longest: int) -> None:
        self.offset = offset
        """Where the line begins that is not yet complete."""
        self._longest = longest
        self._parts: list[bytes] = []
        self._kept = 0
        self._length = 0

    def feed(self, chunk: bytes) -> Iterator[RawLine]:
        """The lines that the chunk completes. Exhaust it before the next call."""
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            self._keep(piece)
            yield self._line(1)
        self._keep(rest)

    def rest(self) -> RawLine | None:
        """The last line, which has no line feed, when the file has ended; None when there is none."""
        return self._line(0) if self._length else None

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._parts.append(piece[: self._longest - self._kept])
            self._kept += len(self._parts[-1])
            self._length += len(piece)

    def _line(self, feed: int) -> RawLine:
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        line = RawLine(content, self.offset, self.offset + self._length + feed, self._kept < self._length)
        self.offset = line.end
        self._parts.clear()
        self._kept = self._length = 0
        return line
