"""The alert engine's own metrics; what Alertmanager counts too has Alertmanager's name."""

from dashboards.queries.scope import RANGE

ENGINE = 'job="fenghuo"'

FIRING = f'sum(alertmanager_alerts{{{ENGINE},state="active"}}) or vector(0)'

NOTIFICATIONS = f"sum by (integration) (rate(alertmanager_notifications_total{{{ENGINE}}}{RANGE}))"
NOTIFICATIONS_FAILED = (
    f"sum by (integration, reason) (rate(alertmanager_notifications_failed_total{{{ENGINE}}}{RANGE}))"
)
OUTBOX = f"sum(fenghuo_outbox_pending{{{ENGINE}}})"
SEND_SECONDS_95 = (
    "histogram_quantile(0.95, sum by (integration, le)"
    f" (rate(alertmanager_notification_latency_seconds_bucket{{{ENGINE}}}{RANGE})))"
)
