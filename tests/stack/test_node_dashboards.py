"""A real Prometheus with kube-prometheus' node rules, and every query of Node Exporter Full, over our exporter.

Each selector of theirs that names `node_*` returns data on this machine, or stands below with the reason why no
exporter could answer it here.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.exporters.beside import running
from tests.exporters.queries import boards, chosen, metric_of, rule_groups, selectors
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

ON_REQUEST = ("processes", "interrupts", "tcpstat", "systemd")
"""Collectors that are off by default, here and there, and that the board asks for."""

DEAD = {
    "node_kernel_hung_tasks": "node_exporter publishes node_kernel_hung_tasks_total",
    "node_netstat_Tcp_MaxConn": "not among the fields that node_exporter publishes by default",
    'node_network_up{operstate="up"': "node_network_up has no such label, node_network_info has",
}
"""Selectors that node_exporter itself leaves without an answer: by their beginnings, with the reason."""


def has(pattern: str) -> bool:
    """Whether this machine has a file or folder of that name, with something in it."""
    root, _, rest = pattern.removeprefix("/").partition("/")
    return any(not path.is_file() or path.stat().st_size >= 0 for path in Path(f"/{root}").glob(rest))


def says(file: str, word: str) -> bool:
    """Whether a file of this machine can be read and has the word in it."""
    try:
        return word in Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


@pytest.fixture(scope="module")
def scraped(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, str]]:
    """A Prometheus with the rules that has scraped our exporter a few times, and the exporter's address."""
    folder = tmp_path_factory.mktemp("rules")
    rules = folder / "node.yml"
    rules.write_text(yaml.safe_dump({"groups": rule_groups()}), encoding="utf-8")
    flags = [f"--collector.{name}" for name in ON_REQUEST]
    with running([sys.executable, "-m", "exporters", "--collect=node", *flags]) as port:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "node-exporter", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }
        prometheus.start(yaml.safe_dump(config))
        wait_until(lambda: bool(prometheus.query("count_over_time(up[10s]) >= 4")), "four scrapes", 60)
        yield prometheus, f"127.0.0.1:{port}"
    prometheus.start(prometheus.default_config)


def variables(address: str) -> Mapping[str, str]:
    """What a person chooses in the boards, longest names first."""
    return {
        "__rate_interval": "10s",
        "nodename": os.uname().nodename,
        "instance": address,
        "cluster": ".*",
        "node": address,
        "job": "node-exporter",
    }


def asked(address: str) -> list[str]:
    """Every selector of boards and rules, once."""
    expressions = [chosen(expr, variables(address)) for panels in boards().values() for _, expr in panels]
    expressions += [rule["expr"] for group in rule_groups() for rule in group["rules"]]
    return sorted({selector for expr in expressions for selector in selectors(expr)})


def test_every_selector_has_an_answer_or_a_reason(scraped: tuple[Prometheus, str]) -> None:
    """Data for each; what is listed as absent is absent, so that the list can't outlive its reasons."""
    prometheus, address = scraped
    unanswered, needless = [], []
    for selector in asked(address):
        reason = why_absent(selector)
        found = bool(prometheus.query(selector))
        if not found and reason is None:
            unanswered.append(selector)
        if found and reason is not None:
            needless.append(f"{selector}: {reason}")
    assert (unanswered, needless) == ([], [])


def test_every_query_of_the_boards_is_answered(scraped: tuple[Prometheus, str]) -> None:
    """No error for any of them, and data for each whose selectors all have data and that compares nothing."""
    prometheus, address = scraped
    empty = []
    for title, panels in boards().items():
        for panel, expr in panels:
            text = chosen(expr, variables(address))
            wanted = selectors(text)
            comparing = any(sign in text for sign in (" != 0", " > 0", "==", "unless"))
            found = prometheus.query(text)
            if wanted and not found and not comparing and not any(map(why_absent, wanted)):
                empty.append(f"{title}, {panel}: {text}")
    assert empty == []


def test_the_rules_are_healthy_and_record(scraped: tuple[Prometheus, str]) -> None:
    """Prometheus evaluates every rule without an error, and the recorded series are there."""
    prometheus, _ = scraped
    wait_until(lambda: all(rule["health"] == "ok" for rule in _rules(prometheus)), "an evaluation of every rule", 60)
    recorded = {rule["name"] for rule in _rules(prometheus) if rule["type"] == "recording"}
    wait_until(lambda: bool(prometheus.query("instance:node_cpu_utilisation:rate5m")), "recorded series", 60)
    silent = {name for name in recorded if name.startswith("instance") and not prometheus.query(name)}
    assert silent == set()


def _rules(prometheus: Prometheus) -> list[dict[str, str]]:
    groups = prometheus.call("GET", "/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def why_absent(selector: str) -> str | None:
    """Why nothing can answer a selector on this machine."""
    for beginning, reason in DEAD.items():
        if selector.startswith(beginning):
            return reason
    return None if metric_of(selector) else "no metric"
