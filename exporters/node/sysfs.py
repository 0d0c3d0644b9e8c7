"""What collectors of /sys share: the devices of a class, and attributes, each a file with one number or text.

An attribute that is absent, can't be read or holds rubbish has no value: drivers choose what they offer, and may
refuse at any time what they offered. Format: Documentation/filesystems/sysfs.rst of the kernel.
"""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from exporters.collector import Malformed, NoData
from exporters.host import KeptFile, Tree, Unreadable

_LOWEST, _BEYOND = -(1 << 63), 1 << 64


def devices(tree: Tree, folder: str) -> list[str]:
    """The devices in a folder such as `class/hwmon`, sorted. Raises NoData where the kernel has no such folder."""
    names = tree.names(folder)
    if isinstance(names, Unreadable):
        raise NoData(str(names))
    return names


def number(content: bytes | Unreadable) -> int | None:
    """The whole number of at most 64 bits that a file holds, decimal or `0x…`; None for anything else."""
    if isinstance(content, Unreadable):
        return None
    try:
        value = int(content)  # white space around it does not matter
    except ValueError:
        value = _hexadecimal(content)
    return value if value is not None and _LOWEST <= value < _BEYOND else None


def count(content: bytes | Unreadable) -> int | None:
    """As `number`, where the kernel never writes a negative one: None for that as well."""
    value = number(content)
    return value if value is not None and value >= 0 else None


def text(content: bytes | Unreadable) -> str | None:
    """A file's text without white space and null bytes around it; None when the file can't be read."""
    return None if isinstance(content, Unreadable) else content.decode(errors="replace").strip(" \t\r\n\0")


def needed(file: KeptFile) -> int:
    """The count in a file that every such device has. Raises NoData when it can't be read, Malformed."""
    content = file.read_record()
    if isinstance(content, Unreadable):
        raise NoData(str(content))
    value = count(content)
    if value is None:
        raise Malformed(file.path, 1, "a whole number", content.decode(errors="replace"))
    return value


def _hexadecimal(content: bytes) -> int | None:
    try:
        return int(content, 16) if content[:2] == b"0x" else None
    except ValueError:
        return None


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
