"""Real children: their output is kept and bounded, their end is described, and none outlives its parent."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from fenghuo.up.process import TETHER, ChildLog, LocalSpawner, describe_exit


def test_what_a_child_prints_is_kept_and_each_run_begins_a_file(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        spawner = LocalSpawner(tmp_path, tmp_path, os.environ)
        process = await spawner.spawn("talker", ("sh", "-c", "echo one; echo two >&2; exit 3"))
        assert await process.wait() == 3
        return spawner.last_lines("talker", 5)

    assert asyncio.run(scenario()) == ["one", "two"]
    assert asyncio.run(scenario()) == ["one", "two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talker.log", "talker.log.1"]


def test_a_log_stays_within_two_files(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "x.log", largest=100)
    for number in range(100):
        log.append(b"line %02d of many\n" % number)
    log.append(b"last\n")
    assert log.last_lines(1) == ["last"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 300


def test_a_program_that_is_missing_says_so_in_its_log(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, list[str]]:
        spawner = LocalSpawner(tmp_path, tmp_path, os.environ)
        process = await spawner.spawn("ghost", ("/no/such/program",))
        return await process.wait(), spawner.last_lines("ghost", 5)

    assert asyncio.run(scenario()) == (1, ["can't run /no/such/program: No such file or directory"])


def test_a_log_that_cannot_be_written_costs_the_log_only(tmp_path: Path) -> None:
    """The child lives and can be waited for: an untold process would be left behind."""
    (tmp_path / "x.log").write_text("of an earlier run")
    (tmp_path / "x.log.1" / "in the way").mkdir(parents=True)

    async def scenario() -> int:
        process = await LocalSpawner(tmp_path, tmp_path, os.environ).spawn("x", ("true",))
        return await process.wait()

    assert asyncio.run(scenario()) == 0


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "exited with code 0"), (2, "exited with code 2"), (-9, "ended by SIGKILL"), (-99, "ended by signal 99")],
)
def test_an_end_is_described(code: int, text: str) -> None:
    assert describe_exit(code) == text


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    async def scenario() -> tuple[int | None, bytes]:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(TETHER), "1", "echo", "started",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await child.communicate()
        return child.returncode, output

    assert asyncio.run(scenario()) == (1, b"the parent is gone\n")
