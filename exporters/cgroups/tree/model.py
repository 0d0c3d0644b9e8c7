"""What a cgroup is, and what is measured of it, the same for v1 and v2. Nothing here reads.

None means that the kernel does not say: no series is published, and never a zero that would look like news.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, Protocol

from exporters.collector import Labels
from exporters.host import KeptFile, Tree
from exporters.pods.cgroup_path import Place
from exporters.pods.identity import NOBODY, Identity

UNLIMITED = 1 << 62
"""A limit above this is none and is published as 0, as cAdvisor does."""

Files = Sequence[tuple[str, str]]
"""Controller (empty on v2) and name of each file."""

Contents = list[bytes]
"""In the order of the files; empty for one that can't be read."""

_HIGHEST = 1 << 64
_MOST_LAYOUTS = 16


@dataclass(eq=False, slots=True)
class Cgroup:
    """One cgroup while it lives. Who holds it may read its files as long as it likes: each is closed with the last one
    that holds it, so that nobody's descriptor becomes another file's.

    `path` has a leading slash; `folders` gives for each controller that has it the folder below cgroupfs.
    """

    path: str
    place: Place
    folders: dict[str, str]
    tree: Tree
    started: float | None = None
    labels: Labels = ()
    """One ready-made text of all labels, see `collector.PAIRS`."""
    identity: Identity = NOBODY
    ask_at: float = -math.inf
    """When to ask again who it is, in Unix seconds; infinity once all is known."""
    files: dict[str, KeptFile] = field(default_factory=dict)

    def read(self, controller: str, name: str) -> bytes | None:
        """A file's content; None when this cgroup does not have it, or no longer."""
        file = self.files.get(name)
        if file is None:
            if controller not in self.folders:
                return None
            file = self.files[name] = self.tree.keep(self.file(controller, name))
        content = file.read_record()
        return content if isinstance(content, bytes) else None

    def file(self, controller: str, name: str) -> str:
        """Where a file is below the root of cgroupfs, or where it would be if the cgroup were in that hierarchy."""
        folder = self.folders.get(controller, f"{controller}{self.path}")
        return f"{folder}/{name}" if folder else name

    def number(self, controller: str, name: str) -> int | None:
        """A file that holds one number; None when it does not (`max`, or nothing), or one below 0."""
        return count_of(self.read(controller, name))

    def numbers(self, controller: str, name: str) -> dict[bytes, bytes]:
        """A file of lines `key value`; empty when it can't be read. Values are for `number_in`."""
        words = (self.read(controller, name) or b"").split()
        return dict(zip(words[::2], words[1::2], strict=False))


class _Layout(NamedTuple):
    """The keys of all lines of a file, those of them that are wanted, and how to pick their values out of the words."""

    names: list[bytes]
    keys: tuple[bytes, ...]
    values_of: Callable[[list[bytes]], tuple[bytes, ...]]


class Fields:
    """Chosen lines `key value` of a file that has the same lines in every cgroup, such as memory.stat.

    Where they stand is learned from the first file of as many words. From then on a file is one split, one comparison
    and a number a wanted line, which is half the cost of looking at all lines; each memory.stat has about 70.
    """

    def __init__(self, *keys: bytes) -> None:
        self._keys = frozenset(keys)
        self._layouts: dict[int, _Layout] = {}

    def of(self, content: bytes | None) -> dict[bytes, int]:
        """The values; without those that are not there or no number that a kernel counter can hold."""
        if not content:
            return {}
        words = content.split()
        layout = self._layouts.get(len(words))
        try:
            if layout is not None and layout.names == words[::2] and b"-" not in content:
                values = list(map(int, layout.values_of(words)))
                if max(values) < _HIGHEST:
                    return dict(zip(layout.keys, values, strict=True))
        except ValueError:
            pass
        return self._learn(words)

    def _learn(self, words: list[bytes]) -> dict[bytes, int]:
        places = {key: 2 * line + 1 for line, key in enumerate(words[: len(words) & ~1 : 2]) if key in self._keys}
        if len(places) > 1:  # of one, itemgetter would make no tuple
            if len(self._layouts) > _MOST_LAYOUTS:  # broken files only: a kernel writes two or three
                self._layouts.clear()
            self._layouts[len(words)] = _Layout(words[::2], tuple(places), itemgetter(*places.values()))
        values = {key: number_of(words[place]) for key, place in places.items()}
        return {key: value for key, value in values.items() if value is not None and value >= 0}


def number_of(content: bytes | None) -> int | None:
    """The number that is the whole content; None for anything else, and for what no kernel counter can hold."""
    try:
        value = int(content) if content is not None else None
    except ValueError:
        return None
    return value if value is None or -_HIGHEST < value < _HIGHEST else None


def count_of(content: bytes | None) -> int | None:
    """The number that is the whole content, unless it is below 0."""
    value = number_of(content)
    return None if value is None or value < 0 else value


def number_in(values: dict[bytes, bytes], key: bytes) -> int | None:
    """The number under `key`; None when it is not there or is no number."""
    return number_of(values.get(key))


def seconds(value: int | None, parts: int) -> float | None:
    """A count of parts of a second as seconds, where there is one."""
    return None if value is None else value / parts


def limit_of(value: int | None) -> int | None:
    """A limit as published: none is 0."""
    return value if value is None or value < UNLIMITED else 0


def working_set(usage: int | None, inactive_file: int | None) -> int | None:
    """What can't be taken back without swapping: usage less the file cache that was not used lately."""
    if usage is None or inactive_file is None:
        return usage
    return max(0, usage - inactive_file)


class Cpu(NamedTuple):
    """Seconds, except where said."""

    usage: float | None = None
    user: float | None = None
    system: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled: float | None = None
    burst_periods: int | None = None
    burst: float | None = None


class CpuLimits(NamedTuple):
    """What a cgroup may use."""

    quota: int | None = None
    """Microseconds a period; None without a limit."""
    period: int | None = None
    """Microseconds."""
    shares: int | None = None


class Memory(NamedTuple):
    """Bytes, except the counts of pages, faults and events."""

    usage: int | None = None
    working_set: int | None = None
    rss: int | None = None
    cache: int | None = None
    mapped_file: int | None = None
    swap: int | None = None
    kernel: int | None = None
    max_usage: int | None = None
    failcnt: int | None = None
    pgfault: int | None = None
    pgmajfault: int | None = None
    own_pgfault: int | None = None
    """Without those below it; v2 does not tell."""
    own_pgmajfault: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
    file_dirty: int | None = None
    file_writeback: int | None = None
    pgscan: int | None = None
    pgsteal: int | None = None
    refault_file: int | None = None
    refault_anon: int | None = None
    events_high: int | None = None
    """Times that tasks were slowed down for being above memory.high."""
    events_max: int | None = None
    """Times that memory.max was about to be passed."""
    oom_kills: int | None = None


class MemoryLimits(NamedTuple):
    """Bytes; 0 is none."""

    limit: int | None = None
    swap_limit: int | None = None
    reservation: int | None = None


class Reader(Protocol):
    """One version of the cgroup interface: which files to read, and what they say. Methods never raise."""

    CPU: Files
    CPU_LIMITS: Files
    MEMORY_LIMITS: Files

    def cpu(self, contents: Contents) -> Cpu:
        """Processor time, by the contents of CPU."""
        ...

    def cpu_limits(self, contents: Contents) -> CpuLimits:
        """By the contents of CPU_LIMITS."""
        ...

    def memory_files(self, cgroup: Cgroup) -> Files:
        """Those of which `memory` wants the contents."""
        ...

    def memory(self, contents: Contents) -> Memory:
        """Memory of a cgroup that is not the root."""
        ...

    def memory_limits(self, contents: Contents) -> MemoryLimits:
        """By the contents of MEMORY_LIMITS."""
        ...
