"""The command: its options, its exit codes, and what it says when it can't start."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fenghuo.errors import StartError
from fenghuo.testing import ManualClock
from fenghuo.up.app import Settings, choose_ports
from fenghuo.up.cli import command
from fenghuo.up.control import STOP_TIMEOUT, stop
from fenghuo.up.plan import Options
from fenghuo.up.state import Lock, StateFolder, make_folder, take_lock, write_json


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


def test_a_port_that_was_asked_for_the_page_is_given_to_nobody_else(tmp_path: Path) -> None:
    settings = Settings(StateFolder(tmp_path), Options(), "127.0.0.1:9090")
    chosen = choose_ports(settings)
    assert chosen["page"] == 9090
    assert len(set(chosen.values())) == len(chosen)


class Successor(ManualClock):
    """While one waits, the process that was told to end ends, and another takes its place."""

    def __init__(self, folder: StateFolder, lock: Lock) -> None:
        super().__init__()
        self.folder, self.lock = folder, lock

    async def sleep(self, seconds: float) -> None:
        self.lock.release()
        self.lock = take_lock(self.folder, os.getpid())
        await self.advance(STOP_TIMEOUT)  # who still waits then gives up


def test_stop_waits_for_the_one_it_stopped_and_no_other(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    make_folder(folder)
    with subprocess.Popen(["sleep", "60"]) as process:
        clock = Successor(folder, take_lock(folder, process.pid))

        assert asyncio.run(stop(folder, clock))
        assert process.wait() == -signal.SIGTERM
    clock.lock.release()
