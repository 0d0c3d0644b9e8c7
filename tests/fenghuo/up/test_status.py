"""The status says what runs, where and how well, and survives its own file format."""

import json
from pathlib import Path

import pytest

from fenghuo.testing import FakeCaller, ManualClock
from fenghuo.up.parts import Child, Event, State
from fenghuo.up.plan import PartSpec
from fenghuo.up.status import (
    NOT_RUNNING,
    UNWELL,
    WELL,
    PartStatus,
    StackStatus,
    exit_code,
    read_status,
    status_of_part,
    table,
)
from fenghuo.up.testing import Changes, FakeSpawner

READY = PartStatus("node", "node exporter", "ready", "http://127.0.0.1:9100", 12, 1, 95.0, "ended by SIGKILL", "/s/log")
DEAD = PartStatus("logs", "log pipeline", "failing", "http://127.0.0.1:9600", None, 4, None, "exited with code 1",
                  "/s/logs.log", ("cannot open the database",))  # fmt: skip


def stack(*parts: PartStatus) -> StackStatus:
    return StackStatus(7, "http://127.0.0.1:8600", "/s", "2026-11-21T10:00:00.000Z", 100.0, True, parts)


@pytest.mark.parametrize(("status", "code"), [(None, NOT_RUNNING), (stack(READY), WELL), (stack(READY, DEAD), UNWELL)])
def test_the_exit_code_is_the_answer(status: StackStatus | None, code: int) -> None:
    assert exit_code(status) == code


def test_a_status_is_read_back_from_its_document() -> None:
    status = stack(READY, DEAD)
    assert read_status(json.loads(json.dumps(status.document()))) == status
    assert read_status({"parts": [{}]}) is None
    assert read_status(None) is None


def test_a_stale_status_is_not_well() -> None:
    status = read_status(stack(READY).document(), stale="the page does not answer")
    assert status is not None
    assert exit_code(status) == UNWELL
    assert "the page does not answer" in table(status)


def test_the_table_names_the_parts_and_the_last_words_of_the_dead() -> None:
    assert table(stack(READY, DEAD)) == [
        "fenghuo up runs as process 7 since 2026-11-21T10:00:00.000Z, state folder /s",
        "page  http://127.0.0.1:8600",
        "",
        "part           state    url                    pid  restarts  ready for",
        "node exporter  ready    http://127.0.0.1:9100  12   1         1m35s",
        "log pipeline   failing  http://127.0.0.1:9600  -    4         -",
        "",
        "node exporter: last trouble: ended by SIGKILL",
        "log pipeline: last trouble: exited with code 1",
        "    cannot open the database",
        "    whole output: /s/logs.log",
    ]


def test_a_part_that_keeps_dying_is_failing_and_says_its_last_words() -> None:
    spawner = FakeSpawner()
    spawner.printed["logs"] = ["one", "two"]
    child = Child(PartSpec("logs", "log pipeline", "http://u:p@h:1", ("x",)), ManualClock(), FakeCaller(), Changes(),
                  spawner, None)  # type: ignore[arg-type] # fmt: skip
    child.move(Event.STARTED)
    assert status_of_part(child, 0.0, Path("/s/x.log")).state == State.STARTING
    child.fruitless = 3
    status = status_of_part(child, 0.0, Path("/s/x.log"))
    assert (status.state, status.last_lines, status.url) == ("failing", ("one", "two"), "http://h:1")
