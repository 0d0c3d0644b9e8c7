"""What `/metrics` says is what the accounts say."""

from prometheus_client import CollectorRegistry, generate_latest

from log_pipeline.audit.ledger import Ledger
from log_pipeline.audit.lines import LineCounts
from log_pipeline.audit.metrics import PipelineMetrics
from log_pipeline.model.event import Event, Pod
from log_pipeline.model.outcome import DeadLettered, Indexed
from log_pipeline.testing import PARTITION, FakeLog, FakeSource, new_event


def test_the_exposition_shows_the_whole_account() -> None:
    ledger, lines, source = Ledger(), LineCounts(), FakeSource(FakeLog([new_event(0), new_event(1)]))
    ledger.read(PARTITION, 5)
    ledger.settle(PARTITION, Indexed())
    ledger.settle(PARTITION, DeadLettered("mapping"))
    lines.add(new_event(level="error", pod=Pod("shop", "web-1", "app")))
    registry = CollectorRegistry()
    registry.register(
        PipelineMetrics(
            source, ledger, lines, lambda: {PARTITION: 2}, {"retries": {"busy": 4}}, {"sink": "unreachable"}
        )
    )
    text = generate_latest(registry).decode()
    samples = [line for line in text.splitlines() if not line.startswith("#") and not line.endswith('"} 0.0')]
    assert samples == [
        'fenghuo_logs_read_total{source="fake"} 5.0',
        'fenghuo_logs_events_total{outcome="indexed",reason="created"} 1.0',
        'fenghuo_logs_events_total{outcome="dead_lettered",reason="mapping"} 1.0',
        'fenghuo_logs_lines_total{level="error",namespace="shop"} 1.0',
        'fenghuo_logs_retries_total{reason="busy"} 4.0',
        "fenghuo_logs_pending_events 2.0",
        "fenghuo_logs_unaccounted_events 1.0",
        'fenghuo_logs_trouble{part="sink"} 1.0',
        "fenghuo_logs_lag_messages 2.0",
    ]


def of(level: str, namespace: str) -> Event:
    return new_event(level=level, pod=Pod(namespace, "p", "c") if namespace else None)


def test_a_namespace_begins_with_every_level_at_zero() -> None:
    """A rule over the rate sees the first burst only when the series was there before it."""
    lines = LineCounts()
    lines.add(of("info", "shop"))
    assert {level: count for (level, _), count in lines.counts.items()} == {
        "trace": 0,
        "debug": 0,
        "info": 1,
        "warn": 0,
        "error": 0,
        "fatal": 0,
        "unknown": 0,
    }


def test_lines_without_level_or_pod_are_counted_too() -> None:
    lines = LineCounts()
    lines.add(of("", ""))
    assert lines.counts["unknown", ""] == 1


def test_namespaces_beyond_the_bound_are_one() -> None:
    lines = LineCounts(most=2)
    for namespace in ("a", "b", "c", "d", "a"):
        lines.add(of("error", namespace))
    counted = {namespace: count for (level, namespace), count in lines.counts.items() if level == "error"}
    assert counted == {"a": 2, "b": 1, "other": 2}
