"""The alert engine: what fires, who was told, what still waits to be told."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, graph
from dashboards.queries import alerting


def engine() -> Row:
    """Alerts in, messages out."""
    firing = graph("Firing alerts", "Active in the engine now.", "none", Query(alerting.FIRING, "firing"))
    sent = graph(
        "Notifications",
        "By kind of receiver; those that failed with the reason.",
        "cps",
        Query(alerting.NOTIFICATIONS, "{{integration}}"),
        Query(alerting.NOTIFICATIONS_FAILED, "{{integration}} failed: {{reason}}"),
    )
    outbox = graph(
        "Notifications that wait",
        "Stored and not yet answered by the receiver. They outlive a restart.",
        "none",
        Query(alerting.OUTBOX, "outbox"),
    )
    seconds = graph(
        "Time to notify",
        "How long an attempt takes, 95th percentile.",
        "s",
        Query(alerting.SEND_SECONDS_95, "{{integration}}"),
    )
    return Row("Alert engine", [Cell(panel, width=6) for panel in (firing, sent, outbox, seconds)])
