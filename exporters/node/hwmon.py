"""Temperatures, voltages, fans, power and the like of each sensor chip, from /sys/class/hwmon.

Files are called `<kind><number>_<element>`, such as temp1_max; volts, amperes and degrees stand in thousandths, watts
and joules in millionths: Documentation/hwmon/sysfs-interface.rst of the kernel. A chip is called after its device's
place (`platform_coretemp_0`), which stays the same when modules are loaded in another order. A sensor that can't be
read now has no sample now.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from exporters.collector import Family, Labels, Metric, counter, gauge, optional
from exporters.host import Host, Unreadable
from exporters.options import Pattern, option
from exporters.readers.sysfs import Discovery, Gathered, Info, Reading, chosen, text

CHIP_NAMES = gauge("node_hwmon_chip_names", "The name that a chip's driver gives it.", "chip", "chip_name")
SENSOR_LABEL = gauge("node_hwmon_sensor_label", "What a sensor measures.", "chip", "sensor", "label")

FILE = re.compile(r"([^0-9]+)([0-9]*)(?:_(.+))?")
KINDS = frozenset(
    (
        *("beep_enable", "cpu", "curr", "energy", "fan", "freq", "humidity"),
        *("in", "intrusion", "power", "pwm", "temp", "update_interval", "vrm"),
    )
)


class Form(NamedTuple):
    """How a file's number is published: what its metric's name ends in, and its unit."""

    suffix: str = ""
    factor: float = 1
    divisor: float = 1


AS_IS = Form()
_RPM, _INTERVAL = Form("_rpm"), Form("_seconds", factor=0.001)
WHOLE_CHIP: dict[str, tuple[str, Form]] = {
    "beep_enable": ("node_hwmon_beep_enabled", AS_IS),
    "vrm": ("node_hwmon_voltage_regulator_version", AS_IS),
    "update_interval": ("node_hwmon_update_interval_seconds", Form(factor=0.001)),
}
BY_ELEMENT: dict[str, Form] = {"fault": AS_IS, "alarm": AS_IS, "beep": Form("_enabled")}
BY_BOTH: dict[tuple[str, str], Form] = {
    ("temp", "type"): AS_IS,
    ("power", "accuracy"): Form(divisor=1e6),
    **{("power", f"average_interval{end}"): _INTERVAL for end in ("", "_min", "_max")},
    **{("fan", element): _RPM for element in ("input", "min", "max", "target")},
    ("freq", "input"): Form("_freq_mhz", divisor=1e6),
}
BY_KIND: dict[str, Form] = {
    "in": Form("_volts", factor=0.001),
    "cpu": Form("_volts", factor=0.001),
    "temp": Form("_celsius", factor=0.001),
    "curr": Form("_amps", factor=0.001),
    "energy": Form("_joule_total", divisor=1e6),
    "power": Form("_watt", divisor=1e6),
    "humidity": Form(divisor=1e6),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Which chips and sensors are published."""

    chip_include: Pattern | None = option(None, "Chips to publish, and no others.")
    chip_exclude: Pattern | None = option(None, "Chips to leave out.")
    sensor_include: Pattern | None = option(None, "Sensors to publish, as chip;sensor, and no others.")
    sensor_exclude: Pattern | None = option(None, "Sensors to leave out, as chip;sensor.")


class Hwmon:
    """Looks at the chips' files when a chip comes or goes, and reads the sensors at each scrape."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        wanted = options if options is not None else Options()
        self._sys = host.sys
        self._chips = chosen(wanted.chip_include, wanted.chip_exclude)
        self._sensors = chosen(wanted.sensor_include, wanted.sensor_exclude)
        self._metrics: dict[str, Metric] = {}
        self._found: Discovery[_Found] = Discovery(host.sys, "class/hwmon")

    def collect(self, now: float) -> Iterator[Family]:
        found = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.infos(found.infos)
        gathered.numbers(found.readings.values(), strict=False)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> "_Found":
        folders = (f"class/hwmon/{name}" for name in names)
        chips = [self._chip(folder) for folder in folders if not isinstance(self._sys.names(folder), Unreadable)]
        found = _Found()
        for label, chip in labelled(chips).items():
            if self._chips.keeps(label):
                if clean(chip.driver):
                    found.infos.append(Info(CHIP_NAMES, (label, clean(chip.driver)), ()))
                for sensor, elements in chip.files.items():
                    if self._sensors.keeps(f"{label};{sensor}"):
                        self._add(found, (label, sensor), elements)
        return found

    def _chip(self, folder: str) -> "_Chip":
        driver = optional(self._sys.read(f"{folder}/name"))
        files: dict[str, dict[str, str]] = {}
        for place in (folder, f"{folder}/device"):  # drivers before Linux 3.15 have their files at the device
            names, folders = self._sys.names(place), self._sys.folders(place)
            if isinstance(names, Unreadable) or isinstance(folders, Unreadable):
                continue
            for name in names:
                sensor, element = parts(name)
                if sensor and name not in folders:
                    files.setdefault(sensor, {})[element] = f"{place}/{name}"
        return _Chip(folder, self._place(folder, driver), driver, files)

    def _place(self, folder: str, driver: str) -> str:
        """What a chip is called by: its bus and device, else its driver, else its number."""
        device, own = self._sys.resolved(f"{folder}/device"), self._sys.resolved(folder)
        last = [] if isinstance(device, Unreadable) else [clean(part) for part in device.split("/")[-2:]]
        if last and last[-1]:
            return "_".join(part for part in last if part)
        return clean(driver) or clean(folder if isinstance(own, Unreadable) else own.rpartition("/")[2])

    def _add(self, found: "_Found", labels: Labels, elements: dict[str, str]) -> None:
        """The readings of one sensor."""
        kind = labels[1].rstrip("0123456789")
        label = text(self._sys.read(elements["label"])) if "label" in elements else None
        if label is not None:
            found.infos.append(Info(SENSOR_LABEL, (*labels, label), ()))
        for element, path in elements.items():
            name, form = published(kind, element, bare="" in elements)
            if not name or (kind == "freq" and element == "input" and label is None):
                continue
            own = (labels[0], clean(label)) if kind == "freq" and element == "input" and label else labels
            metric = self._metrics.get(name)
            if metric is None:
                make = counter if kind == "energy" else gauge
                metric = self._metrics[name] = make(name, f"Sensors: {kind} {element or 'value'}.", "chip", "sensor")
            reading = Reading(metric, own, self._sys.keep(path), form.factor, form.divisor)
            found.readings.setdefault((name, own), reading)


class _Chip(NamedTuple):
    """A chip's folder, what it is called by, its driver's name for it, and its files by sensor and element."""

    folder: str
    place: str
    driver: str
    files: dict[str, dict[str, str]]


class _Found:
    """What is known of all chips: what does not change, and what to read."""

    def __init__(self) -> None:
        self.infos: list[Info] = []
        self.readings: dict[tuple[str, Labels], Reading] = {}


def labelled(chips: list[_Chip]) -> dict[str, _Chip]:
    """The chips by label: its place; of chips of one device also the driver's name, or the number if that is alike."""
    places = Counter(chip.place for chip in chips)
    drivers = Counter((chip.place, clean(chip.driver)) for chip in chips)
    found: dict[str, _Chip] = {}
    for chip in chips:
        driver = clean(chip.driver)
        suffix = driver if driver and drivers[chip.place, driver] == 1 else clean(chip.folder.rpartition("/")[2])
        found.setdefault(f"{chip.place}_{suffix}" if places[chip.place] > 1 else chip.place, chip)
    return found


def parts(name: str) -> tuple[str, str]:
    """A file's sensor and element: `temp1_max` is `temp1`, `max`. Two empty texts when it is no sensor's."""
    matched = FILE.fullmatch(name)
    if matched is None or matched[1] not in KINDS:
        return "", ""
    return f"{matched[1]}{int(matched[2][:9] or 0)}", matched[3] or ""


def published(kind: str, element: str, *, bare: bool) -> tuple[str, Form]:
    """The name of an element's metric, empty for what is not published, and its form.

    The input is the sensor's value and has no name of its own, unless there is a `bare` file beside it.
    """
    if kind in WHOLE_CHIP:
        return WHOLE_CHIP[kind] if not element else ("", AS_IS)
    if element == "label":
        return "", AS_IS
    named = element and (element != "input" or bare)
    form = BY_ELEMENT.get(element) or BY_BOTH.get((kind, element)) or BY_KIND.get(kind, AS_IS)
    return f"node_hwmon_{kind}{f'_{clean(element)}' if named else ''}{form.suffix}", form


def clean(text: str) -> str:
    """A text as part of a name."""
    return re.sub("[^a-z0-9:_]", "_", text.lower()).strip("_")
