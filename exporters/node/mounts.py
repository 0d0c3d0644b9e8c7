"""Mount tables as text to values: pure. Format: proc_pid_mountinfo(5)."""

import re
from dataclasses import dataclass

from exporters.collector import Malformed

_ESCAPE = re.compile(r"\\([0-7]{3})")
_FIELDS_BEFORE = 6
_FIELDS_AFTER = 3


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of a mount table."""

    device: str
    mountpoint: str
    fstype: str
    major: str
    minor: str
    read_only: bool


def parse_mounts(text: str, path: str) -> list[Mount]:
    """All lines of a mountinfo file. Raises Malformed naming `path` and the line."""
    # not splitlines(): it also ends lines at signs that a mount point may hold
    lines = text.removesuffix("\n").split("\n") if text else []
    return [_parse_line(line, path, number) for number, line in enumerate(lines, 1)]


def _parse_line(line: str, path: str, number: int) -> Mount:
    # a hyphen ends the optional fields; names can't hold one between spaces, they are escaped
    before, hyphen, after = line.partition(" - ")
    left, right = before.split(" "), after.split(" ")
    if not hyphen or len(left) < _FIELDS_BEFORE or len(right) < _FIELDS_AFTER:
        raise Malformed(path, number, "`id parent major:minor root mountpoint options … - type device options`", line)
    major, _, minor = left[2].partition(":")
    options = {*left[5].split(","), *right[2].split(",")}
    return Mount(
        device=_unescaped(right[1]),
        mountpoint=_unescaped(left[4]),
        fstype=right[0],
        major=major,
        minor=minor,
        read_only=not options.isdisjoint({"ro", "emergency_ro"}),
    )


def _unescaped(text: str) -> str:
    r"""Space, tab, newline and backslash stand there as `\040`, `\011`, `\012`, `\134`."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), text) if "\\" in text else text
