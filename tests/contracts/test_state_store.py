"""What every StateStore keeps, fake and real."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.engine.ports import Change, StateStore
from alerting.engine.state import AlertState, RuleState, State
from alerting.storage.database import Database
from alerting.storage.states import STATE_MIGRATIONS, SqliteStates
from alerting.testing import MemoryStates

Story = Callable[[StateStore], Awaitable[None]]
Play = Callable[[Story], None]

FIRING = AlertState(
    fingerprint="00000000000000aa",
    labels={"alertname": "A", "path": 'C:\\x "y"\n城'},
    annotations={"summary": "s"},
    state=State.FIRING,
    value=1.5,
    active_at=100.25,
    fired_at=160.25,
    unseen=3.5,
    reason="because",
)
KEEPING = replace(FIRING, fingerprint="00000000000000bb", state=State.KEEPING, keeping_since=200.0)
RESOLVED = replace(FIRING, fingerprint="00000000000000cc", state=State.RESOLVED, resolved_at=300.0, value=-math.inf)


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Runs a story on a fresh store of each kind."""

    async def on_sqlite(story: Story) -> None:
        database = await Database.open(tmp_path / "a.sqlite", STATE_MIGRATIONS)
        await story(SqliteStates(database))
        await database.close()

    async def on_memory(story: Story) -> None:
        await story(MemoryStates())

    run = on_sqlite if request.param == "sqlite" else on_memory
    return lambda story: asyncio.run(run(story))


def by_fingerprint(*alerts: AlertState) -> dict[str, AlertState]:
    return {alert.fingerprint: alert for alert in alerts}


def test_a_new_store_remembers_nothing(play: Play) -> None:
    async def story(store: StateStore) -> None:
        assert dict(await store.load()) == {}

    play(story)


def test_what_was_saved_comes_back_field_by_field(play: Play) -> None:
    async def story(store: StateStore) -> None:
        await store.save([Change("r1", 300.0, [FIRING, KEEPING, RESOLVED]), Change("r2", 301.0, [FIRING])])
        assert dict(await store.load()) == {
            "r1": RuleState(300.0, by_fingerprint(FIRING, KEEPING, RESOLVED)),
            "r2": RuleState(301.0, by_fingerprint(FIRING)),
        }

    play(story)


def test_a_value_that_is_no_number_comes_back(play: Play) -> None:
    async def story(store: StateStore) -> None:
        await store.save([Change("r", 1.0, [replace(FIRING, value=math.nan)])])
        (alert,) = (await store.load())["r"].alerts.values()
        assert math.isnan(alert.value)

    play(story)


def test_a_later_change_replaces_adds_and_drops(play: Play) -> None:
    async def story(store: StateStore) -> None:
        await store.save([Change("r", 1.0, [FIRING, RESOLVED])])
        newer = replace(FIRING, state=State.KEEPING, keeping_since=2.0)
        await store.save([Change("r", 2.0, [newer, KEEPING], drop=[RESOLVED.fingerprint])])
        assert (await store.load())["r"] == RuleState(2.0, by_fingerprint(newer, KEEPING))
        await store.save([Change("r", 3.0)])
        assert (await store.load())["r"] == RuleState(3.0, by_fingerprint(newer, KEEPING))

    play(story)


def test_a_change_that_begins_anew_forgets_what_was_there(play: Play) -> None:
    async def story(store: StateStore) -> None:
        await store.save([Change("r", 1.0, [FIRING, RESOLVED]), Change("other", 1.0, [FIRING])])
        await store.save([Change("r", 2.0, [KEEPING], anew=True)])
        assert (await store.load())["r"] == RuleState(2.0, by_fingerprint(KEEPING))
        await store.save([Change("r", anew=True)])
        assert list(await store.load()) == ["other"]

    play(story)


def test_many_saves_at_once_are_all_kept(play: Play) -> None:
    async def story(store: StateStore) -> None:
        await asyncio.gather(*(store.save([Change(f"r{number}", 1.0, [FIRING])]) for number in range(200)))
        assert len(await store.load()) == 200

    play(story)
