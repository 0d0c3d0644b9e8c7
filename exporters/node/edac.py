"""Memory errors that the hardware has mended or not, from /sys/devices/system/edac: by controller, row and channel.

Format: Documentation/driver-api/edac.rst of the kernel, and Documentation/admin-guide/ras.rst.
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, Metric, NoData, counter
from exporters.host import Host
from exporters.readers.sysfs import Discovery, Gathered, Reading, listed, text

FOLDER = "devices/system/edac/mc"
KINDS = {"ce": "correctable", "ue": "uncorrectable"}


def _counters(level: str, where: str, *labels: str) -> dict[str, Metric]:
    return {
        kind: counter(f"node_edac_{level}{word}_errors_total", f"{word.capitalize()} memory errors {where}.", *labels)
        for kind, word in KINDS.items()
    }


CONTROLLER = _counters("", "of a controller", "controller")
ROW = _counters("csrow_", "of a row of chips", "controller", "csrow")
CHANNEL = _counters("channel_", "of a channel", "controller", "csrow", "channel", "dimm_label")

CHANNEL_FILE = re.compile(r"ch([0-9]+)_ce_count")


class Edac:
    """A machine whose memory does not check itself publishes nothing, which is no failure."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._found: Discovery[tuple[list[Reading], list[Reading]]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        try:
            readings, optional = self._found.current(now, self._discover)
        except NoData:
            return
        gathered = Gathered()
        gathered.numbers(readings, needed=True)
        gathered.numbers(optional, strict=False)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> tuple[list[Reading], list[Reading]]:
        """What every controller counts, and what some drivers do not: a channel's uncorrectable errors."""
        needed: list[Reading] = []
        optional: list[Reading] = []
        for name, controller in _numbered(names, "mc"):
            folder = f"{FOLDER}/{name}"
            for kind in KINDS:
                needed.append(self._reading(CONTROLLER[kind], f"{folder}/{kind}_count", controller))
                needed.append(self._reading(ROW[kind], f"{folder}/{kind}_noinfo_count", controller, "unknown"))
            for row, number in _numbered(listed(self._sys, folder), "csrow"):
                needed += (
                    self._reading(ROW[kind], f"{folder}/{row}/{kind}_count", controller, number) for kind in KINDS
                )
                for channel, label in self._channels(f"{folder}/{row}"):
                    stem, labels = f"{folder}/{row}/ch{channel}", (controller, number, channel, label)
                    needed.append(self._reading(CHANNEL["ce"], f"{stem}_ce_count", *labels))
                    optional.append(self._reading(CHANNEL["ue"], f"{stem}_ue_count", *labels))
        return needed, optional

    def _reading(self, metric: Metric, path: str, *labels: str) -> Reading:
        return Reading(metric, labels, self._sys.keep(path))

    def _channels(self, row: str) -> Iterator[tuple[str, str]]:
        """The number of each channel of a row, and what its memory module is called."""
        for matched in map(CHANNEL_FILE.fullmatch, listed(self._sys, row)):
            if matched is not None:
                label = text(self._sys.read(f"{row}/ch{matched[1]}_dimm_label"))
                yield matched[1], "unknown" if label is None else spaced(label)


def spaced(label: str) -> str:
    """The kernel's name for a module without its own, `mc#0csrow#1channel#0`, as node_exporter writes it."""
    return label.replace("#", "").replace("csrow", "_csrow").replace("channel", "_channel")


def _numbered(names: list[str], stem: str) -> Iterator[tuple[str, str]]:
    """The names that are the stem and a number, with the number."""
    for name in names:
        number = name.removeprefix(stem)
        if number != name and number.isascii() and number.isdigit():
            yield name, number
