"""Lines of container log files: the format told by the line, pieces joined to what the program wrote. Pure."""

from dataclasses import dataclass, field

from log_pipeline.codec.cri import parse_cri
from log_pipeline.codec.docker_json import parse_docker_json
from log_pipeline.codec.runtime_line import RuntimeLine


def parse_line(raw: bytes) -> RuntimeLine:
    """A raw line, without its line feed, in whichever format it is: CRI, docker's json-file or plain text.

    A first byte `{` says docker's, as in Filebeat. A line that is neither is plain text and taken as it is,
    so that a damaged line is still found by a search.
    """
    parsed = parse_docker_json(raw) if raw.startswith(b"{") else parse_cri(raw)
    return parsed or RuntimeLine("", "", False, raw.removesuffix(b"\r"))


@dataclass(frozen=True, slots=True)
class Whole:
    """A line as the program wrote it.

    `offset` and `end` are the bytes of the file from its first piece to the end of its last; `truncated` says
    that it was longer than allowed and cut, `unfinished` that its last piece never came.
    """

    line: RuntimeLine
    offset: int
    end: int
    truncated: bool = False
    unfinished: bool = False


@dataclass(slots=True)
class _Open:
    """The pieces so far of one stream's line. Pieces beyond the bound are counted, not kept."""

    first: RuntimeLine
    offset: int
    end: int
    since: float
    truncated: bool = False
    contents: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, content: bytes, end: int, longest: int) -> None:
        room = longest - self.size
        self.truncated = self.truncated or len(content) > room
        self.contents.append(content[:room])
        self.size += min(len(content), room)
        self.end = end

    def whole(self, unfinished: bool) -> Whole:
        line = RuntimeLine(self.first.timestamp, self.first.stream, False, b"".join(self.contents))
        return Whole(line, self.offset, self.end, self.truncated, unfinished)


class Joiner:
    """Joins the pieces of one file, each stream by itself: stdout and stderr are written by two threads.

    A line takes the time and the offset of its first piece. Holds at most `longest` bytes a stream.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._open: dict[str, _Open] = {}

    def push(self, line: RuntimeLine, span: tuple[int, int], now: float, truncated: bool = False) -> Whole | None:
        """Take the line that stands at `span` (start, end) of the file; return one that is complete now."""
        start, end = span
        begun = self._open.get(line.stream)
        if begun is None and not line.partial:
            cut = line.content[: self._longest]
            whole = line if cut == line.content else RuntimeLine(line.timestamp, line.stream, False, cut)
            return Whole(whole, start, end, truncated or whole is not line)
        if begun is None:
            begun = self._open[line.stream] = _Open(line, start, end, now)
        begun.add(line.content, end, self._longest)
        begun.truncated = begun.truncated or truncated
        return None if line.partial else self._open.pop(line.stream).whole(unfinished=False)

    def flush(self, begun_before: float = float("inf")) -> list[Whole]:
        """Give up waiting for the last piece of the lines begun before that time; in the file's order."""
        old = [stream for stream, begun in self._open.items() if begun.since < begun_before]
        return sorted((self._open.pop(stream).whole(unfinished=True) for stream in old), key=lambda each: each.offset)

    @property
    def oldest(self) -> int | None:
        """Where the oldest line that is still open begins: a restart must read again from there."""
        return min(begun.offset for begun in self._open.values()) if self._open else None
