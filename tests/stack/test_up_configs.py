"""The prometheus.yml and the scrape snippet of `fenghuo up`, against Prometheus' own checker."""

import subprocess
from pathlib import Path

import pytest

from fenghuo.up.app import this_machine
from fenghuo.up.plan import Options, make_plan
from fenghuo.up.ports import USUAL
from fenghuo.up.state import StateFolder

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (Options(), "prometheus.yml"),
        (Options(demo=True), "prometheus.yml"),
        (Options(prometheus_url="http://metrics.example"), "scrape-snippet.yml"),
    ],
)
def test_promtool_accepts_it(tmp_path: Path, options: Options, name: str) -> None:
    folder = StateFolder(tmp_path)
    path = tmp_path / name
    path.write_text(make_plan(options, folder, USUAL, this_machine()).files[folder.config / name])
    ran = subprocess.run(["promtool", "check", "config", str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
