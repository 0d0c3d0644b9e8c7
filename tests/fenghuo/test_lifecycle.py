"""A command starts, answers signals, and ends in order whatever its parts do."""

import asyncio
import os
import signal

import pytest

from fenghuo.errors import StartError
from fenghuo.lifecycle import Lifecycle, run, supervise


def test_parts_stop_last_in_first_out_and_a_failing_one_stops_nobody() -> None:
    async def scenario() -> list[str]:
        stopped: list[str] = []
        life = Lifecycle("test")

        def stop(name: str) -> None:
            async def step() -> None:
                stopped.append(name)
                if name == "bad":
                    raise RuntimeError("broken")

            life.on_stop(name, step)

        for name in ("first", "bad", "last"):
            stop(name)
        await life.close()
        return stopped

    assert asyncio.run(scenario()) == ["last", "bad", "first"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command(number: signal.Signals) -> None:
    seen: list[str] = []

    async def serve(life: Lifecycle) -> None:
        life.ready()
        os.kill(os.getpid(), number)
        await life.stopped()
        seen.append("stopped")

    run("test", serve)
    assert seen == ["stopped"]


def test_a_hang_up_reloads() -> None:
    async def serve(life: Lifecycle) -> None:
        async def reload() -> None:
            life.stop()

        life.on_reload("rules", reload)
        os.kill(os.getpid(), signal.SIGHUP)
        await life.stopped()

    asyncio.run(supervise("test", serve))


def test_a_start_that_fails_is_told_to_the_caller_and_torn_down() -> None:
    closed: list[str] = []

    async def serve(life: Lifecycle) -> None:
        async def close() -> None:
            closed.append("store")

        life.on_stop("store", close)
        raise StartError("port 1 is taken", "choose another")

    with pytest.raises(StartError, match="port 1 is taken; choose another"):
        asyncio.run(supervise("test", serve))
    assert closed == ["store"]


def test_a_refused_reload_by_signal_leaves_the_command_running() -> None:
    async def serve(life: Lifecycle) -> None:
        refused = asyncio.Event()

        async def reload() -> None:
            refused.set()
            raise StartError("bad rules")

        life.on_reload("rules", reload)
        os.kill(os.getpid(), signal.SIGHUP)
        await refused.wait()
        assert not life.stopping
        life.stop()

    asyncio.run(supervise("test", serve))
