"""Network traffic of pods, of containers without a pod, and of the machine, by interface.

Read from /proc/<pid>/net/dev, proc_pid_net(5); whose it is and through which process it is seen, see `networks`.
"""

from collections.abc import Iterator

from exporters.cgroups.readers.networks import Networks
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.collector import Family, counter
from exporters.host import Host

METRICS = tuple(
    counter(f"container_network_{way}_{what}_total", f"Cumulative count of {meaning}.", *BASE_LABELS, "interface")
    for way, done, doing in (("receive", "received", "receiving"), ("transmit", "transmitted", "transmitting"))
    for what, meaning in (
        ("bytes", f"bytes {done}"),
        ("packets", f"packets {done}"),
        ("errors", f"errors while {doing}"),
        ("packets_dropped", f"packets dropped while {doing}"),
    )
)
"""In the order of the columns of net/dev: these are the first four of the eight that each way has."""

SKIPPED = (b"lo", b"veth", b"docker", b"nerdctl")
"""How names of interfaces begin that are not published, as in cAdvisor."""

_WAY = 4
_COLUMNS = 16
_HEADER_LINES = 2
_BEYOND = 1 << 64

Counts = list[int]
"""The values of METRICS."""


class NetworkCollector:
    """Reads one file a pod, and one for each container without a pod."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._networks = Networks(inventory, host.proc, "net/dev")

    def collect(self, now: float) -> Iterator[Family]:
        rows = [
            ((*labels, interface), counts)
            for labels, (table,) in self._networks.read(now)
            for interface, counts in counted(table).items()
        ]
        for place, metric in enumerate(METRICS):
            yield metric.family([(labels, counts[place]) for labels, counts in rows])


def counted(table: bytes) -> dict[str, Counts]:
    """The counts of each interface that is published. A line that can't be understood is left out."""
    found: dict[str, Counts] = {}
    for line in table.split(b"\n")[_HEADER_LINES:]:
        # an interface may have a colon in its name
        padded, _, rest = line.rpartition(b":")
        name = padded.lstrip(b" ")
        if not name or name.startswith(SKIPPED):
            continue
        words = rest.split()
        if len(words) < _COLUMNS:
            continue
        try:
            counts = list(map(int, words[:_WAY] + words[_COLUMNS // 2 : _COLUMNS // 2 + _WAY]))
        except ValueError:
            continue
        if min(counts) >= 0 and max(counts) < _BEYOND:
            found[name.decode(errors="replace")] = counts
    return found
