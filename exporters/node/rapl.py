"""Energy that a processor's parts have used, from /sys/class/powercap: running average power limit.

Counted in millionths of a joule, from 0 again after some kilowatt hours: Documentation/power/powercap/powercap.rst of
the kernel. Only root may read it since Linux 5.10, as it tells what other processes compute (CVE-2020-8694).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Labels, Metric, counter
from exporters.host import Host, Reason, Unreadable
from exporters.options import option
from exporters.readers.sysfs import Discovery, Gathered, Reading, text

BY_ZONE = counter("node_rapl_joules_total", "Energy used by a zone in joules.", "index", "path", "rapl_zone")

FOLDER = "class/powercap"


@dataclass(frozen=True, slots=True)
class Options:
    """How the zones are published."""

    enable_zone_label: bool = option(False, "Tell the zones apart by a label, not by the metric's name.")


class Rapl:
    """Publishes the zones that count energy; a zone that may not be read is a failure, not a zero."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        self._labelled = options is not None and options.enable_zone_label
        self._metrics: dict[str, Metric] = {}
        self._found: Discovery[list[Reading]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        readings = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.numbers(readings, needed=True)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> list[Reading]:
        readings: list[Reading] = []
        used: Counter[str] = Counter()
        for folder in (f"{FOLDER}/{name}" for name in names):
            name = text(self._sys.read(f"{folder}/name"))
            energy = self._sys.read(f"{folder}/energy_uj")
            if name is None or (isinstance(energy, Unreadable) and energy.reason is Reason.ABSENT):
                continue  # the root of all zones, or a zone of another kind
            zone, index = numbered(name, used)
            used[zone] = index + 1
            metric, labels = self._series(zone, (str(index), self._sys.path(folder)))
            readings.append(Reading(metric, labels, self._sys.keep(f"{folder}/energy_uj"), divisor=1e6))
        return readings

    def _series(self, zone: str, labels: Labels) -> tuple[Metric, Labels]:
        if self._labelled:
            return BY_ZONE, (*labels, zone)
        name = f"node_rapl_{re.sub(r'_*[^0-9A-Za-z_]+_*', '_', zone)}_joules_total"
        if name not in self._metrics:
            self._metrics[name] = counter(name, f"Energy used by {zone} in joules.", "index", "path")
        return self._metrics[name], labels


def numbered(name: str, used: Counter[str]) -> tuple[str, int]:
    """A zone's name without its number, and the number: `package-1`; of names without, how many came before."""
    zone, dash, number = name.partition("-")
    if dash and number.isascii() and number.isdigit():
        return zone, int(number[:18])
    return name, used[name]
