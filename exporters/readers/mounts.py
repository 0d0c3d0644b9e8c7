"""The table of mounts, which is parsed only when it has changed. Format: proc_pid_mountinfo(5)."""

import re
from dataclasses import dataclass, replace

from exporters.collector import Malformed, required
from exporters.host import Host, Unreadable

_ESCAPE = re.compile(r"\\([0-7]{3})")
_FIELDS_BEFORE = 6
_FIELDS_AFTER = 3


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of a mount table. The device is as it stands there, its spaces escaped, as node_exporter has it."""

    device: str
    mountpoint: str
    fstype: str
    major: str
    minor: str
    read_only: bool


class MountTable:
    """The mounts of the host."""

    def __init__(self, host: Host) -> None:
        # the mounts of process 1 are the host's; under hidepid only our own table can be read
        self._files = (host.proc.keep("1/mountinfo"), host.proc.keep("self/mountinfo"))
        self._root = host.root.root
        self._read = b""
        self._mounts: list[Mount] = []

    def current(self) -> list[Mount]:
        """The mounts, with mount points as the host names them; the same object as long as the table is the same.

        Raises NoData, Malformed.
        """
        file = self._files[0]
        content = file.read()
        if isinstance(content, Unreadable):
            file = self._files[1]
            content = file.read()
        text = required(content)
        if content != self._read or not self._mounts:
            self._mounts = [
                replace(mount, mountpoint=_below_root(mount.mountpoint, self._root))
                for mount in parse_mounts(text, file.path)
            ]
            self._read = content if isinstance(content, bytes) else b""
        return self._mounts


def _below_root(mountpoint: str, root: str) -> str:
    """A mount point as the host names it: our own table has the host's mounts below `root`."""
    inside = root != "/" and (mountpoint == root or mountpoint.startswith(f"{root}/"))
    return (mountpoint.removeprefix(root) or "/") if inside else mountpoint


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
        device=right[1],
        mountpoint=_unescaped(left[4]),
        fstype=right[0],
        major=major,
        minor=minor,
        read_only=not options.isdisjoint({"ro", "emergency_ro"}),
    )


def _unescaped(text: str) -> str:
    r"""Space, tab, newline and backslash stand there as `\040`, `\011`, `\012`, `\134`."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), text) if "\\" in text else text
