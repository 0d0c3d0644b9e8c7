"""The stack's own metrics: which parts are ready and how often each was started again."""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fenghuo.up.status import StackStatus


class PartsCollector(Collector):
    """Reads the status at each scrape."""

    def __init__(self, status: Callable[[], StackStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        ready = GaugeMetricFamily(
            "fenghuo_up_part_ready", "1 while the part answers that it is ready.", labels=["part"]
        )
        restarts = CounterMetricFamily(
            "fenghuo_up_part_restarts", "How often the part died and was started again.", labels=["part"]
        )
        for part in self._status().parts:
            ready.add_metric([part.name], float(part.is_ready))
            restarts.add_metric([part.name], part.restarts)
        return [ready, restarts]
