"""Fakes for tests of the exporters, shipped and tested like the rest.

`FakeMachine` is a folder with the five roots of a machine and a script for the two system calls: the real `Host`
reads it, so that a test goes through the very code that opens files. `read_ttar` unpacks the text archives in
which node_exporter keeps recorded trees.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from exporters.collector import Collector, Family
from exporters.host import Host, Roots
from exporters.log import Log
from exporters.render import Format, Renderer

UNAME = os.uname_result(("Linux", "node-1", "6.1.0", "#1 SMP", "x86_64"))
STATVFS = os.statvfs_result((4096, 4096, 1000, 600, 500, 300, 200, 200, 0, 255))
"""4 096 000 bytes, of which 2 457 600 are free and 2 048 000 available; 300 files, of which 200 are free."""


class FakeMachine:
    """A machine in a folder. Paths are relative to a root: `machine.write("proc/loadavg", "0.1 0.2 0.3")`.

    The roots are `proc`, `sys`, `root`, `cgroup` and `udev`. `statvfs` answers with STATVFS until replaced.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.statvfs: Callable[[str], os.statvfs_result] = lambda _: STATVFS
        self.uname = UNAME
        for name in ("proc", "sys", "root", "cgroup", "udev"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def roots(self) -> Roots:
        """Where its folders are."""
        return Roots(*(str(self.folder / name) for name in ("proc", "sys", "root", "cgroup", "udev")))

    @property
    def host(self) -> Host:
        """A host that reads this machine."""
        return Host(self.roots, self._ask_statvfs, lambda: self.uname)

    def _ask_statvfs(self, path: str) -> os.statvfs_result:
        return self.statvfs(path)  # looked up at each call, so that a test may replace it

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file in place, as the kernel does: whoever has it open sees the new content."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_all(self, files: Mapping[str, str | bytes], under: str = "") -> None:
        """Write many files below one folder."""
        for path, content in files.items():
            self.write(f"{under}/{path}" if under else path, content)

    def copy(self, source: Path, path: str) -> None:
        """Copy a recorded tree to a root or below one."""
        shutil.copytree(source, self.folder / path, dirs_exist_ok=True, symlinks=True)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        target = self.folder / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()


class ManualTime:
    """A clock for code without an event loop: both times are what they were set to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.current = now
        self.elapsed = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return self.current

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Both move on."""
        self.current += seconds
        self.elapsed += seconds


class RecordingLog(Log):
    """A log that keeps its lines for a test to read."""

    def __init__(self, level: str = "debug") -> None:
        self._lines = io.StringIO()
        super().__init__(level, stream=self._lines, now=lambda: 0.0)

    @property
    def lines(self) -> list[str]:
        """The lines so far, without the time."""
        return [line.partition(" ")[2] for line in self._lines.getvalue().splitlines()]


def exposed(collector: Collector, now: float = 1_700_000_000.0) -> str:
    """What a collector publishes, as text."""
    return text_of(collector.collect(now))


def text_of(families: Iterable[Family]) -> str:
    """Families as Prometheus' text format."""
    return Renderer().render(list(families), Format.TEXT).decode()


def samples_in(text: str) -> dict[str, float]:
    """An exposition as `name{labels}` → value; comments are left out."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def read_ttar(text: str) -> Iterator[tuple[str, str]]:
    """The files of a `.ttar` archive as (path, content).

    Format: https://github.com/ideaship/ttar; `EOF` as a whole last line stands for a missing end of line.
    """
    lines = iter(text.splitlines())
    path = ""
    for line in lines:
        if line.startswith("Path: "):
            path = line.removeprefix("Path: ")
        elif line.startswith("Lines: ") and path:
            content = [next(lines) for _ in range(int(line.removeprefix("Lines: ")))]
            body = "".join(f"{part}\n" for part in content).replace("NULLBYTE", "\0")
            yield path, body.removesuffix("EOF\n") if body.endswith("EOF\n") else body
            path = ""
