"""All parts start, nobody waits for a neighbour that can't, and all end in order."""

import asyncio

from fenghuo.backoff import Backoff
from fenghuo.clock import SystemClock
from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.testing import FakeCaller, ManualClock, answer
from fenghuo.up.parts import Child
from fenghuo.up.plan import PartSpec
from fenghuo.up.supervisor import Supervisor
from fenghuo.up.testing import Changes, FakeSpawner

NAMES = ("node", "logs", "alerting")


def respond(request: Request) -> Answer:
    if "dead" in request.url:
        raise RemoteRefused(request.url, "refused")
    return answer(200)


def parts(clock: ManualClock, spawner: FakeSpawner, changes: Changes, names: tuple[str, ...] = NAMES) -> list[Child]:
    backoff = Backoff(first=1.0, jitter=0.0)
    return [
        Child(
            PartSpec(name, name, f"http://{name}", ("run", name)), clock, FakeCaller(respond), changes, spawner, backoff
        )
        for name in names
    ]


def test_parts_start_in_order_and_stop_in_the_reverse_order() -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        clock, spawner, changes = ManualClock(), FakeSpawner(), Changes()
        supervisor = Supervisor(parts(clock, spawner, changes), clock)
        supervisor.start()
        settled = asyncio.ensure_future(supervisor.settled(10))
        await clock.advance(1)
        assert await settled
        await supervisor.stop()
        return spawner.names, [change.name for change in changes.all if change.text == "stopped"]

    assert asyncio.run(scenario()) == (list(NAMES), ["alerting", "logs", "node"])


def test_a_part_that_cannot_start_does_not_hold_the_others() -> None:
    async def scenario() -> None:
        clock, spawner, changes = ManualClock(), FakeSpawner(), Changes()
        supervisor = Supervisor(parts(clock, spawner, changes, ("node", "dead")), clock)
        supervisor.start()
        settled = asyncio.ensure_future(supervisor.settled(60))
        for _ in range(4):
            await clock.advance(5)
            if not settled.done():
                spawner.started[-1].exit(1)
        assert settled.done()
        assert not settled.result()
        assert supervisor.parts[0].state == "ready"
        await supervisor.stop()

    asyncio.run(scenario())


def test_a_stubborn_part_is_killed_within_the_budget() -> None:
    async def scenario() -> tuple[list[list[str]], float]:
        clock, spawner, changes = ManualClock(), FakeSpawner(frozenset({"logs"})), Changes()
        supervisor = Supervisor(parts(clock, spawner, changes), clock, stop_budget=0.2)
        supervisor.start()
        await clock.advance(1)
        before = SystemClock().monotonic()
        await supervisor.stop()
        return [process.signals for process in spawner.started], SystemClock().monotonic() - before

    signals, spent = asyncio.run(scenario())
    assert signals == [["SIGTERM"], ["SIGTERM", "SIGKILL"], ["SIGTERM"]]
    assert spent < 2
