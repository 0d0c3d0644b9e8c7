"""What the API counts, under Alertmanager's names."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from alerting.model.alert import Alert
from alerting.receivers.http_calls import ALERTMANAGER_VERSION
from alerting.storage.alerts import AlertStore
from fenghuo.clock import Clock

STATES = ("active", "suppressed", "unprocessed")


class ApiMetrics:
    """Counters of received alerts, and a view of the store at each scrape."""

    def __init__(self, registry: CollectorRegistry, alerts: AlertStore, clock: Clock) -> None:
        self._received = Counter(
            "alertmanager_alerts_received_total", "Alerts received.", ["status", "version"], registry=registry
        )
        self._invalid = Counter(
            "alertmanager_alerts_invalid_total", "Received alerts that were invalid.", ["version"], registry=registry
        )
        held = Gauge("alertmanager_alerts", "Alerts by state.", ["state"], registry=registry)
        info = Gauge(
            "alertmanager_build_info", "Always 1; the level of Alertmanager's API.", ["version"], registry=registry
        )
        info.labels(ALERTMANAGER_VERSION).set(1)
        for status in ("firing", "resolved"):
            self._received.labels(status, "v2")
        self._invalid.labels("v2")
        for state in STATES:
            held.labels(state)
        held.labels("active").set_function(lambda: sum(not alert.resolved_at(clock.now()) for alert in alerts.all()))

    def received(self, alerts: Iterable[Alert], now: float, invalid: int) -> None:
        """A batch came in."""
        for alert in alerts:
            self._received.labels(alert.status(now), "v2").inc()
        self._invalid.labels("v2").inc(invalid)
