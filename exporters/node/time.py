"""The machine's time and time zone, and the kernel's clock sources, from /sys/devices/system/clocksource.

A clock source that changes, from tsc to hpet say, makes every reading of the time on the machine slower. Files:
kernel/time/clocksource.c of the kernel.
"""

from collections.abc import Iterator

from exporters.collector import Family, Sample, gauge, optional
from exporters.host import Host, KeptFile, Unreadable

SECONDS = gauge("node_time_seconds", "Time of the machine, in Unix seconds.")
ZONE = gauge("node_time_zone_offset_seconds", "Seconds by which the time zone is ahead of UTC.", "time_zone")
AVAILABLE = gauge(
    "node_time_clocksource_available_info", "Clock sources that the kernel may use.", "device", "clocksource"
)
CURRENT = gauge("node_time_clocksource_current_info", "Clock source that the kernel uses.", "device", "clocksource")

FOLDER = "devices/system/clocksource"


class Time:
    """Reads the clock sources' files, which were found at start."""

    def __init__(self, host: Host) -> None:
        self._zone = host.calls.zone
        names = host.sys.names(FOLDER)
        found = [] if isinstance(names, Unreadable) else [name for name in names if _is_device(name)]
        self._devices = [_Files(str(number), host, f"{FOLDER}/{name}") for number, name in enumerate(found)]

    def collect(self, now: float) -> Iterator[Family]:
        yield SECONDS.single(now)
        name, ahead = self._zone(now)
        yield ZONE.family([((name,), ahead)])
        if self._devices:
            yield AVAILABLE.family([sample for device in self._devices for sample in device.available()])
            yield CURRENT.family([sample for device in self._devices for sample in device.current()])


def _is_device(name: str) -> bool:
    return name.startswith("clocksource") and name[len("clocksource") :][:1].isdigit()


class _Files:
    """The two files of one device; `number` is its place among all, by which it is published."""

    __slots__ = ("_available", "_current", "_number")

    def __init__(self, number: str, host: Host, folder: str) -> None:
        self._number = number
        self._available = host.sys.keep(f"{folder}/available_clocksource")
        self._current = host.sys.keep(f"{folder}/current_clocksource")

    def available(self) -> list[Sample]:
        return self._samples(self._available, None)

    def current(self) -> list[Sample]:
        return self._samples(self._current, 1)

    def _samples(self, file: KeptFile, most: int | None) -> list[Sample]:
        names = optional(file.read_record()).split()
        return [((self._number, name), 1) for name in dict.fromkeys(names[:most])]
