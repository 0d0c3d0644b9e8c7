"""TCP sockets of pods, of containers without a pod, and of the machine, by state. The names are cAdvisor's, which calls
these gauges `_total`.

Read from /proc/<pid>/net/{tcp,tcp6}, proc_pid_net(5) and Documentation/networking/proc_net_tcp.rst; whose they are, see
`networks`. Off by default: for each file the kernel looks through one table of the sockets of all networks, whose size
goes by the machine's memory, so that it takes a time for a network without any socket as well.
"""

import re
from collections import Counter
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
        "tcp_state",
    )
    for table in ("tcp", "tcp6")
)

STATES = {
    "established": b"01",
    "synsent": b"02",
    "synrecv": b"03",
    "finwait1": b"04",
    "finwait2": b"05",
    "timewait": b"06",
    "close": b"07",
    "closewait": b"08",
    "lastack": b"09",
    "listen": b"0A",
    "closing": b"0B",
}

_HEADER = b" local_address "
_STATE = re.compile(rb":[0-9A-F]{4} (0[1-9AB]) ")
"""With the port before it, which nothing else follows that is as short."""


class TcpCollector:
    """Reads two files a pod."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._networks = Networks(inventory, host.proc, "net/tcp", "net/tcp6")

    def collect(self, now: float) -> Iterator[Family]:
        samples: tuple[list[Sample], list[Sample]] = ([], [])
        for labels, tables in self._networks.read(now):
            for found, table in zip(samples, tables, strict=True):
                found += [((*labels, state), count) for state, count in counted(table).items()]
        for metric, found in zip(METRICS, samples, strict=True):
            yield metric.family(found)


def counted(table: bytes) -> dict[str, int]:
    """The sockets in each state; empty for what is no table."""
    if _HEADER not in table:
        return {}
    codes = Counter(_STATE.findall(table))
    return {state: codes[code] for state, code in STATES.items()}
