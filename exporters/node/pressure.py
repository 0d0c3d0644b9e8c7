"""Pressure stall information, from /proc/pressure: the time that tasks waited for CPU, memory, IO, interrupts.

`waiting` is the kernel's `some`, `stalled` its `full`; microseconds become seconds, in two steps, so that the last
digit is the peer's. The `full` line of cpu means nothing for the whole machine and is left out, as node_exporter does.
"""

from collections.abc import Iterator

from exporters.collector import Family, Metric, NoData, counter
from exporters.host import Host, Unreadable
from exporters.readers.pressure import parse


def _waiting(resource: str, what: str) -> Metric:
    return counter(
        f"node_pressure_{resource}_waiting_seconds_total", f"Total time in seconds that processes have waited {what}"
    )


def _stalled(resource: str, why: str) -> Metric:
    return counter(
        f"node_pressure_{resource}_stalled_seconds_total",
        f"Total time in seconds no process could make progress due to {why}",
    )


METRICS: dict[str, dict[str, Metric]] = {
    "cpu": {"some": _waiting("cpu", "for CPU time")},
    "io": {"some": _waiting("io", "due to IO congestion"), "full": _stalled("io", "IO congestion")},
    "memory": {"some": _waiting("memory", "for memory"), "full": _stalled("memory", "memory congestion")},
    "irq": {"full": _stalled("irq", "IRQ congestion")},
}


class Pressure:
    """Reads the files that this kernel has; a kernel before 4.20 or with `psi=0` has none."""

    def __init__(self, host: Host) -> None:
        self._files = {resource: host.proc.keep(f"pressure/{resource}") for resource in METRICS}

    def collect(self, now: float) -> Iterator[Family]:
        absent: list[str] = []
        for resource, file in self._files.items():
            content = file.read_record()
            if isinstance(content, Unreadable):
                absent.append(str(content))
                continue
            totals = parse(content, file.path)
            for line, metric in METRICS[resource].items():
                if line in totals:
                    yield metric.single(totals[line] / 1000 / 1000)
        if len(absent) == len(self._files):
            raise NoData(absent[0])
