"""How long tasks ran and waited on each CPU, and in how many slices, from /proc/schedstat.

The file is there where the kernel was built with CONFIG_SCHEDSTATS. Between the lines of the CPUs stand those of their
scheduling domains, which are passed over. Format: Documentation/scheduler/sched-stats.rst of the kernel.
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, counter, required
from exporters.host import Host
from exporters.readers.numbers import natural

RUNNING = counter("node_schedstat_running_seconds_total", "Seconds that tasks ran on a CPU.", "cpu")
WAITING = counter("node_schedstat_waiting_seconds_total", "Seconds that tasks waited for a CPU.", "cpu")
SLICES = counter("node_schedstat_timeslices_total", "Time slices that a CPU gave to tasks.", "cpu")

NANOSECONDS = 1_000_000_000
LINE = re.compile(r"^cpu(\d+)(?: \d+){6} (\d+) (\d+) (\d+)", re.ASCII | re.MULTILINE)


class SchedStat:
    """Reads one file."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("schedstat")

    def collect(self, now: float) -> Iterator[Family]:
        text = required(self._file.read())
        cpus: dict[str, tuple[int, int, int]] = {}
        for line in LINE.finditer(text):
            cpu, running, waiting, slices = line.groups()
            try:
                cpus[cpu] = natural(running), natural(waiting), natural(slices)
            except ValueError as error:
                number = text.count("\n", 0, line.start()) + 1
                raise Malformed(self._file.path, number, "nine numbers after the CPU", line[0]) from error
        if not cpus:
            raise Malformed(self._file.path, 0, "a line for each CPU, `cpu0` and nine numbers")
        yield RUNNING.family([((cpu,), running / NANOSECONDS) for cpu, (running, _, _) in cpus.items()])
        yield WAITING.family([((cpu,), waiting / NANOSECONDS) for cpu, (_, waiting, _) in cpus.items()])
        yield SLICES.family([((cpu,), slices) for cpu, (_, _, slices) in cpus.items()])
