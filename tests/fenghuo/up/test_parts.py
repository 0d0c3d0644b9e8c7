"""A part is started, watched, started again after a growing pause, and stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from fenghuo.backoff import Backoff
from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.testing import FakeCaller, ManualClock, answer
from fenghuo.up.parts import TRANSITIONS, Child, Event, Outside, State, watched_task
from fenghuo.up.plan import PartSpec
from fenghuo.up.testing import Changes, FakeSpawner

SPEC = PartSpec("logs", "log pipeline", "http://127.0.0.1:9600", ("python", "-m", "log_pipeline"))


@dataclass
class Scene:
    """A child with everything around it, and its server's answer, which a test exchanges."""

    clock: ManualClock
    spawner: FakeSpawner
    changes: Changes
    child: Child
    replies: list[Answer | None]

    def state(self) -> State:
        return self.child.state


def play(script: Callable[[Scene], Awaitable[None]], spawner: FakeSpawner | None = None) -> Scene:
    """Run the child beside the script, and end it afterwards."""

    async def scenario() -> Scene:
        replies: list[Answer | None] = [answer(200)]

        def respond(request: Request) -> Answer:
            reply = replies[0]
            if reply is None:
                raise RemoteRefused(request.url, "refused")
            return reply

        clock, changes = ManualClock(), Changes()
        processes = spawner or FakeSpawner()
        backoff = Backoff(first=1.0, limit=30.0, jitter=0.0)
        child = Child(SPEC, clock, FakeCaller(respond), changes, processes, backoff)
        scene = Scene(clock, processes, changes, child, replies)
        running = asyncio.ensure_future(child.run())
        await clock.advance(0.2)
        await script(scene)
        child.end()
        await asyncio.wait_for(running, 5)
        return scene

    return asyncio.run(scenario())


def test_every_state_can_end_and_every_event_leads_somewhere() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.STOPPED} == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert set(TRANSITIONS.values()) == set(State)


def test_a_child_becomes_ready_and_ends_when_told() -> None:
    async def script(scene: Scene) -> None:
        assert scene.state() is State.READY
        assert scene.child.pid == 1000

    scene = play(script)
    assert scene.changes.texts() == ["log pipeline starting", "log pipeline is ready", "log pipeline stopped"]
    assert scene.spawner.started[0].signals == ["SIGTERM"]


def test_a_child_that_dies_is_started_again_and_it_is_told() -> None:
    async def script(scene: Scene) -> None:
        scene.spawner.started[0].exit(-9)
        await scene.clock.advance(0.5)
        assert scene.state() is State.WAITING
        await scene.clock.advance(0.7)
        assert (scene.state(), scene.child.pid, scene.child.restarts) == (State.READY, 1001, 1)
        assert scene.child.last_error == "ended by SIGKILL"

    scene = play(script)
    assert "log pipeline ended by SIGKILL; starting it again in 1.0 s" in scene.changes.texts()


def test_pauses_grow_while_it_keeps_dying_and_it_counts_as_failing() -> None:
    async def script(scene: Scene) -> None:
        scene.replies[0] = None
        scene.spawner.started[0].exit(1)
        for pause, failing in ((1.0, False), (2.0, False), (4.0, True), (8.0, True)):
            await scene.clock.advance(pause - 0.01)
            count = len(scene.spawner.started)
            await scene.clock.advance(0.02)
            assert len(scene.spawner.started) == count + 1
            assert scene.child.is_failing is failing
            scene.spawner.started[-1].exit(1)
            await scene.clock.advance(0)

    play(script)


def test_a_long_good_life_forgets_earlier_deaths() -> None:
    async def script(scene: Scene) -> None:
        for _ in range(3):
            scene.spawner.started[-1].exit(1)
            await scene.clock.advance(5)
        await scene.clock.advance(40)
        scene.spawner.started[-1].exit(1)
        await scene.clock.advance(0)

    assert play(script).changes.texts()[-2:] == [
        "log pipeline exited with code 1; starting it again in 1.0 s",
        "log pipeline stopped",
    ]


def test_a_mute_child_is_shown_and_left_alone() -> None:
    async def script(scene: Scene) -> None:
        scene.replies[0] = answer(503, "log pipeline is not ready: the disk is full\n")
        await scene.clock.advance(2.1)
        assert scene.state() is State.SILENT
        assert scene.child.last_error == "log pipeline is not ready: the disk is full"
        scene.replies[0] = answer(200)
        await scene.clock.advance(0.2)
        assert scene.state() is State.READY
        assert len(scene.spawner.started) == 1

    play(script)


def test_the_end_does_not_wait_for_the_pause_before_the_next_start() -> None:
    async def script(scene: Scene) -> None:
        scene.spawner.started[0].exit(1)
        await scene.clock.advance(0.1)

    assert len(play(script).spawner.started) == 1


def test_a_machine_that_refuses_processes_is_an_error_of_the_part() -> None:
    async def script(scene: Scene) -> None:
        assert scene.child.last_error == "can't start logs: out of processes; end some"
        await scene.clock.advance(10)
        assert scene.child.is_failing

    assert play(script, FakeSpawner(refuses=True)).child.state is State.STOPPED


def test_a_server_of_the_users_is_only_watched() -> None:
    async def scenario() -> list[str]:
        clock, changes, caller = ManualClock(), Changes(), FakeCaller(lambda _: answer(200))
        part = Outside(PartSpec("prometheus", "Prometheus", "http://metrics.example"), clock, caller, changes)
        running = asyncio.ensure_future(part.run())
        await clock.advance(0.2)
        part.end()
        await running
        assert caller.requests[0].url == "http://metrics.example/-/ready"
        return changes.texts()

    assert asyncio.run(scenario()) == ["Prometheus starting", "Prometheus is ready", "Prometheus stopped"]


@pytest.mark.parametrize("state", [State.STOPPED])
def test_what_no_table_lists_is_a_bug(state: State) -> None:
    part = Outside(SPEC, ManualClock(), FakeCaller(), Changes())
    part.state = state
    with pytest.raises(KeyError):
        part.move(Event.ANSWERED)


def test_a_bug_in_a_task_is_a_line_in_the_log() -> None:
    async def broken() -> None:
        raise KeyError("surprise")

    async def scenario() -> None:
        await asyncio.wait({watched_task(broken())})
        await asyncio.sleep(0)

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [(line["log_level"], line["error"]) for line in lines] == [("error", "KeyError('surprise')")]
