"""What btrfs tells of the devices of a file system only by ioctl: their size and use, and the errors that they made.

Numbers and structures: include/uapi/linux/btrfs.h of the kernel; ioctl(2). No special right is needed, only that of
opening the mount point.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from uuid import UUID

Device = tuple[str, str, int, int, tuple[int, ...]]
Ioctl = Callable[[int, int, bytearray], object]

_MAGIC = 0x94
_READ, _WRITE = 2, 1
_OTHER_ENCODING = ("mips", "ppc", "sparc", "alpha")
_MAX_DEVICES = 4096
_PATH_AT = 3072

_FS_INFO = struct.Struct("=QQ16s")  # highest device id, devices, UUID
_DEV_INFO = struct.Struct("=Q16sQQ")  # device id, UUID, bytes used, bytes in all
_DEV_STATS = struct.Struct("=QQQ5Q")  # device id, how many values, flags, values
_VALUES = 5


def _request(direction: int, number: int, size: int) -> int:
    """An ioctl's number, as include/uapi/asm-generic/ioctl.h composes it, and a few machines otherwise."""
    if os.uname().machine.startswith(_OTHER_ENCODING):
        return ((direction & _READ) | (direction & _WRITE) << 2) << 29 | size << 16 | _MAGIC << 8 | number
    return direction << 30 | size << 16 | _MAGIC << 8 | number


GET_FS_INFO = _request(_READ, 31, 1024)
GET_DEV_INFO = _request(_READ | _WRITE, 30, 4096)
GET_DEV_STATS = _request(_READ | _WRITE, 52, 1032)


def read(mountpoint: str, ioctl: Ioctl = fcntl.ioctl) -> tuple[str, list[Device]]:
    """The file system's UUID, and of each device name, UUID, bytes used, bytes in all, and errors.

    Errors are those of writing, reading, flushing, contents and generation. Raises OSError.
    """
    # not kept open: the file system could not be unmounted
    try:
        descriptor = os.open(mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except ValueError as error:  # a null byte in the path
        raise OSError(errno.EINVAL, str(error)) from error
    try:
        highest, count, uuid = _FS_INFO.unpack_from(_call(ioctl, descriptor, GET_FS_INFO, bytes(1024)))
        devices: list[Device] = []
        for number in range(min(highest, _MAX_DEVICES) + 1):
            if len(devices) == count:
                break
            device = _device(ioctl, descriptor, number)
            if device is not None:
                devices.append(device)
    finally:
        os.close(descriptor)
    return str(UUID(bytes=uuid)), devices


def _device(ioctl: Ioctl, descriptor: int, number: int) -> Device | None:
    """One device; None when there is none of this number, as numbers of removed devices are not used again."""
    try:
        info = _call(ioctl, descriptor, GET_DEV_INFO, _DEV_INFO.pack(number, b"", 0, 0).ljust(4096, b"\0"))
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise
    _, uuid, used, size = _DEV_INFO.unpack_from(info)
    path = info[_PATH_AT:].split(b"\0", 1)[0].decode(errors="replace")
    wanted = _DEV_STATS.pack(number, _VALUES, 0, *[0] * _VALUES).ljust(1032, b"\0")
    stats = _call(ioctl, descriptor, GET_DEV_STATS, wanted)
    return path.rpartition("/")[2], str(UUID(bytes=uuid)), used, size, _DEV_STATS.unpack_from(stats)[3:]


def _call(ioctl: Ioctl, descriptor: int, request: int, argument: bytes) -> bytes:
    """What the kernel wrote into the argument."""
    room = bytearray(argument)
    ioctl(descriptor, request, room)
    return bytes(room)
