"""Boots, forks, interrupts, context switches and running processes, from /proc/stat."""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, counter, gauge, required, whole
from exporters.host import Host

METRICS = {
    "intr": counter("node_intr_total", "Total number of interrupts serviced."),
    "ctxt": counter("node_context_switches_total", "Total number of context switches."),
    "processes": counter("node_forks_total", "Total number of forks."),
    "btime": gauge("node_boot_time_seconds", "Node boot time, in unixtime."),
    "procs_running": gauge("node_procs_running", "Number of processes in runnable state."),
    "procs_blocked": gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete."),
}


class Stat:
    """Takes the lines of /proc/stat that count for the whole machine."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("stat")

    def collect(self, now: float) -> Iterator[Family]:
        found = False
        for number, line in enumerate(required(self._file.read()).splitlines(), 1):
            name, _, rest = line.partition(" ")
            metric = METRICS.get(name)
            if metric is None:
                continue
            value = rest.split(" ", 1)[0]  # the line of interrupts goes on with thousands of numbers
            try:
                yield metric.single(whole(value))
            except ValueError as error:
                raise Malformed(self._file.path, number, f"a number after {name}", line) from error
            found = True
        if not found:
            raise Malformed(self._file.path, 0, "lines such as `ctxt 38014093`")
