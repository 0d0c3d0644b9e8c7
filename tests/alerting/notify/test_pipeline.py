"""The pipeline: a list that can be read aloud, ends with reasons, and fans out."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from alerting.notify.dedup import LogEntry, Reason
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.pipeline import REFUSED_RETRY, Fanout, Pipeline
from alerting.notify.ports import Slot
from alerting.notify.stage import Ended
from alerting.notify.telling import Telling
from alerting.routing.grouping import Flush
from alerting.routing.tree import RouteConfig, build_tree
from alerting.testing import FakeReceiver, MemoryNotifications
from fenghuo.errors import StorageError
from fenghuo.testing import ManualClock, settle
from tests.alerting.notify.builders import START, firing, flush, integration, resolved


class Step:
    """A stage from a function."""

    def __init__(self, name: str, work: Callable[[Flush], Awaitable[Flush | Ended]]) -> None:
        self.name = name
        self._work = work

    async def __call__(self, flush: Flush) -> Flush | Ended:
        return await self._work(flush)


def telling(*receivers: FakeReceiver, store: MemoryNotifications | None = None, send_resolved: bool = True) -> Telling:
    """Two or more integrations under one receiver `team`."""
    integrations = [integration(one, index=index, send_resolved=send_resolved) for index, one in enumerate(receivers)]
    return Telling(
        build_tree(RouteConfig(receiver="team")),
        {"team": integrations},
        store or MemoryNotifications(),
        NotifyMetrics(CollectorRegistry(), ("fake",)),
        ManualClock(START),
    )


async def told(part: Telling, *flushes: Flush) -> list[Reason]:
    ends = []
    for one in flushes:
        end = await part.pipeline(one)
        assert isinstance(end, Ended)
        ends.append(end.reason)
        await settle()
    return ends


def test_the_pipeline_can_be_read_aloud() -> None:
    assert telling(FakeReceiver(), FakeReceiver()).pipeline.name == "fanout(team: dedup → outbox; team: dedup → outbox)"


def test_a_group_is_told_once_and_its_end_once() -> None:
    receiver = FakeReceiver()
    reasons = asyncio.run(
        told(telling(receiver), flush(firing("A")), flush(firing("A")), flush(resolved("A")), flush(resolved("A")))
    )
    assert reasons == [Reason.FIRST, Reason.NOTHING_NEW, Reason.ALL_RESOLVED, Reason.ALREADY_RESOLVED]
    assert [sent.status for sent in receiver.sent] == ["firing", "resolved"]
    assert [sent.reason for sent in receiver.sent] == ["first_notification", "all_alerts_resolved"]


def test_an_end_without_a_beginning_is_not_told() -> None:
    receiver = FakeReceiver()
    assert asyncio.run(told(telling(receiver), flush(resolved("A")))) == [Reason.NOTHING_FIRES]
    assert receiver.sent == []


def test_every_integration_of_a_receiver_is_told() -> None:
    first, second = FakeReceiver(), FakeReceiver()
    asyncio.run(told(telling(first, second), flush(firing("A"))))
    assert (len(first.sent), len(second.sent)) == (1, 1)


def test_a_receiver_that_nobody_built_ends_the_flush() -> None:
    reasons = asyncio.run(told(telling(FakeReceiver()), flush(firing("A"), receiver="nobody")))
    assert reasons == [Reason.NO_RECEIVER]


def test_a_refused_message_is_tried_again_after_a_while_if_it_still_fires() -> None:
    async def main() -> list[Reason]:
        store = MemoryNotifications()
        part = telling(FakeReceiver(), store=store)
        alert = firing("A")
        slot = Slot('{}:{alertname="A"}', "team/fake/0")
        refused = LogEntry(frozenset({alert.fingerprint}), frozenset(), START, START + 7200, refused=True)
        await store.settle(slot, refused, 0)
        return await told(part, flush(alert, at=START + REFUSED_RETRY), flush(alert, at=START + REFUSED_RETRY + 1))

    assert asyncio.run(main()) == [Reason.NOTHING_NEW, Reason.REPEAT]


def test_a_stage_that_leaves_no_alerts_ends_the_flush() -> None:
    async def nothing_left(flush: Flush) -> Flush:
        return Flush(flush.group_key, {}, "team", 1.0, 1.0, flush.now, ())

    async def never(flush: Flush) -> Flush:
        raise AssertionError("a flush without alerts went on")

    pipeline = Pipeline([Step("mute", nothing_left), Step("never", never)])
    assert pipeline.name == "mute → never"
    assert asyncio.run(pipeline(flush(firing("A")))) == Ended(Reason.NO_ALERTS_LEFT)


def test_a_branch_that_fails_fails_the_flush_and_not_its_neighbour() -> None:
    reached = []

    async def broken(flush: Flush) -> Ended:
        raise StorageError("the disk is full")

    async def fine(flush: Flush) -> Ended:
        reached.append(flush.receiver)
        return Ended(Reason.FIRST, stored=True)

    branches = {"team": [Pipeline([Step("broken", broken)]), Pipeline([Step("fine", fine)])]}
    fanout = Fanout(branches, NotifyMetrics(CollectorRegistry(), ()))
    with pytest.raises(StorageError):
        asyncio.run(fanout(flush(firing("A"))))
    assert reached == ["team"]
