"""One part of the stack: a child that is kept running, or a server of the user's that is only watched.

Its life is a table; an unlisted pair is a bug and raises. A part tells every change to one listener and
never looks at the others.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fenghuo.backoff import Backoff
from fenghuo.clock import Clock
from fenghuo.errors import RemoteError, StartError
from fenghuo.httpcall import HttpCaller, Request
from fenghuo.logs import get_logger
from fenghuo.up.plan import PartSpec
from fenghuo.up.process import Process, Spawner, describe_exit

PROBE_WHILE_STARTING = 0.1
PROBE_WHILE_RUNNING = 2.0
SETTLED_AFTER = 30.0
"""Seconds of readiness after which the next failure counts as the first again."""
FAILING_AFTER = 3
"""Fruitless starts in a row after which a part is shown as failing; it is tried on, ever more slowly."""


class State(StrEnum):
    """How a part is."""

    WAITING = "waiting"  # not started yet, or between two starts
    STARTING = "starting"
    READY = "ready"
    SILENT = "silent"  # was ready, and does not answer now
    STOPPED = "stopped"


class Event(StrEnum):
    """What can happen to a part."""

    STARTED = "started"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    EXITED = "exited"
    STOPPED = "stopped"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.WAITING, Event.STARTED): State.STARTING,
    (State.WAITING, Event.EXITED): State.WAITING,  # the machine refused the process
    (State.STARTING, Event.ANSWERED): State.READY,
    (State.STARTING, Event.UNANSWERED): State.STARTING,
    (State.STARTING, Event.EXITED): State.WAITING,
    (State.READY, Event.ANSWERED): State.READY,
    (State.READY, Event.UNANSWERED): State.SILENT,
    (State.READY, Event.EXITED): State.WAITING,
    (State.SILENT, Event.ANSWERED): State.READY,
    (State.SILENT, Event.UNANSWERED): State.SILENT,
    (State.SILENT, Event.EXITED): State.WAITING,
    **{(state, Event.STOPPED): State.STOPPED for state in State},
}


@dataclass(frozen=True, slots=True)
class Change:
    """Something worth telling: `text` is a sentence about the part `name`."""

    name: str
    title: str
    state: State
    text: str
    trouble: bool = False


Listener = Callable[[Change], None]


def watched_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task of its own whose unexpected end is a line in the log rather than silence."""

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            get_logger("up").error("a task ended by a bug, please report it", error=repr(error))

    task = asyncio.ensure_future(work)
    task.add_done_callback(look)
    return task


class Part:
    """What a child and a watched server have in common: a state, and the question whether it is ready."""

    def __init__(self, spec: PartSpec, clock: Clock, caller: HttpCaller, listener: Listener) -> None:
        self.spec = spec
        self.state = State.WAITING
        self.pid: int | None = None
        self.restarts = 0
        self.fruitless = 0
        self.ready_since: float | None = None
        self.last_error = ""
        self._clock = clock
        self._caller = caller
        self._listener = listener
        self._end = asyncio.Event()

    @property
    def is_failing(self) -> bool:
        """Whether it can't start at all, as far as one can tell."""
        return self.fruitless >= FAILING_AFTER

    async def run(self) -> None:
        """Live until `end` is called."""
        raise NotImplementedError

    def end(self) -> None:
        """Ask it to end in order; `run` returns once it has."""
        self._end.set()

    def kill(self) -> None:
        """End it now; `run` returns soon."""
        self._end.set()

    def last_lines(self, count: int) -> list[str]:
        """The end of what it printed; a watched server prints nothing to us."""
        return []

    def move(self, event: Event, text: str = "", trouble: bool = False) -> None:
        """Go to the next state and tell the listener when it is another, or when there is something to say."""
        before, self.state = self.state, TRANSITIONS[self.state, event]
        if self.state != before:
            self.ready_since = self._clock.monotonic() if self.state is State.READY else None
        if self.state != before or text:
            self._listener(Change(self.spec.name, self.spec.title, self.state, text or str(self.state), trouble))

    async def watch(self) -> None:
        """Ask for readiness for ever: often until it is ready, then now and then."""
        while True:
            reason = await self._unready_reason()
            if reason:
                self._unanswered(reason)
            else:
                self.fruitless = 0
                self.move(Event.ANSWERED, "is ready" if self.state is not State.READY else "")
            await self._clock.sleep(PROBE_WHILE_RUNNING if self.state is State.READY else PROBE_WHILE_STARTING)

    def _unanswered(self, reason: str) -> None:
        if self._end.is_set():
            return  # it is on its way out, and may be mute
        if self.state is State.READY:
            self.last_error = reason
            self.move(Event.UNANSWERED, f"does not answer: {reason}", trouble=True)
        else:
            self.move(Event.UNANSWERED)

    async def _unready_reason(self) -> str:
        """Why it is not ready; empty when it is."""
        try:
            answer = await self._caller.call(Request("GET", self.spec.url + self.spec.ready_path, timeout=3.0))
        except RemoteError as error:
            return error.reason
        return "" if answer.status == 200 else answer.text().strip()[:200] or f"answered {answer.status}"


class Outside(Part):
    """A server that somebody else runs: watched, never started or stopped."""

    async def run(self) -> None:
        self.move(Event.STARTED)
        watching = watched_task(self.watch())
        await self._end.wait()
        watching.cancel()
        self.move(Event.STOPPED)


class Child(Part):
    """A process of ours: started, watched, started again after a growing pause when it dies."""

    def __init__(
        self, spec: PartSpec, clock: Clock, caller: HttpCaller, listener: Listener, spawner: Spawner, backoff: Backoff
    ) -> None:
        super().__init__(spec, clock, caller, listener)
        self._spawner = spawner
        self._backoff = backoff
        self._process: Process | None = None

    async def run(self) -> None:
        attempt = 0
        while not self._end.is_set():
            began = self._clock.monotonic()
            how = await self._live_once()
            if self._end.is_set():
                break
            settled = self.ready_since is not None and self._clock.monotonic() - began >= SETTLED_AFTER
            attempt = 0 if settled else attempt
            pause = self._backoff.delay(attempt)
            attempt += 1
            self.restarts += 1
            self.fruitless += 1
            self.last_error = how
            self.move(Event.EXITED, f"{how}; starting it again in {pause:.1f} s", trouble=True)
            await self._pause(pause)
        self.move(Event.STOPPED)

    async def _live_once(self) -> str:
        """Start it and wait for its end; returns how it ended."""
        try:
            self._process = await self._spawner.spawn(self.spec.name, self.spec.command)
        except StartError as error:
            return str(error)
        if self._end.is_set():  # the end was asked for while it was being started
            self._process.terminate()
        self.pid = self._process.pid
        self.move(Event.STARTED)
        watching = watched_task(self.watch())
        try:
            return describe_exit(await self._process.wait())
        finally:
            watching.cancel()
            self.pid = None

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        waits = {asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._end.wait())}
        _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()

    def end(self) -> None:
        super().end()
        if self._process is not None and self.pid is not None:
            self._process.terminate()

    def kill(self) -> None:
        super().kill()
        if self._process is not None and self.pid is not None:
            self._process.kill()

    def last_lines(self, count: int) -> list[str]:
        return self._spawner.last_lines(self.spec.name, count)
