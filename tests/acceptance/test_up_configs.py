"""What `fenghuo up` writes is what its children accept: each generated file against its reader's own check."""

import subprocess
import sys
from pathlib import Path

import pytest

from fenghuo.up.app import this_machine
from fenghuo.up.plan import Options, make_plan
from fenghuo.up.ports import USUAL
from fenghuo.up.state import StateFolder, make_folder, write_text


def checked(module: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """`python -m MODULE check --config.file=PATH`."""
    command = [sys.executable, "-m", module, "check", f"--config.file={path}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize(("module", "name"), [("alerting", "alerting.yml"), ("log_pipeline", "logs.yml")])
def test_a_generated_file_passes_its_readers_check(tmp_path: Path, module: str, name: str, demo: bool) -> None:
    folder = StateFolder(tmp_path)
    make_folder(folder)
    for path, text in make_plan(Options(demo=demo), folder, USUAL, this_machine()).files.items():
        write_text(path, text)
    ran = checked(module, folder.config / name)
    assert ran.returncode == 0, ran.stdout + ran.stderr
