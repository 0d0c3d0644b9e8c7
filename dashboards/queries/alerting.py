"""The alert engine's own metrics; what Alertmanager counts too has Alertmanager's name."""

from dashboards.queries.scope import RANGE

ENGINE = 'job="fenghuo"'

# An engine that does not answer is no answer, not 0.
FIRING = f'sum(alertmanager_alerts{{{ENGINE},state="active"}})'

NOTIFICATIONS = f"sum by (integration) (rate(alertmanager_notifications_total{{{ENGINE}}}{RANGE}))"
NOTIFICATIONS_FAILED = (
    f"sum by (integration, reason) (rate(alertmanager_notifications_failed_total{{{ENGINE}}}{RANGE}))"
)
OUTBOX = f"sum(fenghuo_outbox_pending{{{ENGINE}}})"
SEND_SECONDS_95 = (
    "histogram_quantile(0.95, sum by (integration, le)"
    f" (rate(alertmanager_notification_latency_seconds_bucket{{{ENGINE}}}{RANGE})))"
)

RULES_FAILED = f"sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total{{{ENGINE}}}{RANGE}))"
RULES_MISSED = f"sum by (rule_group) (rate(prometheus_rule_group_iterations_missed_total{{{ENGINE}}}{RANGE}))"
RULE_SECONDS = f"max by (rule_group) (prometheus_rule_group_last_duration_seconds{{{ENGINE}}})"
