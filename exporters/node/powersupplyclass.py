"""Batteries, chargers and mains, from /sys/class/power_supply.

Volts, amperes, watts and their hours stand in millionths, degrees in tenths: Documentation/power/power_supply_class.rst
of the kernel. A driver offers what its hardware has; what it can't tell now has no sample.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Metric, gauge
from exporters.host import Host
from exporters.options import NameFilter, Pattern, option
from exporters.readers.sysfs import Discovery, Gathered, Info, Reading, kept_in

PLAIN = ("authentic", "calibrate", "capacity", "capacity_alert_max", "capacity_alert_min", "online", "present")
MILLIONTHS = (
    *("current_boot", "current_max", "energy_empty", "energy_empty_design", "energy_full", "energy_full_design"),
    *("voltage_boot", "voltage_max", "voltage_max_design", "voltage_min", "voltage_min_design", "voltage_ocv"),
    *("charge_control_limit", "charge_control_limit_max", "charge_counter", "charge_empty", "charge_empty_design"),
    *("charge_full", "charge_full_design", "charge_term_current", "constant_charge_current"),
    *("constant_charge_current_max", "constant_charge_voltage", "constant_charge_voltage_max"),
    *("precharge_current", "input_current_limit"),
)
TENTHS = (
    *("temp", "temp_alert_max", "temp_alert_min", "temp_ambient", "temp_ambient_max", "temp_ambient_min"),
    *("temp_max", "temp_min"),
)
RENAMED: dict[str, tuple[str, float]] = {
    "cycle_count": ("cyclecount", 1),
    "time_to_empty_now": ("time_to_empty_seconds", 1),
    "time_to_full_now": ("time_to_full_seconds", 1),
    "current_now": ("current_ampere", 1e6),
    "energy_now": ("energy_watthour", 1e6),
    "voltage_now": ("voltage_volt", 1e6),
    "charge_now": ("charge_ampere", 1e6),
    "power_now": ("power_watt", 1e6),
}
NAMES: dict[str, tuple[str, float]] = {
    **{name: (name, 1) for name in PLAIN},
    **{name: (name, 1e6) for name in MILLIONTHS},
    **{name: (f"{name}_celsius", 10) for name in TENTHS},
    **RENAMED,
}
"""A file → what its metric's name ends in, and by what its number is divided."""

METRICS: dict[str, tuple[Metric, float]] = {
    file: (gauge(f"node_power_supply_{name}", f"A power supply's {file.replace('_', ' ')}.", "power_supply"), divisor)
    for file, (name, divisor) in NAMES.items()
}

TEXTS = (
    *("capacity_level", "charge_type", "health", "manufacturer", "model_name", "serial_number", "status"),
    *("technology", "type", "usb_type", "scope"),
)
INFO = gauge("node_power_supply_info", "What a power supply is, and its state.", "power_supply", *TEXTS)

FOLDER = "class/power_supply"
IGNORED = re.compile("^$")


@dataclass(frozen=True, slots=True)
class Options:
    """Which power supplies are published."""

    ignored_supplies: Pattern = option(
        IGNORED, "Power supplies to leave out.", flag="collector.powersupply.ignored-supplies"
    )


class PowerSupplyClass:
    """Looks at which files a supply has when it comes, and reads those at each scrape."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        self._supplies = NameFilter(exclude=(options if options is not None else Options()).ignored_supplies)
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
        for supply in filter(self._supplies.keeps, names):
            files = kept_in(self._sys, f"{FOLDER}/{supply}", (*METRICS, *TEXTS))
            readings += (
                Reading(metric, (supply,), files[name], divisor=divisor)
                for name, (metric, divisor) in METRICS.items()
                if name in files
            )
            infos.append(Info(INFO, (supply,), tuple(map(files.get, TEXTS))))
        return readings, infos
