"""Work of each tape drive, from /sys/class/scsi_tape/st*/stats: Documentation/scsi/st.rst of the kernel."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Metric, counter, gauge
from exporters.host import Host
from exporters.options import NameFilter, Pattern, option
from exporters.readers.sysfs import Discovery, Gathered, Reading, kept_in

FOLDER = "class/scsi_tape"
DRIVE = re.compile(r"st[0-9]+")  # the other names are the same drive with another density, or not rewound

_NANOSECOND = 1e-9


def _counter(name: str, help: str) -> Metric:
    return counter(f"node_tape_{name}_total", help, "device")


COUNTS: dict[str, tuple[Metric, float]] = {
    "in_flight": (gauge("node_tape_io_now", "Requests in progress.", "device"), 1),
    "io_ns": (_counter("io_time_seconds", "Seconds spent in requests of any kind, winding included."), _NANOSECOND),
    "other_cnt": (_counter("io_others", "Requests that neither read nor wrote."), 1),
    "read_byte_cnt": (_counter("read_bytes", "Bytes read."), 1),
    "read_cnt": (_counter("reads_completed", "Reads done."), 1),
    "read_ns": (_counter("read_time_seconds", "Seconds spent reading."), _NANOSECOND),
    "resid_cnt": (_counter("residual", "Reads and writes that did not move all they should."), 1),
    "write_byte_cnt": (_counter("written_bytes", "Bytes written."), 1),
    "write_cnt": (_counter("writes_completed", "Writes done."), 1),
    "write_ns": (_counter("write_time_seconds", "Seconds spent writing."), _NANOSECOND),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Which drives are published."""

    ignored_devices: Pattern = option(re.compile("^$"), "Tape drives to leave out.")


class TapeStats:
    """Reads the counts of each drive."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        self._drives = NameFilter(exclude=(options if options is not None else Options()).ignored_devices)
        self._found: Discovery[list[Reading]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        readings = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.numbers(readings)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> list[Reading]:
        readings: list[Reading] = []
        for drive in names:
            if DRIVE.fullmatch(drive) and self._drives.keeps(drive):
                files = kept_in(self._sys, f"{FOLDER}/{drive}/stats", COUNTS)
                readings += (Reading(COUNTS[name][0], (drive,), file, COUNTS[name][1]) for name, file in files.items())
        return readings
