"""The command checks a configuration and says in one line why it can't start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fenghuo.errors import ConfigError
from log_pipeline.cli import command

GOOD = """
source: {type: kafka, brokers: "127.0.0.1:9092", topics: [filebeat], group: logs}
sink: {type: elasticsearch, url: "http://127.0.0.1:9200", index: logs-fenghuo-default}
dead_letters: {path: state/dead-letters.ndjson}
state: {path: state}
web: {listen_address: "127.0.0.1:9600"}
"""

BAD = """
source: {type: kafka, brokers: "127.0.0.1:9092", topics: filebeat}
sink: {type: elastic, url: "http://127.0.0.1:9200"}
webb: {listen_address: "127.0.0.1:9600"}
"""


def test_check_says_that_a_file_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "logs.yml"
    path.write_text(GOOD)
    result = CliRunner().invoke(command, ["check", f"--config.file={path}"])
    assert (result.exit_code, result.output) == (0, f"{path}: valid, from kafka to elasticsearch\n")


def test_check_names_every_mistake_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "logs.yml"
    path.write_text(BAD)
    result = CliRunner().invoke(command, ["check", f"--config.file={path}"])
    assert isinstance(result.exception, ConfigError)
    assert {(problem.path, problem.line) for problem in result.exception.problems} == {
        ("source.topics", 2),
        ("sink", 3),
        ("webb", 4),
    }


@pytest.mark.parametrize("arguments", [["run"], ["check"], ["run", "--config.file=x", "--log.level=loud"]])
def test_a_wrong_usage_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_a_folder_that_cannot_be_written_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = {
        "source": {"type": "files", "paths": [str(tmp_path / "*.log")]},
        "sink": {"type": "sqlite", "path": str(tmp_path / "file" / "logs.sqlite")},
        "dead_letters": {"path": str(tmp_path / "dead.ndjson")},
        "state": {"path": str(tmp_path / "state")},
        "web": {"listen_address": "127.0.0.1:0"},
    }
    (tmp_path / "logs.yml").write_text(json.dumps(config))
    run = [sys.executable, "-m", "log_pipeline", "run", f"--config.file={tmp_path / 'logs.yml'}"]
    ended = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "file" in ended.stderr
    assert "Traceback" not in ended.stderr
