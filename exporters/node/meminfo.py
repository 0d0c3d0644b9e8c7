"""Memory, from /proc/meminfo: one gauge a line, `node_memory_<Field>_bytes`.

Every field of the running kernel is published, as node_exporter did up to 1.8; newer ones know a fixed list
of fields, all of which are here under the same names.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, gauge, required, whole
from exporters.host import Host


class MemInfo:
    """Keeps the metric of each field that it has seen."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("meminfo")
        self._metrics: dict[str, Metric] = {}

    def collect(self, now: float) -> Iterator[Family]:
        lines = required(self._file.read()).splitlines()
        if not lines:
            raise Malformed(self._file.path, 0, "lines such as `MemTotal: 1024 kB`, the file is empty")
        for number, line in enumerate(lines, 1):
            try:
                name, value, *unit = line.split()
                # a size says kB and means KiB; a count of pages has no unit
                yield self._metric(name, in_bytes=bool(unit)).single(whole(value) << 10 if unit else whole(value))
            except ValueError as error:
                raise Malformed(self._file.path, number, "`Name: number [kB]`", line) from error

    def _metric(self, name: str, *, in_bytes: bool) -> Metric:
        known = self._metrics.get(name)
        if known is None:
            known = self._metrics[name] = self._new_metric(name, in_bytes=in_bytes)
        return known

    def _new_metric(self, name: str, *, in_bytes: bool) -> Metric:
        """`Active(anon):` becomes `node_memory_Active_anon_bytes`."""
        field = name.removesuffix(":").replace("(", "_").replace(")", "")
        if not name.endswith(":") or not field.isidentifier() or not field.isascii():
            raise ValueError(name)
        return gauge(f"node_memory_{field}{'_bytes' * in_bytes}", f"Memory information field {field}.")
