"""Temperatures of thermal zones and states of cooling devices, from /sys/class/thermal.

Temperatures stand in thousandths of a degree: Documentation/driver-api/thermal/sysfs-api.rst of the kernel. A zone
whose sensor is off (a wireless card's, say) can't be read and has no sample, where node_exporter publishes 0 °C.
"""

from collections.abc import Iterator

from exporters.collector import Family, NoData, gauge
from exporters.host import Host
from exporters.readers.sysfs import Discovery, Gathered, Reading, text

TEMPERATURE = gauge("node_thermal_zone_temp", "Temperature of a thermal zone in degrees Celsius.", "zone", "type")
STATES = {
    "cur_state": gauge("node_cooling_device_cur_state", "How hard a cooling device works now.", "name", "type"),
    "max_state": gauge("node_cooling_device_max_state", "How hard a cooling device can work.", "name", "type"),
}

FOLDER = "class/thermal"
ZONE, COOLER = "thermal_zone", "cooling_device"


class ThermalZone:
    """A machine without thermal devices publishes nothing, which is no failure: most virtual ones."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._found: Discovery[list[Reading]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        try:
            readings = self._found.current(now, self._discover)
        except NoData:
            return
        gathered = Gathered()
        gathered.numbers(readings)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> list[Reading]:
        readings: list[Reading] = []
        for name in names:
            stem = ZONE if name.startswith(ZONE) else COOLER
            number = name.removeprefix(stem)
            if not number[:1].isdigit():
                continue
            folder = f"{FOLDER}/{name}"
            labels = (number, text(self._sys.read(f"{folder}/type")) or "")
            if stem == ZONE:
                readings.append(Reading(TEMPERATURE, labels, self._sys.keep(f"{folder}/temp"), divisor=1000))
            else:
                readings += (
                    Reading(metric, labels, self._sys.keep(f"{folder}/{state}")) for state, metric in STATES.items()
                )
        return readings
