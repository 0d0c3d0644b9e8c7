"""What each CPU did with packets that it received, from /proc/net/softnet_stat.

A line a CPU, hexadecimal, without headings; kernels have added columns at the end over the years: received_rps
in 2.6.39, flow_limit_count in 4.18, the length of the backlog and the CPU's number in 5.14. Format: the kernel's
net/core/net-procfs.c, softnet_seq_show.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, counter, gauge, required
from exporters.host import Host
from exporters.readers.numbers import hexadecimals

METRICS = (
    counter("node_softnet_processed_total", "Packets taken from the devices' queues.", "cpu"),
    counter("node_softnet_dropped_total", "Packets dropped because the backlog was full.", "cpu"),
    counter("node_softnet_times_squeezed_total", "Times that time ran out with packets left to take.", "cpu"),
    counter("node_softnet_cpu_collision_total", "Times that a device was locked when sending.", "cpu"),
    counter("node_softnet_received_rps_total", "Times that another CPU handed over packets.", "cpu"),
    counter("node_softnet_flow_limit_count_total", "Packets dropped by the limit of a flow.", "cpu"),
    gauge("node_softnet_backlog_len", "Packets that wait in the backlog.", "cpu"),
)
FEWEST = 9
UNUSED = slice(3, 8)
"""Columns that the kernel no longer fills."""

OLD_KERNEL = [0, 0, 0]
"""What stands for the columns that a kernel does not have yet."""


class Softnet:
    """A column that the kernel does not have yet counts as 0, as in node_exporter."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("net/softnet_stat")

    def collect(self, now: float) -> Iterator[Family]:
        rows: dict[tuple[str], list[int]] = {}
        for number, line in enumerate(required(self._file.read()).splitlines(), 1):
            words = line.split()
            if len(words) < FEWEST:
                raise Malformed(self._file.path, number, f"{FEWEST} numbers or more", line)
            del words[UNUSED]
            try:
                row = hexadecimals(words[: len(METRICS) + 1])
            except ValueError as error:
                raise Malformed(self._file.path, number, "hexadecimal numbers", line) from error
            cpu = row.pop() if len(row) > len(METRICS) else number - 1
            rows[(str(cpu),)] = row + OLD_KERNEL
        if not rows:
            raise Malformed(self._file.path, 0, "a line for each CPU")
        for metric, column in zip(METRICS, zip(*rows.values(), strict=False), strict=False):
            yield metric.family(list(zip(rows, column, strict=True)))
