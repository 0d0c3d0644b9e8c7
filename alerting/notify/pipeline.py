"""The pipeline: the stages in order, written once, a list that can be printed and read aloud.

    fanout(console: dedup → outbox; team: dedup → outbox)

Stages that mute come before `fanout`; what the outbox holds is carried on by the couriers.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alerting.notify.dedup import Reason, needs_update
from alerting.notify.message import notification_of
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outbox import Outbox
from alerting.notify.ports import Integration, Slot
from alerting.notify.stage import Ended, Stage
from alerting.routing.grouping import Flush

REFUSED_RETRY = 900.0
"""Seconds after which a message that was refused is tried again while its alerts still fire."""


class Pipeline:
    """Runs a flush through stages until one ends it."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = tuple(stages)

    @property
    def name(self) -> str:
        return " → ".join(stage.name for stage in self._stages)

    async def __call__(self, flush: Flush) -> Flush | Ended:
        for stage in self._stages:
            if not flush.alerts:
                return Ended(Reason.NO_ALERTS_LEFT)
            result = await stage(flush)
            if isinstance(result, Ended):
                return result
            flush = result
        return flush


class Dedup:
    """Lets a flush pass when the integration has not been told of it, see `notify/dedup.py`."""

    name = "dedup"

    def __init__(self, integration: Integration, outbox: Outbox) -> None:
        self._integration = integration
        self._outbox = outbox

    async def __call__(self, flush: Flush) -> Flush | Ended:
        entry = self._outbox.last_told(Slot(flush.group_key, self._integration.key), flush.now)
        repeat = flush.repeat_interval
        if entry is not None and entry.refused:
            repeat = min(repeat, REFUSED_RETRY)
        decision = needs_update(entry, flush.firing, flush.resolved, repeat, self._integration.send_resolved, flush.now)
        return replace(flush, reason=decision.reason) if decision.send else Ended(decision.reason)


class Store:
    """Puts the message into the outbox; from here on it will be told, whatever happens."""

    name = "outbox"

    def __init__(self, integration: Integration, outbox: Outbox) -> None:
        self._integration = integration
        self._outbox = outbox

    async def __call__(self, flush: Flush) -> Ended:
        await self._outbox.post(self._integration, notification_of(flush))
        return Ended(Reason(flush.reason), stored=True)


class Fanout:
    """Sends a flush down the branch of each integration of its receiver, all at once.

    A branch that fails does not stop the others; the flush then fails as a whole, and those that succeeded
    find at the next tick that they have nothing to do.
    """

    def __init__(self, branches: Mapping[str, Sequence[Pipeline]], metrics: NotifyMetrics) -> None:
        self._branches = branches
        self._metrics = metrics

    @property
    def name(self) -> str:
        told = (f"{receiver}: {branch.name}" for receiver, all_of in self._branches.items() for branch in all_of)
        return f"fanout({'; '.join(told)})"

    async def __call__(self, flush: Flush) -> Ended:
        branches = self._branches.get(flush.receiver, ())
        results = await asyncio.gather(*(branch(flush) for branch in branches), return_exceptions=True)
        ends = [result for result in results if isinstance(result, Ended)]
        for end in ends:
            self._metrics.decided(end.reason)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return max(ends, key=lambda end: end.stored, default=Ended(Reason.NO_RECEIVER))
