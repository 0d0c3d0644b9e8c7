"""UDP sockets of pods, of containers without a pod, and of the machine: how many, what waits in them, and what they
dropped. The names are cAdvisor's, which calls these gauges `_total`.

Read from /proc/<pid>/net/{udp,udp6}, proc_pid_net(5); whose they are, see `networks`. As in cAdvisor `listen` counts
all sockets, and `dropped` is what those that are open now have dropped. It has the queues the wrong way round, as it
takes the file's `tx_queue:rx_queue` for the other order; here `rxqueued` are bytes that wait to be received.
"""

import re
from collections.abc import Iterator

from exporters.cgroups.readers.networks import Networks
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.collector import Family, Sample, gauge
from exporters.host import Host

METRICS = tuple(
    gauge(
        f"container_network_{table}_usage_total",
        f"{table} connection usage statistic for container",
        *BASE_LABELS,
        "udp_state",
    )
    for table in ("udp", "udp6")
)

_HEADER = b" local_address "
_SOCKET = re.compile(
    rb"^ *\d+: \S+ \S+ [0-9A-F]{2} ([0-9A-F]{8}):([0-9A-F]{8}) [^\n]* (\d{1,10}) *$",
    re.MULTILINE,
)
"""The two queues in bytes, and the count of dropped packets at the line's end."""


class UdpCollector:
    """Reads two files a pod."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._networks = Networks(inventory, host.proc, "net/udp", "net/udp6")

    def collect(self, now: float) -> Iterator[Family]:
        samples: tuple[list[Sample], list[Sample]] = ([], [])
        for labels, tables in self._networks.read(now):
            for found, table in zip(samples, tables, strict=True):
                found += [((*labels, state), value) for state, value in counted(table).items()]
        for metric, found in zip(METRICS, samples, strict=True):
            yield metric.family(found)


def counted(table: bytes) -> dict[str, int]:
    """What is said of all sockets together; empty for what is no table. A line that makes no sense is no socket."""
    if _HEADER not in table:
        return {}
    sockets = _SOCKET.findall(table)
    return {
        "listen": len(sockets),
        "dropped": sum(int(dropped) for _, _, dropped in sockets),
        "rxqueued": sum(int(to_receive, 16) for _, to_receive, _ in sockets),
        "txqueued": sum(int(to_send, 16) for to_send, _, _ in sockets),
    }
