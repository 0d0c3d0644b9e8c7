"""The log pipeline's own metrics."""

from dashboards.queries.scope import RANGE

PIPELINE = 'job="fenghuo"'
NAMESPACE = f'{PIPELINE},namespace=~"$namespace"'

LINES_BY_LEVEL = f"sum by (level) (rate(fenghuo_logs_lines_total{{{NAMESPACE}}}{RANGE}))"
ERROR_LINES = f'sum by (namespace) (rate(fenghuo_logs_lines_total{{{NAMESPACE},level=~"error|fatal"}}{RANGE}))'

READ = f"sum(rate(fenghuo_logs_read_total{{{PIPELINE}}}{RANGE}))"
OUTCOMES = f"sum by (outcome) (rate(fenghuo_logs_events_total{{{PIPELINE}}}{RANGE}))"
DEAD_LETTERED = (
    f'sum(increase(fenghuo_logs_events_total{{{PIPELINE},outcome="dead_lettered"}}[$__range]))'
    f" or 0 * sum(fenghuo_logs_pending_events{{{PIPELINE}}})"
)
# Read less settled less pending. Anything but 0 is a lost event, or a fault of the count.
UNACCOUNTED = f"sum(fenghuo_logs_unaccounted_events{{{PIPELINE}}})"
RETRIES = f"sum by (reason) (rate(fenghuo_logs_retries_total{{{PIPELINE}}}{RANGE}))"

PENDING = f"sum(fenghuo_logs_pending_events{{{PIPELINE}}})"
LAG_BYTES = f"sum(fenghuo_logs_lag_bytes{{{PIPELINE}}})"
LAG_MESSAGES = f"sum(fenghuo_logs_lag_messages{{{PIPELINE}}})"
