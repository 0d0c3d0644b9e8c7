"""The command: its options, its exit codes, and what it says when it can't start."""

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from fenghuo.errors import StartError
from fenghuo.up.cli import command
from fenghuo.up.state import StateFolder, make_folder, take_lock, write_json


def test_status_of_nothing_is_exit_code_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["status", "--state", str(tmp_path)])
    assert (result.exit_code, result.output) == (
        3, f"nothing runs on the state folder {tmp_path}; start it with `fenghuo up`\n",
    )  # fmt: skip
    result = CliRunner().invoke(command, ["--state", str(tmp_path), "status", "--json"])
    assert (result.exit_code, json.loads(result.output)["running"]) == (3, False)


def test_stop_of_nothing_is_no_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["stop", "--state", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, f"nothing runs on the state folder {tmp_path}\n")


def test_status_falls_back_to_what_was_written_when_the_page_is_mute(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    make_folder(folder)
    lock = take_lock(folder, os.getpid())
    part = {"name": "node", "title": "node exporter", "state": "ready", "url": "http://127.0.0.1:1", "pid": 1,
            "restarts": 0, "uptime": 1.0, "last_error": "", "log": "", "last_lines": []}  # fmt: skip
    write_json(folder.status, {"pid": os.getpid(), "url": "http://127.0.0.1:1", "state": str(tmp_path), "since": "t",
                               "uptime": 1.0, "demo": False, "parts": [part]})  # fmt: skip
    result = CliRunner().invoke(command, ["status", "--state", str(tmp_path)])
    lock.release()
    assert result.exit_code == 1
    assert "the page does not answer" in result.output
    assert "node exporter" in result.output


def test_two_kinds_of_prometheus_exclude_one_another(tmp_path: Path) -> None:
    arguments = ["--state", str(tmp_path), "--prometheus", "x", "--prometheus-url", "http://x"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "exclude one another" in result.output


def test_a_folder_in_use_a_port_taken_and_a_missing_prometheus_are_told(tmp_path: Path) -> None:
    """Each is one line of cause and one of remedy, and leaves nothing behind."""
    folder = StateFolder(tmp_path)
    make_folder(folder)
    lock = take_lock(folder, os.getpid())
    assert "is in use by process" in refusal(tmp_path)
    lock.release()
    assert refusal(tmp_path, "--prometheus", "/no/prometheus") == (
        "there is no program /no/prometheus; name the prometheus binary with --prometheus PATH"
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert "is taken" in refusal(tmp_path, "--web.listen-address", address)


def refusal(state: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["--state", str(state), *arguments])
    assert isinstance(result.exception, StartError), result.output
    return str(result.exception)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "no HOST:PORT" in refusal(tmp_path, "--web.listen-address", "8600")


@pytest.mark.parametrize("name", ["status", "stop"])
def test_sub_commands_have_help(name: str) -> None:
    assert CliRunner().invoke(command, [name, "--help"]).exit_code == 0
