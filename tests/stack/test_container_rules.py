"""The container rules: Prometheus' own tools take them and test them, and so does our engine; each has its runbook."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.compose import ROOT
from tests.exporters.machines import golden_texts
from tests.exporters.queries import metric_of, selectors
from tests.stack.servers.prometheus import Prometheus
from tests.stack.test_deploy_configs import said_by

RULES = ROOT / "deploy/prometheus/rules/containers.yml"
RUNBOOK = ROOT / "docs/container-alerts.md"
ENGINE = """\
sources: [{{name: prometheus, type: prometheus, url: "http://127.0.0.1:1"}}]
rule_files: ["{rules}"]
storage: {{path: state}}
route: {{receiver: console}}
receivers: [{{name: console, console_configs: [{{}}]}}]
"""


def rules() -> list[Mapping[str, Any]]:
    """Every rule of the file."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def test_prometheus_takes_them(prometheus: Prometheus) -> None:
    """Without a duplicate."""
    assert f"{len(rules())} rules found" in said_by(prometheus.promtool, "check", "rules", RULES)


def test_each_fires_for_what_it_is_for(prometheus: Prometheus) -> None:
    """And stays silent for what is near it."""
    tests = ROOT / "tests/stack/containers.test.yml"
    assert "SUCCESS" in said_by(prometheus.promtool, "test", "rules", tests)
    tried = {
        case["alertname"]
        for test in yaml.safe_load(tests.read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert tried == {rule["alert"] for rule in ALERTS}


def test_our_engine_takes_them(tmp_path: Path) -> None:
    """Templates and all."""
    config = tmp_path / "alerting.yml"
    config.write_text(ENGINE.format(rules=RULES), encoding="utf-8")
    said_by(sys.executable, "-m", "alerting", "check", f"--config.file={config}")


def test_the_operator_can_be_given_them(tmp_path: Path) -> None:
    """The lines of the page make an object that Prometheus' operator knows, with the very same rules in it."""
    (made,) = re.findall(r"```sh\n(\{.+?\}) \| kubectl", RUNBOOK.read_text(encoding="utf-8"), re.DOTALL)
    said = said_by("sh", "-c", f"cd {RULES.parent} && {made}")
    wanted = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    found = yaml.safe_load(said)
    assert (found["apiVersion"], found["kind"], found["spec"]) == (
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        wanted,
    )


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_means_and_where_to_read_on(rule: Mapping[str, Any]) -> None:
    """Each has a section in the page."""
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in ("warning", "info")
    page, _, anchor = str(rule["annotations"]["runbook"]).partition("#")
    assert (page, anchor) == (str(RUNBOOK.relative_to(ROOT)), rule["alert"].lower())
    assert f"\n## {rule['alert']}\n" in RUNBOOK.read_text(encoding="utf-8")


def test_the_page_has_no_section_of_an_alert_that_is_gone() -> None:
    """All its sections are alerts'."""
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == [rule["alert"] for rule in ALERTS]


def test_what_they_ask_for_is_published_or_recorded(tmp_path: Path) -> None:
    """A typing error would make an alert that never fires."""
    published = "".join(golden_texts(tmp_path).values())
    found = (selectors(rule["expr"], "container", "machine", "workload") for rule in rules())
    asked = {metric_of(selector) for group in found for selector in group}
    assert asked > RECORDED
    assert {name for name in asked if f"{name}{{" not in published} == RECORDED
