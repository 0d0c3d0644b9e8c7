"""What the telling half counts: Alertmanager's names where it has one, ours otherwise."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerting.notify.dedup import Reason
from alerting.notify.outcome import FailReason


class NotifyMetrics:
    """Counters of decisions, messages and attempts. `kinds` are the receiver kinds, so that each starts at 0."""

    def __init__(self, registry: CollectorRegistry, kinds: tuple[str, ...]) -> None:
        kind = ["integration"]
        self._total = Counter("alertmanager_notifications_total", "Attempted notifications.", kind, registry=registry)
        self._failed = Counter(
            "alertmanager_notifications_failed_total",
            "Notifications that were refused, or are late and still being tried.",
            [*kind, "reason"],
            registry=registry,
        )
        self._requests = Counter(
            "alertmanager_notification_requests_total", "Attempts to send a notification.", kind, registry=registry
        )
        self._requests_failed = Counter(
            "alertmanager_notification_requests_failed_total", "Attempts that failed.", kind, registry=registry
        )
        self._latency = Histogram(
            "alertmanager_notification_latency_seconds",
            "How long an attempt took.",
            kind,
            buckets=(1, 5, 10, 15, 20),
            registry=registry,
        )
        self._decisions = Counter(
            "fenghuo_notification_decisions_total",
            "Whether a receiver needed to hear of a group, by reason.",
            ["reason"],
            registry=registry,
        )
        self._pending = Gauge(
            "fenghuo_outbox_pending", "Notifications that are stored and not yet answered.", registry=registry
        )
        self._groups = Gauge(
            "alertmanager_dispatcher_aggregation_groups", "Groups that hold alerts.", registry=registry
        )
        self._begin_at_zero(kinds)

    def _begin_at_zero(self, kinds: tuple[str, ...]) -> None:
        """Show every series from the first scrape: a rate needs a beginning."""
        for name in kinds:
            for family in (self._total, self._requests, self._requests_failed, self._latency):
                family.labels(name)
            for failure in FailReason:
                self._failed.labels(name, failure)
        for reason in Reason:
            self._decisions.labels(reason)

    def watch(self, pending: Callable[[], int], groups: Callable[[], int]) -> None:
        """Read these two sizes at each scrape; a new generation takes the old one's place."""
        self._pending.set_function(pending)
        self._groups.set_function(groups)

    def decided(self, reason: Reason) -> None:
        self._decisions.labels(reason).inc()

    def posted(self, kind: str) -> None:
        """A notification was stored, to be sent."""
        self._total.labels(kind).inc()

    def attempted(self, kind: str, seconds: float, failed: bool) -> None:
        """One try took so long and did or did not arrive."""
        self._requests.labels(kind).inc()
        self._latency.labels(kind).observe(seconds)
        if failed:
            self._requests_failed.labels(kind).inc()

    def failed(self, kind: str, reason: FailReason) -> None:
        """A notification was refused, or its time is up."""
        self._failed.labels(kind, reason).inc()
