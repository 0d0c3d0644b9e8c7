"""The alert engine: what fires, whether rules are evaluated in time, who was told, what waits to be told."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, graph
from dashboards.queries import alerting


def evaluation() -> Row:
    """From rules to alerts."""
    firing = graph("Firing alerts", "Active in the engine now.", "none", Query(alerting.FIRING, "firing"))
    trouble = graph(
        "Rule evaluations failed or left out",
        "A failed query keeps the state of its alerts: nothing fires and nothing is resolved by it.",
        "cps",
        Query(alerting.RULES_FAILED, "{{rule_group}} failed"),
        Query(alerting.RULES_MISSED, "{{rule_group}} left out"),
    )
    seconds = graph(
        "Time to evaluate a group",
        "The last evaluation. A group that needs longer than its interval leaves the next one out.",
        "s",
        Query(alerting.RULE_SECONDS, "{{rule_group}}"),
    )
    return Row("Alert engine: rules", [Cell(firing), Cell(trouble), Cell(seconds)])


def notification() -> Row:
    """From alerts to people."""
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
    return Row("Alert engine: notifications", [Cell(sent), Cell(outbox), Cell(seconds)])
