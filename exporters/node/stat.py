"""Boots, forks, interrupts, context switches and running processes, from /proc/stat; software interrupts by vector.

Format: proc_stat(5). The vectors of the line `softirq` are those of the kernel's include/linux/interrupt.h, in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Malformed, counter, gauge, required
from exporters.host import Host
from exporters.options import option
from exporters.readers.numbers import natural

METRICS = {
    "intr": counter("node_intr_total", "Total number of interrupts serviced."),
    "ctxt": counter("node_context_switches_total", "Total number of context switches."),
    "processes": counter("node_forks_total", "Total number of forks."),
    "btime": gauge("node_boot_time_seconds", "Node boot time, in unixtime."),
    "procs_running": gauge("node_procs_running", "Number of processes in runnable state."),
    "procs_blocked": gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete."),
}
SOFT = "softirq"
SOFTIRQS = counter("node_softirqs_total", "Software interrupts by vector.", "vector")
VECTORS = ("hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu")


@dataclass(frozen=True, slots=True)
class Options:
    """What is published beside the totals."""

    softirq: bool = option(False, "Publish software interrupts by vector.")


class Stat:
    """Takes the lines of /proc/stat that count for the whole machine."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._file = host.proc.keep("stat")
        self._wanted = {*METRICS, *([SOFT] if options is not None and options.softirq else [])}

    def collect(self, now: float) -> Iterator[Family]:
        found: dict[str, Family] = {}
        for number, line in enumerate(required(self._file.read_record()).splitlines(), 1):
            name = line.partition(" ")[0]
            if name in self._wanted:
                found[name] = self._softirqs(number, line) if name == SOFT else self._total(number, name, line)
        if not found:
            raise Malformed(self._file.path, 0, "lines such as `ctxt 38014093`")
        yield from found.values()

    def _total(self, number: int, name: str, line: str) -> Family:
        """The first number; the line of interrupts goes on with thousands."""
        try:
            return METRICS[name].single(natural(line.split(" ", 2)[1]))
        except (IndexError, ValueError) as error:
            raise Malformed(self._file.path, number, f"a number after {name}", line) from error

    def _softirqs(self, number: int, line: str) -> Family:
        """`softirq <total> <hi> <timer> …`."""
        words = line.split()[2:]
        try:
            return SOFTIRQS.family([((vector,), natural(words[at])) for at, vector in enumerate(VECTORS)])
        except (IndexError, ValueError) as error:
            raise Malformed(
                self._file.path, number, f"a total and {len(VECTORS)} numbers after {SOFT}", line
            ) from error
