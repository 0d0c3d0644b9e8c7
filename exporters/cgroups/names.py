"""Whether containers and pods have their names: what a dashboard shows nothing without."""

from collections.abc import Iterator

from exporters.cgroups.tree.inventory import Inventory
from exporters.collector import Family, Malformed, gauge
from exporters.host import Host

UNNAMED = gauge(
    "fenghuo_exporter_containers_unnamed",
    "Containers and pods of which a name or the image is not known, or not yet.",
)
LEFT_OUT = gauge(
    "fenghuo_exporter_cgroups_left_out", "Cgroups of a user that have no series, as the user has too many.", "slice"
)


class NamesCollector:
    """Counts those without. `host` is told what is refused to whoever looks for cgroups and names.

    Raises Malformed while a source of names can't answer.
    """

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._host = host

    def collect(self, now: float) -> Iterator[Family]:
        self._inventory.current(now)
        for what, right in list(self._inventory.denied.items()):  # whoever was left behind may add to them
            self._host.deny(what, right)
        yield UNNAMED.single(self._inventory.unnamed())
        yield LEFT_OUT.family([((name,), count) for name, count in sorted(self._inventory.left_out.items())])
        for source, fault in sorted(self._inventory.faults().items()):
            raise Malformed(source, 0, "an answer", fault)
