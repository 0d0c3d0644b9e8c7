"""What every Spawner promises of its children, the fake one as the real one."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fenghuo.up.process import LocalSpawner, Process, Spawner
from fenghuo.up.testing import FakeSpawner

SLEEPER = ("sleep", "600")
# A shell that passes over SIGTERM; SIGKILL must reach its child too.
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done")

Maker = Callable[[Path], Spawner]


def real(folder: Path) -> Spawner:
    return LocalSpawner(folder, folder, os.environ)


def fake(folder: Path) -> Spawner:
    spawner = FakeSpawner(frozenset({"stubborn"}))
    spawner.printed["stubborn"] = ["ready"]
    return spawner


makers = pytest.mark.parametrize("make", [fake, real])


async def ended(process: Process) -> int:
    return await asyncio.wait_for(process.wait(), 10)


@makers
def test_terminate_ends_in_order_and_the_end_may_be_asked_for_twice(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        process = await make(tmp_path).spawn("sleeper", SLEEPER)
        assert process.pid > 0
        process.terminate()
        assert [await ended(process), await ended(process)] == [-15, -15]
        process.terminate()
        process.kill()

    asyncio.run(scenario())


@makers
def test_kill_ends_what_terminate_does_not(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        spawner = make(tmp_path)
        process = await spawner.spawn("stubborn", STUBBORN)
        while spawner.last_lines("stubborn", 1) != ["ready"]:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
        process.terminate()
        waiting = asyncio.ensure_future(process.wait())
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        process.kill()
        assert await asyncio.wait_for(waiting, 10) == -9

    asyncio.run(scenario())


@makers
def test_children_are_apart(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        spawner = make(tmp_path)
        one, two = await spawner.spawn("one", SLEEPER), await spawner.spawn("two", SLEEPER)
        assert one.pid != two.pid
        one.kill()
        assert await ended(one) == -9
        waiting = asyncio.ensure_future(two.wait())
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        two.kill()
        assert await asyncio.wait_for(waiting, 10) == -9

    asyncio.run(scenario())
