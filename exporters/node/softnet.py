"""What each CPU did with packets that it received, from /proc/net/softnet_stat.

A line a CPU, hexadecimal, without headings; kernels have added columns at the end over the years: received_rps
in 2.6.39, flow_limit_count in 4.18, the length of the backlog and the CPU's number in 5.14. Format: the kernel's
net/core/net-procfs.c, softnet_seq_show.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, Sample, counter, gauge, required
from exporters.host import Host
from exporters.node.numbers import hexadecimals

COLUMNS = (
    (0, counter("node_softnet_processed_total", "Packets taken from the devices' queues.", "cpu")),
    (1, counter("node_softnet_dropped_total", "Packets dropped because the backlog was full.", "cpu")),
    (2, counter("node_softnet_times_squeezed_total", "Times that time ran out with packets left to take.", "cpu")),
    (8, counter("node_softnet_cpu_collision_total", "Times that a device was locked when sending.", "cpu")),
    (9, counter("node_softnet_received_rps_total", "Times that another CPU handed over packets.", "cpu")),
    (10, counter("node_softnet_flow_limit_count_total", "Packets dropped by the limit of a flow.", "cpu")),
    (11, gauge("node_softnet_backlog_len", "Packets that wait in the backlog.", "cpu")),
)
FEWEST, CPU, COLUMNS_READ = 9, 12, 13


class Softnet:
    """A column that the kernel does not have yet counts as 0, as in node_exporter."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("net/softnet_stat")

    def collect(self, now: float) -> Iterator[Family]:
        rows: dict[str, list[int]] = {}
        for number, line in enumerate(required(self._file.read()).splitlines(), 1):
            try:
                row = hexadecimals(line.split()[:COLUMNS_READ])
            except ValueError as error:
                raise Malformed(self._file.path, number, "hexadecimal numbers", line) from error
            if len(row) < FEWEST:
                raise Malformed(self._file.path, number, f"{FEWEST} numbers or more", line)
            rows[str(row[CPU] if len(row) > CPU else number - 1)] = row
        if not rows:
            raise Malformed(self._file.path, 0, "a line for each CPU")
        for column, metric in COLUMNS:
            samples: list[Sample] = [((cpu,), row[column] if column < len(row) else 0) for cpu, row in rows.items()]
            yield metric.family(samples)
