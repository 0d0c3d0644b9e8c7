"""The couriers: retries, refusals, records, and an end that repeats nothing."""

import asyncio
import itertools
from collections import deque

from prometheus_client import CollectorRegistry

from alerting.notify.courier import Couriers
from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outcome import Delivered, FailReason, Outcome, Refused, TryAgain
from alerting.notify.ports import Failure, Receiver, Slot
from alerting.testing import FakeReceiver, MemoryNotifications
from fenghuo.errors import StorageError
from fenghuo.testing import ManualClock, settle
from tests.alerting.notify.builders import START, firing, integration, notification


class Street:
    """Couriers over a memory store and one receiver named `team`."""

    def __init__(self, receiver: Receiver, store: MemoryNotifications | None = None) -> None:
        self.clock = ManualClock(START)
        self.store = store or MemoryNotifications()
        self.registry = CollectorRegistry()
        one = integration(receiver)
        metrics = NotifyMetrics(self.registry, ("fake",))
        self.couriers = Couriers(self.store, {one.key: one}, metrics, self.clock)
        self.slot = Slot('{}:{alertname="A"}', one.key)

    async def post(self, message: Notification) -> None:
        await self.store.put(self.slot, message)
        self.couriers.carry(self.slot)
        await settle()

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"integration": "fake", **labels})


def test_an_answer_is_recorded_and_the_outbox_is_empty() -> None:
    async def main() -> None:
        street = Street(FakeReceiver())
        alert = firing("A")
        await street.post(notification(alert))
        expected = LogEntry(frozenset({alert.fingerprint}), frozenset(), at=START, expires_at=START + 7200)
        assert street.store.entry(street.slot) == expected
        assert street.store.all_pending() == []
        assert street.sample("alertmanager_notification_requests_total") == 1

    asyncio.run(main())


def test_a_failing_receiver_is_tried_again_later_and_later() -> None:
    async def main() -> list[float]:
        times: list[float] = []

        class Down:
            async def send(self, notification: Notification, serial: int) -> Outcome:
                times.append(street.clock.monotonic())
                return TryAgain(FailReason.SERVER_ERROR, "503")

        street = Street(Down())
        await street.post(notification(firing("A")))
        await street.clock.advance(200)
        await street.couriers.close()
        return times

    times = asyncio.run(main())
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert 0.25 <= pauses[0] <= 0.5
    assert all(pause <= 60 for pause in pauses)
    assert all(pause >= 30 for pause in pauses[8:])


def test_a_receiver_that_asks_for_patience_gets_it() -> None:
    async def main() -> None:
        receiver = FakeReceiver(deque([TryAgain(FailReason.CLIENT_ERROR, "429", after=30)]))
        street = Street(receiver)
        await street.post(notification(firing("A")))
        await street.clock.advance(29.9)
        assert len(receiver.sent) == 1
        await street.clock.advance(0.2)
        assert len(receiver.sent) == 2

    asyncio.run(main())


def test_a_refusal_ends_the_message_and_is_kept_and_counted_with_its_reason() -> None:
    async def main() -> None:
        receiver = FakeReceiver(deque([Refused(FailReason.CLIENT_ERROR, "answered 400: bad")]))
        street = Street(receiver)
        await street.post(notification(firing("A")))
        await street.clock.advance(3600)
        assert len(receiver.sent) == 1
        assert street.store.failures == [Failure(1, street.slot, START, "clientError", "answered 400: bad")]
        entry = street.store.entry(street.slot)
        assert entry is not None
        assert entry.refused
        assert street.sample("alertmanager_notifications_failed_total", reason="clientError") == 1

    asyncio.run(main())


def test_a_message_counts_as_failed_once_for_each_time_out() -> None:
    async def main() -> None:
        receiver = FakeReceiver(deque([TryAgain(FailReason.TIMEOUT, "late")] * 100))
        street = Street(receiver)
        await street.post(notification(firing("A")))
        await street.clock.advance(250)
        failed = "alertmanager_notifications_failed_total"
        assert street.sample(failed, reason="contextDeadlineExceeded") == 0
        await street.clock.advance(450)
        assert street.sample(failed, reason="contextDeadlineExceeded") == 2
        await street.couriers.close()

    asyncio.run(main())


def test_a_receiver_with_a_bug_loses_no_message() -> None:
    async def main() -> None:
        receiver = FakeReceiver(deque([KeyError("surprise")]))
        street = Street(receiver)
        await street.post(notification(firing("A")))
        await street.clock.advance(1)
        assert len(receiver.sent) == 2
        assert street.store.all_pending() == []

    asyncio.run(main())


def test_a_message_to_a_receiver_that_is_gone_is_kept_as_refused() -> None:
    async def main() -> None:
        street = Street(FakeReceiver())
        slot = Slot("{}:{}", "old-team/fake/0")
        await street.store.put(slot, notification(firing("A")))
        street.couriers.start()
        await settle()
        assert [failure.slot for failure in street.store.failures] == [slot]
        assert street.store.all_pending() == []

    asyncio.run(main())


class FlakyStore(MemoryNotifications):
    """Fails to record the first two answers."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = 2

    async def settle(self, slot: Slot, entry: LogEntry, serial: int, failure: Failure | None = None) -> None:
        if self.broken:
            self.broken -= 1
            raise StorageError("the disk is full")
        await super().settle(slot, entry, serial, failure)


def test_an_answer_that_can_not_be_recorded_is_not_asked_for_again() -> None:
    async def main() -> None:
        receiver = FakeReceiver()
        street = Street(receiver, FlakyStore())
        await street.post(notification(firing("A")))
        await street.clock.advance(10)
        assert len(receiver.sent) == 1
        assert street.store.entry(street.slot) is not None

    asyncio.run(main())


def test_who_is_at_the_door_when_the_end_comes_still_records_the_answer() -> None:
    async def main() -> None:
        opened = asyncio.Event()

        class Slow:
            async def send(self, notification: Notification, serial: int) -> Outcome:
                await opened.wait()
                return Delivered()

        street = Street(Slow())
        await street.post(notification(firing("A")))
        closing = asyncio.ensure_future(street.couriers.close())
        await settle()
        opened.set()
        await closing
        assert street.store.entry(street.slot) is not None
        assert street.store.all_pending() == []

    asyncio.run(main())


def test_who_waits_for_the_next_try_is_sent_home_at_once_and_the_message_stays() -> None:
    async def main() -> None:
        street = Street(FakeReceiver(deque([TryAgain(FailReason.OTHER, "down", after=600)])))
        await street.post(notification(firing("A")))
        await street.couriers.close()
        assert [pending.slot for pending in street.store.all_pending()] == [street.slot]

    asyncio.run(main())


def test_one_receivers_messages_are_not_all_sent_at_once() -> None:
    async def main() -> int:
        gate, inside, most = asyncio.Event(), 0, 0

        class Counting:
            async def send(self, notification: Notification, serial: int) -> Outcome:
                nonlocal inside, most
                inside += 1
                most = max(most, inside)
                await gate.wait()
                inside -= 1
                return Delivered()

        street = Street(Counting())
        for number in range(50):
            slot = Slot(str(number), street.slot.integration)
            await street.store.put(slot, notification(firing("A")))
            street.couriers.carry(slot)
        await settle()
        gate.set()
        await settle(200)
        assert street.store.all_pending() == []
        return most

    assert asyncio.run(main()) == 20
