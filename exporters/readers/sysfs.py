"""What collectors of /sys share: the devices of a class, and attributes, each a file with one number or text.

An attribute that is absent, can't be read or holds rubbish has no value: drivers choose what they offer, and may
refuse at any time what they offered. Format: Documentation/filesystems/sysfs.rst of the kernel.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

from exporters.collector import Family, Labels, Malformed, Metric, NoData, Sample
from exporters.host import KeptFile, Tree, Unreadable
from exporters.options import NameFilter, Pattern

REDISCOVERED_SECONDS = 300.0
"""A driver may add attributes to a device that is already there, so all are looked for anew now and then."""

_LOWEST, _BEYOND = -(1 << 63), 1 << 64
_NOT_AVAILABLE = b"N/A"
_BROKEN = re.compile("[\udc80-\udcff]+")  # how Python decodes bytes that are no UTF-8


def devices(tree: Tree, folder: str) -> list[str]:
    """The devices in a folder such as `class/hwmon`, sorted. Raises NoData where the kernel has no such folder."""
    names = tree.names(folder)
    if isinstance(names, Unreadable):
        raise NoData(str(names))
    return names


def listed(tree: Tree, folder: str) -> list[str]:
    """The names in a folder, sorted; none where it is absent or can't be read."""
    names = tree.names(folder)
    return [] if isinstance(names, Unreadable) else names


def number(content: bytes | Unreadable) -> int | None:
    """The whole number of at most 64 bits that a file holds, decimal or `0x…`; None for anything else."""
    if isinstance(content, Unreadable):
        return None
    try:
        value = int(content, 16 if content[:2] == b"0x" else 10)  # white space around it does not matter
    except ValueError:
        return None
    return value if _LOWEST <= value < _BEYOND else None


def count(content: bytes | Unreadable) -> int | None:
    """As `number`, where the kernel never writes a negative one: None for that as well."""
    value = number(content)
    return value if value is not None and value >= 0 else None


def text(content: bytes | Unreadable) -> str | None:
    """A file's text without the white space around it; None when the file can't be read.

    Bytes that are no UTF-8 become one U+FFFD for all that follow each other, as everywhere in node_exporter.
    """
    if isinstance(content, Unreadable):
        return None
    if content.isascii():
        return content.decode().strip()
    return _BROKEN.sub("\ufffd", content.decode(errors="surrogateescape")).strip()


def needed(file: KeptFile) -> int:
    """The count in a file that every such device has. Raises NoData when it can't be read, Malformed."""
    content = file.read_record()
    if isinstance(content, Unreadable):
        raise NoData(str(content))
    value = count(content)
    if value is None:
        raise Malformed(file.path, 1, "a whole number", content.decode(errors="replace"))
    return value


def chosen(include: Pattern | None, exclude: Pattern | None) -> NameFilter:
    """The filter of a pair of flags that node_exporter also takes together; an empty pattern stands for none."""
    return NameFilter(*(pattern if pattern is not None and pattern.pattern else None for pattern in (include, exclude)))


class Attributes:
    """The attributes of one device. A file is opened when it is first asked for, and stays open until `close`."""

    __slots__ = ("_files", "_tree", "folder")

    def __init__(self, tree: Tree, folder: str) -> None:
        self.folder = folder
        self._tree = tree
        self._files: dict[str, KeptFile] = {}

    def file(self, name: str) -> KeptFile:
        """The file of an attribute, which need not be there."""
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = self._tree.keep(f"{self.folder}/{name}")
        return file

    def number(self, name: str) -> int | None:
        """See the function `number`."""
        return number(self.file(name).read_record())

    def count(self, name: str) -> int | None:
        """See the function `count`."""
        return count(self.file(name).read_record())

    def text(self, name: str) -> str | None:
        """See the function `text`."""
        return text(self.file(name).read_record())

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


class Closable(Protocol):
    """Whatever holds files open."""

    def close(self) -> None: ...


DeviceT = TypeVar("DeviceT", bound=Closable)


class Known(Generic[DeviceT]):
    """What is kept of each device from one scrape to the next: made when a device comes, closed when it goes."""

    def __init__(self, make: Callable[[str], DeviceT]) -> None:
        self._make = make
        self._kept: dict[str, DeviceT] = {}

    def of(self, names: Iterable[str]) -> dict[str, DeviceT]:
        """What is kept of the devices with these names, which are all that there are now."""
        kept = self._kept
        now = {name: kept[name] if name in kept else self._make(name) for name in names}
        for gone in kept.keys() - now.keys():
            kept[gone].close()
        self._kept = now
        return now


FoundT = TypeVar("FoundT")


class Discovery(Generic[FoundT]):
    """What was found out about the devices in a folder: anew when one comes, goes or is replaced, and now and then.

    What was made of them before is dropped, which closes its files.
    """

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree = tree
        self._folder = folder
        self._devices: tuple[dict[str, int], float] | None = None
        self._found: FoundT | None = None

    def current(self, now: float, discover: Callable[[list[str]], FoundT]) -> FoundT:
        """What is known now. `discover` gets the devices' names, sorted, and is not kept: a method of whoever holds
        this would make a ring that holds files open. Raises NoData where the kernel has no such folder.
        """
        inodes = self._tree.inodes(self._folder)
        if isinstance(inodes, Unreadable):
            self._devices = self._found = None
            raise NoData(str(inodes))
        devices = (inodes, now // REDISCOVERED_SECONDS)
        if self._found is None or devices != self._devices:
            self._found = None
            self._found = discover(list(inodes))
            self._devices = devices
        return self._found


class Reading(NamedTuple):
    """A number to read at each scrape: its sample is the number times `factor` divided by `divisor`."""

    metric: Metric
    labels: Labels
    file: KeptFile
    factor: float = 1
    divisor: float = 1


class Info(NamedTuple):
    """Texts to read at each scrape: the labels that follow those that are known. No file, or none to read, gives ""."""

    metric: Metric
    labels: Labels
    files: tuple[KeptFile | None, ...] = ()


def kept_in(tree: Tree, folder: str, names: Iterable[str]) -> dict[str, KeptFile]:
    """The files with these names that are in a folder now, to be read at each scrape."""
    there = frozenset(listed(tree, folder))
    return {name: tree.keep(f"{folder}/{name}") for name in names if name in there}


class Gathered:
    """The samples of a scrape by metric, and the first problem there was: it must not cost the other samples."""

    def __init__(self) -> None:
        self._samples: dict[Metric, list[Sample]] = {}
        self._problem: NoData | Malformed | None = None

    def add(self, metric: Metric, labels: Labels, value: float = 1) -> None:
        """One more sample."""
        self._samples.setdefault(metric, []).append((labels, value))

    def fail(self, problem: NoData | Malformed) -> None:
        """Remember what is wrong."""
        self._problem = self._problem or problem

    def numbers(
        self, readings: Iterable[Reading], *, needed: bool = False, strict: bool = True, none: int | None = None
    ) -> None:
        """Read numbers. One that can't be read is left out, a problem only if it is `needed`; rubbish is one if
        `strict`. A counter can't be negative. `none` is the number that stands for no number.
        """
        for metric, labels, file, factor, divisor in readings:
            content = file.read_record()
            value = number(content)
            if value is not None and (value >= 0 or metric.kind != "counter"):
                if value != none:
                    self.add(metric, labels, value * factor if divisor == 1 else value * factor / divisor)
            elif isinstance(content, Unreadable):
                if needed:
                    self.fail(NoData(str(content)))
            elif strict and not content.startswith(_NOT_AVAILABLE):
                self.fail(Malformed(file.path, 1, "a whole number", content.decode(errors="replace")))

    def infos(self, infos: Iterable[Info]) -> None:
        """Read texts; each gives a sample of value 1."""
        for metric, labels, files in infos:
            texts = ((text(file.read_record()) or "") if file is not None else "" for file in files)
            self.add(metric, (*labels, *texts))

    def families(self) -> Iterator[Family]:
        """All there is. Raises the problem, at the end."""
        for metric, samples in self._samples.items():
            yield metric.family(samples)
        if self._problem is not None:
            raise self._problem
