"""What a network device's driver tells of itself and its counters, by ioctl: SIOCETHTOOL of netdevice(7).

Reading takes no capability. A command stands in a buffer whose address goes into `struct ifreq`. The kernel writes as
many names and numbers as the driver has at that moment, whatever room it was told of: so there is always room for all.
Format: linux/ethtool.h, linux/if.h.
"""

import array
import ctypes
import errno
import fcntl
import mmap
import os
import socket
import threading
from struct import Struct

MOST_STATISTICS = 1 << 15
"""Of one device; the most known, of a card with a thousand queues, are some ten thousand."""

_SIOCETHTOOL = 0x8946
_GSET, _GDRVINFO, _GSTRINGS, _GSTATS, _GSSET_INFO = 0x01, 0x03, 0x1B, 0x1D, 0x37
_SS_STATS = 1
_STRING, _NUMBER = 32, 8
_LONGEST_NAME = 15

_IFREQ = Struct("@16sP16x")
_TWO = Struct("=II")
_THREE = Struct("=III")
_SSET_INFO = Struct("=IIQI")  # command, reserved, sets asked for, size of the first of them
_DRVINFO = Struct("=I32s32s32s32s32s12x20x")
_CMD = Struct("=III8xB23x")  # command, supported, advertised, …, autonegotiation


def statistics(device: str) -> dict[str, int]:
    """The driver's counters by name; of a name that comes twice the last one. Raises OSError.

    EAGAIN says that their number changed meanwhile, as when someone sets the number of queues.
    """
    size = _SSET_INFO.unpack(_ask(device, _SSET_INFO.pack(_GSSET_INFO, 0, 1 << _SS_STATS, 0)))[-1]
    if not size:
        return {}
    if size > MOST_STATISTICS:
        raise OSError(errno.EMSGSIZE, f"{device} has {size} statistics, more than {MOST_STATISTICS}")
    strings = _ask(device, _THREE.pack(_GSTRINGS, _SS_STATS, size), size * _STRING)
    numbers = _ask(device, _TWO.pack(_GSTATS, size), size * _NUMBER)
    if _THREE.unpack_from(strings)[-1] != size or _TWO.unpack_from(numbers)[-1] != size:
        raise OSError(errno.EAGAIN, f"the number of statistics of {device} changes")
    names = (_text(strings[at : at + _STRING]) for at in range(_THREE.size, len(strings), _STRING))
    values = array.array("Q", numbers[_TWO.size :])
    return {name: value for name, value in zip(names, values, strict=True) if name}


def driver(device: str) -> tuple[str, str, str, str, str]:
    """The driver's name and version, the firmware's version, the bus address, the option ROM's. Raises OSError."""
    _, name, version, firmware, bus, rom = _DRVINFO.unpack(_ask(device, _DRVINFO.pack(_GDRVINFO, *[b""] * 5)))
    return _text(name), _text(version), _text(firmware), _text(bus), _text(rom)


def link(device: str) -> tuple[int, int, int]:
    """What the link supports and advertises, as bits, and whether it negotiates. Raises OSError.

    Only the first 32 of ethtool's link modes: the newer command that has them all is not what node_exporter asks.
    """
    _, supported, advertised, negotiates = _CMD.unpack(_ask(device, _CMD.pack(_GSET, 0, 0, 0)))
    return supported, advertised, negotiates


def _ask(device: str, command: bytes, more: int = 0) -> bytes:
    """The command as the kernel filled it in, with `more` bytes behind it."""
    name = os.fsencode(device)
    if len(name) > _LONGEST_NAME:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    with _lock:
        if not _desks:
            _desks.append(_Desk(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)))
        return _desks[0].ask(name, command, more)


class _Desk:
    """A socket and a buffer. Any socket does: it only leads to the network that this process is in."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._buffer = mmap.mmap(-1, _THREE.size + MOST_STATISTICS * _STRING)  # takes no memory until it is written to
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer))

    def ask(self, name: bytes, command: bytes, more: int) -> bytes:
        self._buffer[: len(command)] = command
        fcntl.ioctl(self._socket, _SIOCETHTOOL, _IFREQ.pack(name, self._address))
        return self._buffer[: len(command) + more]

    def __del__(self) -> None:
        self._socket.close()


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode(errors="replace")


_lock = threading.Lock()
_desks: list[_Desk] = []
