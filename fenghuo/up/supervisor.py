"""All parts together: started in order, waited for, stopped in the reverse order within a budget."""

import asyncio
from collections.abc import Sequence

from fenghuo.clock import Clock
from fenghuo.up.parts import Part, State, watched_task

STOP_BUDGET = 3.5
"""Seconds from the first SIGTERM to the last SIGKILL; with the page's own end it stays within 5 s."""
STOP_SHARE = 0.4
"""The share of the budget for which one part may hold up the next."""


class Supervisor:
    """Runs every part in a task of its own; a part's fate is its own."""

    def __init__(self, parts: Sequence[Part], clock: Clock, stop_budget: float = STOP_BUDGET) -> None:
        self.parts = tuple(parts)
        self._clock = clock
        self._stop_budget = stop_budget
        self._tasks: dict[Part, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin with all; nobody waits for another, since each copes with a neighbour that is not there yet."""
        self._tasks = {part: watched_task(part.run()) for part in self.parts}

    async def settled(self, timeout: float) -> bool:
        """Wait until every part is ready or clearly can't start; whether all are ready."""
        deadline = self._clock.monotonic() + timeout
        while self._clock.monotonic() < deadline:
            if all(part.state is State.READY or part.is_failing for part in self.parts):
                break
            await self._clock.sleep(0.05)
        return self.all_ready

    @property
    def all_ready(self) -> bool:
        return all(part.state is State.READY for part in self.parts)

    async def stop(self) -> None:
        """End the last started first. One that hangs holds the others up for a moment only, then is killed."""
        deadline = self._clock.monotonic() + self._stop_budget
        for part in reversed(self.parts):
            part.end()
            await self._wait({part}, min(STOP_SHARE * self._stop_budget, deadline - self._clock.monotonic()))
        left = {part for part in self.parts if part in self._tasks and not self._tasks[part].done()}
        await self._wait(left, deadline - self._clock.monotonic())
        for part in left:
            part.kill()
        await self._wait(left, 1.0)

    async def _wait(self, parts: set[Part], timeout: float) -> None:
        tasks = {self._tasks[part] for part in parts if part in self._tasks}
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, timeout))
