"""The machine's disks for what cgroups read and wrote: their names, and what the root's mounted ones did.

File: /proc/diskstats, Documentation/admin-guide/iostats.rst.
"""

from collections.abc import Mapping

from exporters.cgroups.filesystem import local
from exporters.collector import Malformed, NoData, optional
from exporters.host import Host
from exporters.readers.mounts import MountTable

NO_DISKS = ("loop", "ram", "sr")
"""Devices without a name here, as at cAdvisor: dashboards add up all that is called `/dev/…`, and what goes through
a loop device is counted at the disk below it already.
"""

COLUMNS = (
    ("reads_total", 1),
    ("reads_merged_total", 1),
    ("sector_reads_total", 1),
    ("read_seconds_total", 1000),
    ("writes_total", 1),
    ("writes_merged_total", 1),
    ("sector_writes_total", 1),
    ("write_seconds_total", 1000),
    ("io_current", 1),
    ("io_time_seconds_total", 1000),
    ("io_time_weighted_seconds_total", 1000),
)
"""The metric, without `container_fs_`, of each number after a device's name, and how many of the file's units are one
of the metric's. cAdvisor takes the milliseconds for nanoseconds: its seconds are a millionth of these.
"""

_LONGEST_NUMBER = 19


class Disks:
    """Reads the file when it is asked."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("diskstats")
        self._table = MountTable(host)

    def names(self) -> dict[str, str]:
        """Names by `major:minor`; partitions too, and empty where /proc does not say."""
        return {number: name for number, name, _ in self._lines()}

    def mounted(self) -> dict[str, Mapping[str, float]]:
        """Values by metric, of each disk or partition that is mounted, by its name in the mount table. cAdvisor has
        a device's values only if it is called sd…, vd…, xvd… or dm-…, and zeros for all others.
        """
        try:
            mounts = local(self._table.current())
        except (NoData, Malformed):
            return {}  # the collector of file systems tells why
        by_name: dict[str, str] = {}
        by_number: dict[str, str] = {}
        for number, name, values in self._lines():
            if not name.startswith(NO_DISKS):
                by_name[f"/dev/{name}"] = by_number[number] = values
        found = {
            device: by_name.get(device) or by_number.get(f"{mount.major}:{mount.minor}")
            for device, mount in mounts.items()
        }
        return {device: values_of(line) for device, line in found.items() if line is not None}

    def _lines(self) -> list[tuple[str, str, str]]:
        """`major:minor`, name and the rest of each line."""
        lines = (line.split(None, 3) for line in optional(self._file.read()).splitlines())
        return [(f"{words[0]}:{words[1]}", words[2], words[3]) for words in lines if len(words) > 3]


def values_of(line: str) -> dict[str, float]:
    """The values by metric of a line's numbers; none of a line that is too short or has something else."""
    words = line.split()[: len(COLUMNS)]
    if len(words) < len(COLUMNS) or not all(
        word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER for word in words
    ):
        return {}
    return {
        name: int(word) if units == 1 else int(word) / units for (name, units), word in zip(COLUMNS, words, strict=True)
    }
