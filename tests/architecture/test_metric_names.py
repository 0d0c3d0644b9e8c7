"""What the products share without an import: a metric's name and labels in an exporter, a rule and a board.

A typing error in a query is silent: an empty panel, an alert that never fires.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from dashboards.app import GENERATED
from dashboards.catalog import GRAFANA
from dashboards.grafana.promql import Selected, selected
from dashboards.grafana.render import to_json
from tests.architecture.published import STARTER, published

OF_PROMETHEUS = {"up": frozenset[str]()}
"""What Prometheus itself makes of a scrape."""

OF_TARGETS = frozenset({"job", "instance"})
"""Labels that the scrape adds to every series."""


def queries() -> Iterator[tuple[str, str]]:
    """Every expression of the boards and of the starter rules, with where it stands."""
    for name, build in GRAFANA.items():
        for panel in to_json(build())["panels"]:
            for target in panel.get("targets", []):
                yield f"board {name}, panel {panel['title']!r}", target["expr"]
    for group in yaml.safe_load(STARTER.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield f"rule {rule['alert']}", rule["expr"]


ALL = [(where, item) for where, expr in queries() for item in selected(expr)]


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, frozenset[str] | None]:
    """What is published, with its labels."""
    return {**published(tmp_path_factory.mktemp("published")), **OF_PROMETHEUS}


def test_every_metric_that_is_queried_is_published(metrics: Mapping[str, frozenset[str] | None]) -> None:
    """By the exporters over the recorded machines, by the alert engine, by the log pipeline."""
    assert sorted({f"{item.metric} in {where}" for where, item in ALL if item.metric not in metrics}) == []


def test_every_label_that_is_matched_is_one_of_its_metric(metrics: Mapping[str, frozenset[str] | None]) -> None:
    """`stat="used"` on a metric without that label selects nothing, for ever."""

    def unknown(item: Selected) -> frozenset[str]:
        labels = metrics.get(item.metric)
        return frozenset() if labels is None else item.matched - labels - OF_TARGETS

    assert (
        sorted({f"{item.metric} has no {sorted(unknown(item))}: {where}" for where, item in ALL if unknown(item)}) == []
    )


def test_the_check_knows_the_labels_of_nearly_all_that_is_queried(metrics: Mapping[str, frozenset[str] | None]) -> None:
    """So that the test above can fail: two have no series before something was evaluated, and something failed."""
    assert {item.metric for _, item in ALL if metrics.get(item.metric) is None} <= {
        "alertmanager_notifications_failed_total",
        "prometheus_rule_group_last_duration_seconds",
    }


def test_the_jobs_that_are_queried_are_those_that_are_scraped() -> None:
    """The same three in docker-compose's Prometheus, in boards and in rules."""
    scraped = yaml.safe_load((Path(GENERATED).parents[1] / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in scraped["scrape_configs"]}
    text = json.dumps([expr for _, expr in queries()])

    assert {"node", "cgroup", "fenghuo"} <= jobs
    assert [job for job in ("node", "cgroup", "fenghuo") if f'job=\\"{job}\\"' not in text] == []
