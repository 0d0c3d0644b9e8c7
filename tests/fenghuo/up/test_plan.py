"""Options become parts, commands and files before anything is started."""

import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from fenghuo.up.plan import Machine, Options, Plan, make_plan
from fenghuo.up.ports import USUAL
from fenghuo.up.state import StateFolder

FOLDER = StateFolder(Path("/state"))
STARTER = Path("/site/alerting/rules/library/starter.yml")


def plan(options: Options, has_container_logs: bool = False) -> Plan:
    return make_plan(options, FOLDER, USUAL, Machine(has_container_logs, STARTER))


def text(made: Plan, name: str) -> object:
    return yaml.safe_load(made.files[FOLDER.config / name])


def test_the_products_are_started_by_their_public_commands() -> None:
    commands = {part.name: " ".join(part.command).replace(sys.executable, "python") for part in plan(Options()).parts}
    assert commands == {
        "node": "python -P -m exporters --collect=node --web.listen-address=127.0.0.1:9100",
        "cgroup": "python -P -m exporters --collect=cgroup --web.listen-address=127.0.0.1:9101",
        "logs": "python -P -m log_pipeline run --config.file=/state/config/logs.yml",
        "prometheus": "prometheus --config.file=/state/config/prometheus.yml --storage.tsdb.path=/state/prometheus"
        " --storage.tsdb.retention.time=7d --storage.tsdb.retention.size=1GB --web.listen-address=127.0.0.1:9090",
        "alerting": "python -P -m alerting run --config.file=/state/config/alerting.yml",
    }


def test_the_demo_adds_one_part_a_log_path_and_a_quicker_pace() -> None:
    calm, demo = plan(Options()), plan(Options(demo=True))
    assert [part.name for part in demo.parts] == [*(part.name for part in calm.parts), "demo"]
    assert demo.log_paths == ("/state/demo/containers/*.log",)
    assert (calm.pace.scrape, demo.pace.scrape) == ("15s", "5s")


@pytest.mark.parametrize(
    ("options", "has_container_logs", "expected"),
    [
        (Options(), True, ["/var/log/containers/*.log"]),
        # nothing there yet: a container that starts later is found
        (Options(), False, ["/var/log/containers/*.log"]),
        (Options(log_globs=("/srv/*.log",)), False, ["/srv/*.log"]),
        (Options(log_globs=("/srv/*.log",), demo=True), True,
         ["/var/log/containers/*.log", "/srv/*.log", "/state/demo/containers/*.log"]),
    ],
)  # fmt: skip
def test_logs_are_read_from_where_there_are_some(
    options: Options, has_container_logs: bool, expected: list[str]
) -> None:
    made = plan(options, has_container_logs)
    assert list(made.log_paths) == expected
    assert text(made, "logs.yml") == {
        "source": {"type": "files", "paths": expected},
        "sink": {"type": "sqlite", "path": "/state/logs/logs.sqlite"},
        "dead_letters": {"path": "/state/logs/dead-letters.ndjson"},
        "state": {"path": "/state/logs"},
        "web": {"listen_address": "127.0.0.1:9600"},
    }


def test_prometheus_scrapes_each_part_once() -> None:
    config = text(plan(Options(demo=True)), "prometheus.yml")
    assert isinstance(config, dict)
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["node"]["static_configs"] == [{"targets": ["127.0.0.1:9100"]}]
    assert jobs["cgroup"]["honor_labels"] is True
    assert [(row["labels"]["part"], row["targets"]) for row in jobs["fenghuo"]["static_configs"]] == [
        ("page", ["127.0.0.1:8600"]),
        ("logs", ["127.0.0.1:9600"]),
        ("alerting", ["127.0.0.1:9093"]),
        ("demo", ["127.0.0.1:8601"]),
    ]
    assert {job["scrape_interval"] for job in jobs.values()} == {"5s"}


def test_the_alert_engine_reads_the_starter_rules_and_the_users_own() -> None:
    config = text(plan(Options()), "alerting.yml")
    assert isinstance(config, dict)
    assert config["rule_files"] == [str(STARTER), "/state/rules/*.yml"]
    assert config["sources"] == [{"name": "prometheus", "type": "prometheus", "url": "http://127.0.0.1:9090"}]
    assert config["receivers"] == [{"name": "console", "console_configs": [{}]}]


def test_a_state_folder_with_odd_signs_is_no_pattern() -> None:
    folder = StateFolder(Path("/s[1]*"))
    made = make_plan(Options(demo=True), folder, USUAL, Machine(has_container_logs=False, starter_rules=STARTER))
    assert made.log_paths == ("/s[[]1][*]/demo/containers/*.log",)


def test_a_prometheus_of_the_users_is_watched_and_told_what_to_scrape() -> None:
    made = plan(Options(prometheus_url="http://metrics.example:9090/"))
    part = next(part for part in made.parts if part.name == "prometheus")
    assert (part.command, part.url) == ((), "http://metrics.example:9090")
    assert FOLDER.config / "prometheus.yml" not in made.files
    snippet = text(made, "scrape-snippet.yml")
    assert isinstance(snippet, dict)
    assert [job["job_name"] for job in snippet["scrape_configs"]] == ["node", "cgroup", "fenghuo"]
    config = text(made, "alerting.yml")
    assert isinstance(config, dict)
    assert config["sources"][0]["url"] == "http://metrics.example:9090/"


def test_an_installation_in_a_folder_with_odd_signs_keeps_its_starter_rules() -> None:
    made = make_plan(Options(), FOLDER, USUAL, Machine(False, Path("/opt/[x]/starter.yml")))
    config = text(made, "alerting.yml")
    assert isinstance(config, dict)
    assert fnmatchcase("/opt/[x]/starter.yml", config["rule_files"][0])
