"""The NFS mounts in /proc/self/mountstats as values: pure.

A mount begins with `device EXPORT mounted on FOLDER with fstype nfs4 statvers=1.1`; counters follow on lines with a
key, and below `per-op statistics` on a line for each operation. Format: nfs_show_stats in fs/nfs/super.c and
rpc_clnt_show_stats in net/sunrpc/stats.c of the kernel.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from exporters.collector import Malformed
from exporters.readers.rpc import naturals

BYTES = 8
EVENTS = 27
OPERATION = 8
TRANSPORT = 13
OLD_TRANSPORT = 10
"""How many numbers there are at least; transports of statvers 1.0 lack the last three."""

TYPE = " with fstype nfs"
"""What a text without any NFS mount does not have."""

_DEVICE = re.compile(r"device (\S+) mounted on (\S+) with fstype (nfs4?) statvers=\S+")
_BEGIN = re.compile(r"^(?:device|no device) ?\S* mounted on ", re.MULTILINE)

Key = tuple[str, str, str]


@dataclass(slots=True)
class NfsMount:
    """The counters of one mount, in the order in which the kernel writes them."""

    export: str
    mountpoint: str
    fstype: str
    age: int = 0
    bytes: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    transports: list[tuple[str, list[int]]] = field(default_factory=list)
    """Protocol and numbers, laid out as those of TCP with statvers 1.1 whatever the protocol."""
    operations: dict[str, list[int]] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """By which the mount table knows it."""
        return self.export, self.mountpoint, self.fstype


def parse(text: str, path: str) -> Iterator[NfsMount | Malformed]:
    """Each NFS mount, or what is wrong with it, naming `path` and the line: one mount costs no other its counters."""
    if not _BEGIN.search(text):
        yield Malformed(path, 1 if text else 0, "lines `device … mounted on … with fstype …`", text[:40])
    if TYPE not in text:
        return
    mount: NfsMount | None = None
    by_operation = False
    for number, line in enumerate(text.splitlines(), 1):
        if _BEGIN.match(line):
            if mount is not None:
                yield mount
            mount, by_operation = _begin(line), False
        elif mount is not None and line.strip():
            try:
                by_operation = _take(mount, line.split(), by_operation=by_operation)
            except ValueError as error:
                yield Malformed(path, number, str(error), line)
                mount = None
    if mount is not None:
        yield mount


def _begin(line: str) -> NfsMount | None:
    """The mount that a line begins, if it is one of NFS."""
    begin = _DEVICE.fullmatch(line.rstrip())
    return NfsMount(begin[1], begin[2], begin[3]) if begin else None


def _take(mount: NfsMount, words: list[str], *, by_operation: bool) -> bool:
    """Add a line to its mount; whether lines of operations follow. Raises ValueError saying what was expected."""
    key, *values = words
    if by_operation:
        mount.operations[key.removesuffix(":")] = _numbers(values, OPERATION, f"numbers after {key}")
    elif key == "age:":
        (mount.age,) = _numbers(values[:1], 1, "seconds after age:")
    elif key == "bytes:":
        mount.bytes = _numbers(values, BYTES, "numbers after bytes:")
    elif key == "events:":
        mount.events = _numbers(values, EVENTS, "numbers after events:")
    elif key == "xprt:":
        mount.transports.append(_transport(values))
    return by_operation or key == "per-op"


def _numbers(words: list[str], least: int, expected: str) -> list[int]:
    try:
        numbers = naturals(words)
    except ValueError:
        numbers = []
    if len(numbers) < least:
        raise ValueError(f"{least} {expected}")
    return numbers


def _transport(words: list[str]) -> tuple[str, list[int]]:
    """UDP knows no connections, RDMA no slots and queues; both have other numbers there, or none."""
    protocol, *values = words or [""]
    least = OLD_TRANSPORT - 3 if protocol == "udp" else OLD_TRANSPORT
    numbers = _numbers(values, least, "numbers after xprt: and the protocol")
    if protocol == "udp":
        numbers[2:2] = [0, 0, 0]
    elif protocol == "rdma":
        del numbers[OLD_TRANSPORT:]
    return protocol, [*numbers, 0, 0, 0][:TRANSPORT]


def addresses(mountinfo: str) -> dict[Key, list[str]]:
    """The servers' addresses of NFS mounts by what the other file tells of them, in order where that is the same.

    Both files spell names with the same escapes. Format: proc_pid_mountinfo(5).
    """
    found: dict[Key, list[str]] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - nfs")
        left, right = before.split(" "), f"nfs{after}".split(" ")
        if after and len(left) > 4 and len(right) > 2:
            options = dict(option.partition("=")[::2] for option in right[2].split(","))
            found.setdefault((right[1], left[4], right[0]), []).append(options.get("addr", ""))
    return found
