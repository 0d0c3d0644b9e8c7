"""The one command lists its parts without importing them, and says errors in one line."""

import os
import subprocess
import sys

import click
import pytest

from fenghuo import __version__
from fenghuo.cli import COMMANDS, run_command
from fenghuo.errors import ConfigError, Problem


def fenghuo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fenghuo", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_every_part() -> None:
    shown = fenghuo("--help")
    assert shown.returncode == 0
    for name in (*COMMANDS, "version"):
        assert f"  {name} " in shown.stdout


def test_version() -> None:
    assert fenghuo("version").stdout == f"fenghuo {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_part_shows_its_help_by_both_roads(name: str) -> None:
    module = COMMANDS[name][0].removesuffix(".cli")
    direct = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert fenghuo(name, "--help").returncode == 0
    assert direct.returncode == 0, direct.stderr


HELP_THEN_MODULES = """
import sys
from fenghuo.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print(sorted(set(sys.modules) & {"exporters", "alerting", "log_pipeline", "dashboards", "aiohttp", "pydantic"}))
"""


def test_help_imports_no_product() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", HELP_THEN_MODULES], capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_an_expected_error_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def broken() -> None:
        raise ConfigError("a.yml", [Problem("route", "expected a receiver", line=3)])

    with pytest.raises(SystemExit) as caught:
        run_command(broken, [])
    assert caught.value.code == 1
    assert capsys.readouterr().err == "fenghuo: a.yml:3: route: expected a receiver\n"


SAY_FIRE = """
import click
from fenghuo.cli import run_command
run_command(click.Command("say", callback=lambda: print("\u70fd\u706b")), [])
"""


def test_a_terminal_without_the_signs_of_a_message_does_not_end_the_command() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", SAY_FIRE]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "\\u70fd\\u706b\n"
