"""The outbox: what is stored, what takes its place, what is not sent at all."""

import asyncio
from collections import deque

from prometheus_client import CollectorRegistry

from alerting.notify.courier import Couriers
from alerting.notify.message import Notification
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outbox import Outbox, supersede
from alerting.notify.outcome import FailReason, Outcome, TryAgain
from alerting.notify.ports import Integration, Slot
from alerting.testing import FakeReceiver, MemoryNotifications
from fenghuo.testing import ManualClock, settle
from tests.alerting.notify.builders import START, firing, integration, notification, resolved


class Office:
    """An outbox over a memory store, with one integration and its courier."""

    def __init__(self, receiver: FakeReceiver, send_resolved: bool = True) -> None:
        self.store = MemoryNotifications()
        self.clock = ManualClock(START)
        self.integration: Integration = integration(receiver, send_resolved=send_resolved)
        metrics = NotifyMetrics(CollectorRegistry(), ("fake",))
        self.couriers = Couriers(self.store, {self.integration.key: self.integration}, metrics, self.clock)
        self.outbox = Outbox(self.store, self.couriers, metrics)
        self.slot = Slot('{}:{alertname="A"}', self.integration.key)


def test_a_new_message_tells_what_the_one_it_replaces_would_have_told() -> None:
    old = notification(firing("A"), resolved("Gone"))
    new = notification(resolved("A"), firing("B"))
    told = supersede(old, new)
    assert [alert.name for alert in told.firing] == ["B"]
    assert [alert.name for alert in told.resolved] == ["A", "Gone"]


def test_a_message_that_covers_the_old_one_is_left_as_it_is() -> None:
    new = notification(firing("A"), firing("B"))
    assert supersede(notification(firing("A")), new) is new


def test_while_a_receiver_is_down_only_the_newest_state_waits_for_it() -> None:
    async def main() -> list[list[str]]:
        receiver = FakeReceiver(deque([TryAgain(FailReason.OTHER, "down"), TryAgain(FailReason.OTHER, "down")]))
        office = Office(receiver)
        await office.outbox.post(office.integration, notification(firing("A")))
        await settle()
        await office.outbox.post(office.integration, notification(resolved("A"), firing("B")))
        await office.clock.advance(10)
        assert office.store.all_pending() == []
        return [[alert.name for alert in sent.alerts] for sent in receiver.sent]

    assert asyncio.run(main()) == [["A"], ["A", "B"], ["A", "B"]]


def test_a_stored_message_counts_as_told() -> None:
    async def main() -> None:
        office = Office(FakeReceiver(deque([TryAgain(FailReason.OTHER, "down", after=60)])))
        alert = firing("A")
        await office.outbox.post(office.integration, notification(alert))
        await settle()
        last = office.outbox.last_told(office.slot, START)
        assert last is not None
        assert last.firing == {alert.fingerprint}
        await office.couriers.close()

    asyncio.run(main())


def test_an_entry_of_the_log_that_has_expired_is_as_good_as_none() -> None:
    async def main() -> None:
        office = Office(FakeReceiver())
        await office.outbox.post(office.integration, notification(firing("A")))
        await settle()
        assert office.outbox.last_told(office.slot, START + 7199) is not None
        assert office.outbox.last_told(office.slot, START + 7201) is None

    asyncio.run(main())


def test_a_receiver_without_resolved_messages_gets_none_and_the_log_forgets_what_fired() -> None:
    async def main() -> None:
        receiver = FakeReceiver()
        office = Office(receiver, send_resolved=False)
        await office.outbox.post(office.integration, notification(firing("A"), resolved("B")))
        await settle()
        await office.outbox.post(office.integration, notification(resolved("A")))
        await settle()
        assert [[alert.name for alert in sent.alerts] for sent in receiver.sent] == [["A"]]
        entry = office.store.entry(office.slot)
        assert entry is not None
        assert entry.firing == frozenset()
        assert entry.resolved == {resolved("A").fingerprint}

    asyncio.run(main())


def test_a_firing_message_that_arrives_after_its_alert_ended_does_not_hide_the_next_one() -> None:
    async def main() -> None:
        opened = asyncio.Event()

        class Slow(FakeReceiver):
            async def send(self, notification: Notification, serial: int) -> Outcome:
                await opened.wait()
                return await super().send(notification, serial)

        receiver = Slow()
        office = Office(receiver, send_resolved=False)
        await office.outbox.post(office.integration, notification(firing("A")))
        await settle()
        await office.outbox.post(office.integration, notification(resolved("A")))
        opened.set()
        await settle()
        last = office.outbox.last_told(office.slot, START + 60)
        assert last is not None
        assert last.firing == frozenset()
        assert len(receiver.sent) == 1

    asyncio.run(main())


def test_a_message_without_a_courier_gets_one_at_the_next_look() -> None:
    async def main() -> None:
        receiver = FakeReceiver()
        office = Office(receiver)
        await office.store.put(office.slot, notification(firing("A")))
        office.outbox.last_told(office.slot, START)
        await settle()
        assert len(receiver.sent) == 1

    asyncio.run(main())


def test_what_waits_for_a_dead_receiver_does_not_grow_without_end() -> None:
    waiting = notification(*(resolved(f"R{number}") for number in range(5000)))
    told = supersede(waiting, notification(firing("A")))
    assert len(told.alerts) == 1001
    assert told.alerts[1].name == "R0"
