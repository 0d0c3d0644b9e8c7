"""How many cgroups each controller has, from /proc/cgroups, cgroups(7)."""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host
from exporters.readers.numbers import natural

CGROUPS = gauge("node_cgroups_cgroups", "Cgroups in the hierarchy of a controller.", "subsys_name")
ENABLED = gauge("node_cgroups_enabled", "Whether a controller is enabled.", "subsys_name")


class CgroupSummary:
    """Reads lines such as `memory	4	15	1`: controller, hierarchy, cgroups, enabled."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("cgroups")

    def collect(self, now: float) -> Iterator[Family]:
        lines = required(self._file.read()).splitlines()
        if not lines:
            raise Malformed(self._file.path, 0, "a line for each controller, the file is empty")
        controllers: dict[tuple[str], tuple[int, int]] = {}
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                continue
            try:
                name, _, cgroups, enabled, *_ = line.split()
                controllers[(name,)] = natural(cgroups), natural(enabled)
            except ValueError as error:
                raise Malformed(self._file.path, number, "a controller and three numbers", line) from error
        yield CGROUPS.family([(labels, cgroups) for labels, (cgroups, _) in controllers.items()])
        yield ENABLED.family([(labels, enabled) for labels, (_, enabled) in controllers.items()])
