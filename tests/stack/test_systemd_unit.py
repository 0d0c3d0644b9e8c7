"""systemd itself reads the unit of the exporter: without complaint, and with a sandbox that it calls good."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.test_systemd import UNIT

pytestmark = pytest.mark.stack

WORST = 25
"""Tenths of systemd-analyze's exposure, of which 100 is no sandbox at all."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    program = shutil.which("true")
    assert program is not None
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/fenghuo/bin/fenghuo", program), encoding="utf-8")
    return path


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_systemd_understands_every_line(unit: Path) -> None:
    result = analyze("verify", unit)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_line_that_systemd_does_not_know_would_be_told(unit: Path) -> None:
    """So that the test above can fail."""
    unit.write_text(unit.read_text(encoding="utf-8").replace("ProtectSystem=", "ProtectSistem="), encoding="utf-8")
    assert "ProtectSistem" in analyze("verify", unit).stderr


def test_the_sandbox_is_a_good_one(unit: Path) -> None:
    """What is left open is what collectors need; see the unit."""
    result = analyze("security", "--offline=yes", f"--threshold={WORST}", "--no-pager", unit)
    assert result.returncode == 0, result.stdout
