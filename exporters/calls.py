"""The system calls that no file stands for, as one value of plain functions: tests replace single ones.

Those that need more than the `os` module live in `exporters.kernel`, one file each, and are loaded when a collector
first calls them: most machines never pay for them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


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


def _adjtimex() -> Timex:
    from exporters.kernel.adjtimex import read  # loads ctypes

    return read()


def _netlink(protocol: int, kind: int, body: bytes) -> list[bytes]:
    from exporters.kernel.netlink import dump

    return dump(protocol, kind, body)


def _ethtool(device: str) -> Mapping[str, int]:
    from exporters.kernel.ethtool import statistics

    return statistics(device)


def _systemd(path: str, interface: str, member: str, arguments: Sequence[str]) -> Sequence[object]:
    from exporters.kernel.systemd import call  # loads a D-Bus library

    return call(path, interface, member, arguments)


@dataclass(frozen=True, slots=True)
class Calls:
    """What a collector may ask of the kernel, and of systemd. All of them raise OSError and nothing else."""

    statvfs: Callable[[str], os.statvfs_result] = os.statvfs
    uname: Callable[[], os.uname_result] = os.uname
    adjtimex: Callable[[], Timex] = _adjtimex
    netlink: Callable[[int, int, bytes], list[bytes]] = _netlink
    """`(protocol, message type, body)` → the bodies of all messages of the dump, netlink(7)."""
    ethtool: Callable[[str], Mapping[str, int]] = _ethtool
    """A network device → its driver's statistics by name."""
    systemd: Callable[[str, str, str, Sequence[str]], Sequence[object]] = _systemd
    """`(object path, interface, member, arguments)` → the values of the reply of org.freedesktop.systemd1."""
