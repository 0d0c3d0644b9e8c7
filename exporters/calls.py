"""The system calls that no file stands for, as one value of plain functions: tests replace single ones.

Those that need more than the `os` module live in `exporters.kernel`, one file each, and are loaded when a collector
first calls them: most machines never pay for them.
"""

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Timex(NamedTuple):
    """The fields of `struct timex` that are published, adjtimex(2), and the clock's state that the call returns."""

    state: int
    offset: int
    frequency: int
    maximum_error: int
    estimated_error: int
    status: int
    constant: int
    tick: int
    pps_frequency: int
    jitter: int
    shift: int
    stability: int
    jitter_count: int
    calibration_count: int
    error_count: int
    stability_count: int
    tai: int


class BtrfsDevice(NamedTuple):
    """One device of a btrfs file system; errors of writing, reading, flushing, contents and generation."""

    name: str
    uuid: str
    used: int
    size: int
    errors: tuple[int, ...]


class Driver(NamedTuple):
    """What the driver of a network device says of itself and of the device's firmware."""

    name: str
    version: str
    firmware: str
    bus: str
    rom: str


class LinkModes(NamedTuple):
    """What a network device supports and advertises, a bit for each of ethtool's link modes; whether it negotiates."""

    supported: int
    advertised: int
    negotiates: int


class Question(NamedTuple):
    """One call of a D-Bus method; all arguments are strings."""

    path: str
    interface: str
    member: str
    arguments: tuple[str, ...] = ()


Answer = tuple[object, ...] | OSError
"""The values of a reply, or the error that came in its place."""


class Bus(Protocol):
    """A connection to one service on a D-Bus, which it opens when it is first asked, and anew when it has ended."""

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """An answer for each question, within seconds; a TimeoutError for those that are late. Raises OSError when none
        is to be had.
        """
        ...


def _zone(now: float) -> tuple[str, int]:
    local = time.localtime(now)
    return local.tm_zone, local.tm_gmtoff


def _adjtimex() -> Timex:
    from exporters.kernel.adjtimex import read  # loads ctypes

    return Timex(*read())


def _netlink(protocol: int, kind: int, body: bytes) -> list[bytes]:
    from exporters.kernel.netlink import dump

    return dump(protocol, kind, body)


def _ethtool(device: str) -> Mapping[str, int]:
    from exporters.kernel.ethtool import statistics

    return statistics(device)


def _ethtool_driver(device: str) -> Driver:
    from exporters.kernel.ethtool import driver

    return Driver(*driver(device))


def _ethtool_link(device: str) -> LinkModes:
    from exporters.kernel.ethtool import link

    return LinkModes(*link(device))


def _systemd(private: bool) -> Bus:
    try:
        from exporters.kernel.systemd import Connection  # loads a D-Bus library
    except ImportError as error:
        raise OSError(errno.ENOPKG, "D-Bus needs jeepney: pip install 'fenghuo[systemd]'") from error
    return Connection(private)


def _btrfs(mountpoint: str) -> tuple[str, list[BtrfsDevice]]:
    from exporters.kernel.btrfs import read

    uuid, devices = read(mountpoint)
    return uuid, [BtrfsDevice(*device) for device in devices]


@dataclass(frozen=True, slots=True)
class Calls:
    """What a collector may ask of the kernel, and of systemd. All of them raise OSError and nothing else."""

    statvfs: Callable[[str], os.statvfs_result] = os.statvfs
    uname: Callable[[], os.uname_result] = os.uname
    zone: Callable[[float], tuple[str, int]] = _zone
    """Unix seconds → the time zone at that time: its name, and the seconds by which it is ahead of UTC."""
    adjtimex: Callable[[], Timex] = _adjtimex
    netlink: Callable[[int, int, bytes], list[bytes]] = _netlink
    """`(protocol, message type, body)` → the bodies of all messages of the dump, netlink(7)."""
    ethtool: Callable[[str], Mapping[str, int]] = _ethtool
    """A network device → its driver's statistics by name."""
    ethtool_driver: Callable[[str], Driver] = _ethtool_driver
    ethtool_link: Callable[[str], LinkModes] = _ethtool_link
    systemd: Callable[[bool], Bus] = _systemd
    """`private` → a connection to org.freedesktop.systemd1, without the bus where `private`."""
    btrfs: Callable[[str], tuple[str, list[BtrfsDevice]]] = _btrfs
    """A mount point → the file system's UUID, and its devices, btrfs(5)."""
