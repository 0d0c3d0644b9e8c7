"""Load averages, from /proc/loadavg."""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host

LOADS = (
    gauge("node_load1", "1m load average."),
    gauge("node_load5", "5m load average."),
    gauge("node_load15", "15m load average."),
)


class LoadAverage:
    """Reads one line: `0.21 0.37 0.39 1/719 19737`."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("loadavg")

    def collect(self, now: float) -> Iterator[Family]:
        words = required(self._file.read_record()).split()
        try:
            values = [float(word) for word in words[:3]]
        except ValueError as error:
            raise Malformed(self._file.path, 1, "three numbers", " ".join(words)) from error
        if len(values) < len(LOADS):
            raise Malformed(self._file.path, 1, "three numbers", " ".join(words))
        for metric, value in zip(LOADS, values, strict=True):
            yield metric.single(value)
