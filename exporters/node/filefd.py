"""Open files of the whole machine and how many there may be, from /proc/sys/fs/file-nr, proc_sys_fs(5)."""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host
from exporters.readers.numbers import natural

ALLOCATED = gauge("node_filefd_allocated", "File handles that the kernel has allocated.")
MAXIMUM = gauge("node_filefd_maximum", "File handles that the kernel allocates at most.")


class FileHandles:
    """Reads one line: `593	0	2466170`. The number between is always 0."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("sys/fs/file-nr")

    def collect(self, now: float) -> Iterator[Family]:
        text = required(self._file.read_record())
        try:
            allocated, _, maximum = map(natural, text.split())
        except ValueError as error:
            raise Malformed(self._file.path, 1, "three numbers", text) from error
        yield ALLOCATED.single(allocated)
        yield MAXIMUM.single(maximum)
