"""The command `fenghuo alerting` without a server."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from alerting.cli import command
from fenghuo.errors import ConfigError

CONFIG = """
sources: [{name: p, url: http://127.0.0.1:9090}]
rule_files: [rules.yml]
route: {receiver: console}
receivers: [{name: console, console_configs: [{}]}]
"""
RULES = """
groups:
- name: g
  interval: 30s
  rules: [{alert: A, expr: up, for: 1m}, {record: b, expr: up}]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "config.yml").write_text(CONFIG)
    return f"--config.file={tmp_path / 'config.yml'}"


def test_check_says_what_is_there_and_what_is_not_evaluated(config: str) -> None:
    result = CliRunner().invoke(command, ["check", config], catch_exceptions=False)
    assert result.exit_code == 0
    assert "good: 1 receivers, 1 sources, 1 groups with 2 rules" in result.output
    assert "1 recording rules are shown and left to the metrics store" in result.output


def test_check_raises_all_mistakes_for_main_to_print(config: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES.replace("expr: up", "expr: '('"))
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(command, ["check", config], catch_exceptions=False)
    assert len(caught.value.problems) == 2


def test_rules_lists_what_is_loaded(config: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["rules", config], catch_exceptions=False)
    assert result.output.splitlines() == [
        f"{tmp_path / 'rules.yml'}: g (every 30s)",
        "  alert   A, for 1m",
        "  record  b (not evaluated)",
    ]
