"""The pipeline's metrics, taken from its accounts at the moment of the scrape, so that the two can't disagree."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from log_pipeline.audit.ledger import Ledger
from log_pipeline.audit.lines import LineCounts
from log_pipeline.model.position import Partition
from log_pipeline.ports import Source

_COUNTS = (
    ("retries", "Events that a sink was asked again to take.", "reason"),
    ("decoded", "Events decoded in part (typed), or whole because of an unusual shape.", "way"),
    ("encoded", "Documents spliced from the event's bytes, rebuilt because that was not safe, or built.", "way"),
)


class PipelineMetrics(Collector):
    """Everything that `/metrics` says about the flow. `pending` gives the events held, by partition; `counts`
    the counters of `_COUNTS` by name.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        lines: LineCounts,
        pending: Callable[[], Mapping[Partition, int]],
        counts: Mapping[str, Mapping[str, int]],
        troubles: Mapping[str, str],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._lines = lines
        self._pending = pending
        self._counts = counts
        self._troubles = troubles

    def describe(self) -> Iterable[Metric]:
        """Nothing is collected at registration."""
        return ()

    def collect(self) -> Iterable[Metric]:
        read, settled = self._ledger.totals()
        yield _counter("fenghuo_logs_read", "Events read.", ["source"], [((self._source.name,), read)])
        yield _counter("fenghuo_logs_events", "Events with a final outcome.", ["outcome", "reason"], settled.items())
        yield _counter("fenghuo_logs_lines", "Log lines by level.", ["level", "namespace"], self._lines.counts.items())
        for name, text, label in _COUNTS:
            counts = [((value,), count) for value, count in self._counts.get(name, {}).items()]
            yield _counter(f"fenghuo_logs_{name}", text, [label], counts)
        pending = sum(self._pending().values())
        yield GaugeMetricFamily("fenghuo_logs_pending_events", "Events read and not yet settled.", pending)
        difference = read - settled.total() - pending
        yield GaugeMetricFamily("fenghuo_logs_unaccounted_events", "Read less settled less pending: 0.", difference)
        trouble = GaugeMetricFamily("fenghuo_logs_trouble", "1 for a part that does not work now.", labels=["part"])
        for part in ("source", "sink", "dead_letters", "commit"):
            trouble.add_metric([part], float(part in self._troubles))
        yield trouble
        lag = self._source.lag()
        if lag is not None:
            unit = self._source.lag_unit
            yield GaugeMetricFamily(f"fenghuo_logs_lag_{unit}", f"Not yet read, in {unit}.", lag)


def _counter(
    name: str, text: str, labels: list[str], counts: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts:
        family.add_metric(list(values), count)
    return family
