"""Fakes for tests of the exporters, shipped and tested like the rest.

`FakeMachine` is a folder with the five roots of a machine and a script for the two system calls: the real `Host`
reads it, so that a test goes through the very code that opens files. `unpack_ttar` unpacks the text archives in
which node_exporter keeps recorded trees.
"""

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from exporters.calls import Answer, BtrfsDevice, Calls, Question, Timex
from exporters.collector import Collector, Family
from exporters.host import Host, Roots
from exporters.log import Log
from exporters.render import Format, Renderer

UNAME = os.uname_result(("Linux", "node-1", "6.1.0", "#1 SMP", "x86_64"))
STATVFS = os.statvfs_result((4096, 4096, 1000, 600, 500, 300, 200, 200, 0, 255))
"""4 096 000 bytes, of which 2 457 600 are free and 2 048 000 available; 300 files, of which 200 are free."""


TIMEX = Timex(0, 1000, 65536, 16_000, 500, 0x2000, 7, 10_000, 0, 0, 0, 0, 0, 0, 0, 0, 37)
"""A clock in step, of nanosecond resolution: offset 1 µs, frequency off by 1 ppm, 37 seconds of TAI."""


def absent(*_: object) -> list[bytes]:
    """A system call that this machine does not have."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def no_systemd(_: bool) -> NoReturn:
    """A machine without systemd."""
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))


def unsupported(_: str) -> NoReturn:
    """What this device's driver has no answer to."""
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def no_btrfs(_: str) -> tuple[str, list[BtrfsDevice]]:
    """A mount point of another file system."""
    raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))


CALLS = Calls(
    statvfs=lambda _: STATVFS,
    uname=lambda: UNAME,
    zone=lambda _: ("UTC", 0),
    adjtimex=lambda: TIMEX,
    netlink=absent,
    ethtool=unsupported,
    ethtool_driver=unsupported,
    ethtool_link=unsupported,
    systemd=no_systemd,
    btrfs=no_btrfs,
)


class FakeSystemd:
    """systemd as a scraper asks it: `answer(systemd=lambda private: FakeSystemd())`.

    A property is its D-Bus type and its value, and is found by object path, interface and name.
    """

    MANAGER = "/org/freedesktop/systemd1"

    def __init__(self) -> None:
        self.units: dict[str, tuple[object, ...]] = {}
        self.properties: dict[tuple[str, str, str], tuple[str, object]] = {}
        self.asked: list[Question] = []
        self.set(self.MANAGER, "Manager.Version", "s", "252.31-1~deb12u1")
        self.set(self.MANAGER, "Manager.Virtualization", "s", "kvm")
        self.set(self.MANAGER, "Manager.SystemState", "s", "running")
        self.set(self.MANAGER, "Manager.UnitsLoadTimestampMonotonic", "t", 1)

    def add(self, name: str, state: str = "active", load: str = "loaded") -> str:
        """Add a unit or change one; its object path is returned."""
        escaped = "".join(sign if sign.isascii() and sign.isalnum() else f"_{ord(sign):02x}" for sign in name)
        path = f"{self.MANAGER}/unit/{escaped}"
        self.units[name] = (name, f"The unit {name}", load, state, "sub", "", path, 0, "", "/")
        return path

    def set(self, path: str, name: str, kind: str, value: object) -> None:
        """Set a property, such as `Service.NRestarts` of D-Bus type `u`."""
        interface, _, member = name.partition(".")
        self.properties[path, f"org.freedesktop.systemd1.{interface}", member] = (kind, value)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """As Bus.ask."""
        self.asked += questions
        return [self._answer(*question) for question in questions]

    def _answer(self, path: str, interface: str, member: str, arguments: tuple[str, ...]) -> Answer:
        if member == "ListUnits":
            return (list(self.units.values()),)
        found = self.properties.get((path, *arguments)) if len(arguments) == 2 else None
        return (found,) if found is not None else OSError(errno.ENOENT, f"unknown: {path} {interface} {arguments}")


class FakeMachine:
    """A machine in a folder. Paths are relative to a root: `machine.write("proc/loadavg", "0.1 0.2 0.3")`.

    The roots are `proc`, `sys`, `root`, `cgroup` and `udev`. `answer(statvfs=…)` replaces system calls, which
    until then answer as CALLS do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = CALLS
        for name in ("proc", "sys", "root", "cgroup", "udev"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def roots(self) -> Roots:
        """Where its folders are."""
        return Roots(*(str(self.folder / name) for name in ("proc", "sys", "root", "cgroup", "udev")))

    @property
    def host(self) -> Host:
        """A host that reads this machine."""
        return Host(self.roots, self.calls)

    def answer(self, **calls: Callable[..., object]) -> None:
        """Replace system calls of the hosts that are made from now on."""
        self.calls = replace(self.calls, **calls)  # type: ignore[arg-type] # a wrong name is a TypeError here and now

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
    return b"".join(Renderer().render(list(families), Format.TEXT)).decode()


def samples_in(text: str) -> dict[str, float]:
    """An exposition as `name{labels}` → value; comments are left out."""
    lines = (line for line in text.split("\n") if line and not line.startswith("#"))  # a label may hold a form feed
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def unpack_ttar(text: str, folder: Path) -> None:
    """Write the folders, files and links of a `.ttar` archive below `folder`.

    Format: https://github.com/ideaship/ttar; `EOF` as a whole last line stands for a missing end of line.
    """
    lines = iter(text.splitlines())
    path = folder
    for line in lines:
        key, _, value = line.partition(": ")
        if key == "Directory":
            (folder / value).mkdir(parents=True, exist_ok=True)
        elif key == "Path":
            path = folder / value
            path.parent.mkdir(parents=True, exist_ok=True)
        elif key == "SymlinkTo":
            path.symlink_to(value)
        elif key == "Lines":
            content = "".join(f"{next(lines)}\n" for _ in range(int(value))).replace("NULLBYTE", "\0")
            path.write_text(content.removesuffix("EOF\n") if content.endswith("EOF\n") else content, encoding="utf-8")
