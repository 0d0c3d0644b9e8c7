"""Alertmanager's own amtool works against us."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.stack.alerting_process import TellingEngine
from tests.stack.servers.programs import find_program
from tests.stack.servers.waiting import wait_until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[TellingEngine]:
    """An alert engine whose webhook goes nowhere."""
    with TellingEngine(tmp_path, "http://127.0.0.1:9/") as handle:
        yield handle


def amtool(engine: TellingEngine, *arguments: str) -> str:
    """What amtool prints; it must succeed."""
    command = [str(find_program("amtool")), f"--alertmanager.url={engine.url}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_alerts_are_added_and_queried(engine: TellingEngine) -> None:
    """Labels, annotations, filters, and an end that amtool sets."""
    amtool(engine, "alert", "add", "alertname=Disk", "host=x", "--annotation=summary=full")
    amtool(engine, "alert", "add", "Cpu", "host=y", "severity=info")
    found = json.loads(amtool(engine, "alert", "query", "-o", "json"))
    assert sorted(alert["labels"]["alertname"] for alert in found) == ["Cpu", "Disk"]
    assert "full" in amtool(engine, "alert", "query", "alertname=~D.*")
    assert json.loads(amtool(engine, "alert", "query", "host=y", "-o", "json"))[0]["receivers"] == [{"name": "console"}]
    amtool(
        engine,
        "alert",
        "add",
        "Cpu",
        "host=y",
        "severity=info",
        "--end=2020-01-01T00:00:00Z",
        "--start=2019-01-01T00:00:00Z",
    )
    assert "Disk" in amtool(engine, "alert", "query")


def test_the_configuration_and_the_cluster_are_shown(engine: TellingEngine) -> None:
    """As YAML without secrets; there is no cluster."""
    shown = yaml.safe_load(amtool(engine, "config", "show"))
    assert shown["receivers"][0]["webhook_configs"] == [{"url": "<secret>"}]
    assert "disabled" in amtool(engine, "cluster", "show")


def test_what_amtool_sends_reaches_the_console(engine: TellingEngine) -> None:
    """The message is printed, kept, and ends when the alert does."""
    amtool(engine, "alert", "add", "Cpu", "severity=info", "--annotation=summary=hot")

    def messages() -> list[dict[str, str]]:
        kept: list[dict[str, str]] = engine.call("GET", "/api/fenghuo/v1/messages")["messages"]
        return kept

    wait_until(messages, "a message")
    assert [message["title"] for message in messages()] == ["FIRING Cpu: 1 firing"]
    assert "hot" in engine.log.read_text(encoding="utf-8")
