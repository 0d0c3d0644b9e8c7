"""State of the hardware that restarts a machine which hangs, from /sys/class/watchdog.

Format: Documentation/ABI/testing/sysfs-class-watchdog of the kernel.
"""

from collections.abc import Iterator

from exporters.collector import Family, gauge
from exporters.host import Host
from exporters.readers.sysfs import Discovery, Gathered, Info, Reading, kept_in

FOLDER = "class/watchdog"
NUMBERS = {
    "bootstatus": gauge("node_watchdog_bootstatus", "Why the machine started, as the driver's bits.", "name"),
    "fw_version": gauge("node_watchdog_fw_version", "Version of the firmware.", "name"),
    "nowayout": gauge("node_watchdog_nowayout", "Whether it can't be stopped once started.", "name"),
    "timeleft": gauge("node_watchdog_timeleft_seconds", "Seconds until it restarts the machine.", "name"),
    "timeout": gauge("node_watchdog_timeout_seconds", "Seconds that it waits for a sign of life.", "name"),
    "pretimeout": gauge("node_watchdog_pretimeout_seconds", "Seconds of warning before it restarts.", "name"),
    "access_cs0": gauge("node_watchdog_access_cs0", "Whether the first flash chip is booted from.", "name"),
}
TEXTS = ("options", "identity", "state", "status", "pretimeout_governor")
INFO = gauge("node_watchdog_info", "What a watchdog is, and its state.", "name", *TEXTS)


class Watchdog:
    """Reads what each watchdog offers."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._found: Discovery[tuple[list[Reading], list[Info]]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        readings, infos = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.numbers(readings)
        gathered.infos(infos)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> tuple[list[Reading], list[Info]]:
        readings: list[Reading] = []
        infos: list[Info] = []
        for watchdog in names:
            files = kept_in(self._sys, f"{FOLDER}/{watchdog}", (*NUMBERS, *TEXTS))
            readings += (Reading(NUMBERS[name], (watchdog,), file) for name, file in files.items() if name in NUMBERS)
            infos.append(Info(INFO, (watchdog,), tuple(map(files.get, TEXTS))))
        return readings, infos
