"""Whatever source, sink and dead letters do, each event ends once, in order of safety, and the sums agree."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from fenghuo.errors import RemoteRefused, StartError, StorageError
from fenghuo.lifecycle import Lifecycle
from fenghuo.testing import ManualClock, settle
from log_pipeline.audit.ledger import Account
from log_pipeline.flow.pipeline import Pipeline
from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.outcome import Answer, Dropped, Rejected, Retry
from log_pipeline.model.position import Partition, Position
from log_pipeline.stages.stage import Stage
from log_pipeline.testing import PARTITION, FakeDeadLetters, FakeLog, FakeSink, FakeSource, new_event

OTHER = Partition("fake", "1")


@dataclass
class World:
    """A pipeline over fakes, a clock that is moved by hand, and what can be seen from outside."""

    records: Sequence[Event | Malformed]
    answer: Callable[[Event], Answer | None] | None = None
    stages: dict[str, Stage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.life = Lifecycle("test")
        self.log = FakeLog(self.records)
        self.source = FakeSource(self.log)
        self.sink = FakeSink(self.answer)
        self.letters = FakeDeadLetters()
        self.pipeline = Pipeline(self.source, self.sink, self.letters, self.stages, self.life, self.clock)

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        """Play the scenario beside the running pipeline, then end it in order."""

        async def main() -> None:
            running = asyncio.ensure_future(self.pipeline.run())
            await settle()
            await scenario()
            self.life.stop()
            await self.clock.advance(10.0)
            await running

        asyncio.run(main())

    async def seconds(self, count: float) -> None:
        """Let so many seconds pass, in steps in which all tasks run."""
        for _ in range(round(count * 4)):
            await self.clock.advance(0.25)

    def account(self, partition: Partition = PARTITION) -> Account:
        accounts = self.pipeline.ledger.accounts(self.pipeline.tracker.pending())
        return next(account for account in accounts if account.partition == partition)

    def outcomes(self) -> dict[tuple[str, str], int]:
        return dict(self.account().settled)


def events(count: int, partition: Partition = PARTITION) -> list[Event | Malformed]:
    return [new_event(number, partition=partition) for number in range(count)]


def test_events_are_stored_counted_and_committed() -> None:
    world = World(events(2500))

    async def scenario() -> None:
        await world.seconds(3)
        assert world.log.committed == {PARTITION: 2500}
        assert world.life.is_ready

    world.run(scenario)
    assert len(world.sink.stored) == 2500
    assert world.outcomes() == {("indexed", "created"): 2500}
    assert world.account().difference == 0


def test_a_second_delivery_is_a_duplicate_not_a_second_document() -> None:
    """The shipper sent a line again: another record, the same id."""
    again = new_event(1)
    again.position = Position(PARTITION, 3, 4)
    world = World([*events(3), again])
    world.run(lambda: world.seconds(2))
    assert len(world.sink.stored) == 3
    assert world.outcomes() == {("indexed", "created"): 3, ("duplicate", "same_id"): 1}
    assert world.log.committed == {PARTITION: 4}


def test_nothing_is_committed_before_the_sink_has_answered() -> None:
    world = World(events(10))

    async def scenario() -> None:
        world.sink.gate = asyncio.Event()
        await world.seconds(5)
        assert world.sink.writes == 1
        assert world.log.committed == {}
        assert world.account().pending == 10
        world.sink.gate.set()
        await world.seconds(2)
        assert world.log.committed == {PARTITION: 10}

    world.run(scenario)


def test_a_dead_sink_loses_nothing_and_says_so_until_it_lives_again() -> None:
    alive: list[bool] = []
    world = World(events(5), lambda _: None if alive else Retry("unreachable", "http://es: refused"))

    async def scenario() -> None:
        await world.seconds(300)
        assert world.log.committed == {}
        assert not world.life.is_ready
        assert world.life.not_ready_because == "sink: unreachable: http://es: refused"
        assert world.pipeline.delivery.retries["unreachable"] > 5 * 10
        alive.append(True)
        await world.seconds(60)
        assert world.log.committed == {PARTITION: 5}
        assert world.life.is_ready

    world.run(scenario)
    assert world.outcomes() == {("indexed", "created"): 5}


def test_only_the_events_that_were_refused_for_now_are_tried_again() -> None:
    tries: dict[str, int] = {}

    def busy_at_first(event: Event) -> Answer | None:
        tries[event.id] = tries.get(event.id, 0) + 1
        return Retry("busy") if event.offset == 1 and tries[event.id] < 3 else None

    world = World(events(3), busy_at_first)
    world.run(lambda: world.seconds(10))
    assert sorted(tries.values()) == [1, 1, 3]
    assert world.log.committed == {PARTITION: 3}


def test_a_poison_event_goes_to_the_dead_letters_and_the_rest_goes_on() -> None:
    world = World(events(3), lambda event: Rejected("mapping", "not a number") if event.offset == 1 else None)
    world.run(lambda: world.seconds(3))
    assert [(letter.position.offset, letter.reason, letter.detail) for letter in world.letters.letters] == [
        (1, "mapping", "not a number")
    ]
    assert world.letters.letters[0].raw == b"a line"
    assert world.outcomes() == {("indexed", "created"): 2, ("dead_lettered", "mapping"): 1}
    assert world.log.committed == {PARTITION: 3}


def test_tries_with_a_bound_end_in_the_dead_letters() -> None:
    world = World(events(1), lambda _: Retry("index_closed", "closed", tries=3))
    world.run(lambda: world.seconds(30))
    assert [(letter.reason, letter.attempts) for letter in world.letters.letters] == [("index_closed", 3)]
    assert world.log.committed == {PARTITION: 1}


def test_a_bound_on_tries_counts_only_the_answers_that_have_it() -> None:
    """After a long outage the first `index_closed` is the first try, not the hundredth."""
    answers = iter([Retry("unreachable")] * 20 + [Retry("index_closed", tries=3)] * 2)
    world = World(events(1), lambda _: next(answers, None))
    world.run(lambda: world.seconds(400))
    assert world.letters.letters == []
    assert world.log.committed == {PARTITION: 1}


def test_a_record_that_is_no_event_is_kept_as_it_came() -> None:
    bad = Malformed(Position(PARTITION, 1, 2), b"\xff", "no_json", "broken")
    world = World([new_event(0), bad, new_event(2)])
    world.run(lambda: world.seconds(3))
    assert [(letter.raw, letter.reason) for letter in world.letters.letters] == [(b"\xff", "no_json")]
    assert world.account().difference == 0
    assert world.log.committed == {PARTITION: 3}


def test_dead_letters_that_cannot_be_kept_hold_the_commit() -> None:
    world = World(events(1), lambda _: Rejected("mapping"))

    async def scenario() -> None:
        world.letters.failures.extend([StorageError("the disk is full")] * 4)
        await world.seconds(2)
        assert world.log.committed == {}
        assert world.life.not_ready_because == "dead_letters: the disk is full"
        await world.seconds(30)
        assert world.log.committed == {PARTITION: 1}
        assert world.life.is_ready

    world.run(scenario)
    assert len(world.letters.letters) == 1


class SilentSource(FakeSource):
    """A commit stays without an answer until it is let go."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.answered = asyncio.Event()

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        await self.answered.wait()
        await super().commit(offsets)


def test_a_commit_without_an_answer_shows_while_it_lasts() -> None:
    """A broker that has died leaves the client waiting; whoever looks at the readiness is told."""
    world = World(events(1))
    source = SilentSource(world.log)
    world.pipeline = Pipeline(source, world.sink, world.letters, world.stages, world.life, world.clock)

    async def scenario() -> None:
        await world.seconds(5)
        assert world.life.is_ready
        await world.seconds(10)
        assert world.life.not_ready_because == "commit: no answer for 10 seconds"
        source.answered.set()
        await world.seconds(3)
        assert world.life.is_ready
        assert world.log.committed == {PARTITION: 1}

    world.run(scenario)


def test_a_stage_that_fails_costs_one_event() -> None:
    def fragile(event: Event) -> Dropped | None:
        if event.offset == 1:
            raise KeyError("nothing here")
        return None

    world = World(events(3), stages={"fragile": fragile})
    world.run(lambda: world.seconds(3))
    assert world.outcomes() == {("indexed", "created"): 2, ("dead_lettered", "stage_fragile"): 1}
    assert world.log.committed == {PARTITION: 3}


def test_a_dropped_event_is_counted_under_its_rule_and_needs_no_sink() -> None:
    world = World(events(4), stages={"quiet": lambda event: Dropped("health_checks")})
    world.run(lambda: world.seconds(3))
    assert world.sink.writes == 0
    assert world.outcomes() == {("dropped", "health_checks"): 4}
    assert world.log.committed == {PARTITION: 4}


def test_a_sink_whose_code_fails_is_tried_again() -> None:
    broken = [RuntimeError("bug"), RuntimeError("bug")]

    def fail(_: Event) -> Answer | None:
        if broken:
            raise broken.pop()
        return None

    world = World(events(1), fail)
    world.run(lambda: world.seconds(10))
    assert world.log.committed == {PARTITION: 1}
    assert world.pipeline.delivery.retries == {"sink_failed": 2}


def test_reading_goes_on_while_the_source_is_paused_by_a_slow_sink() -> None:
    """Above the budget the source is paused, below its half resumed."""
    world = World(events(30_000))

    gate = world.sink.gate = asyncio.Event()

    async def scenario() -> None:
        await world.seconds(5)
        assert world.source.paused
        assert world.account().pending < 25_000
        gate.set()
        await world.seconds(20)
        assert not world.source.paused

    world.run(scenario)
    assert world.log.committed == {PARTITION: 30_000}


def test_a_commit_that_fails_is_repeated() -> None:
    world = World(events(2))

    async def scenario() -> None:
        await world.seconds(1.25)
        world.log.records += [new_event(2)]

        async def refuse(offsets: object) -> None:
            raise RemoteRefused("kafka", "no coordinator")

        commit, world.source.commit = world.source.commit, refuse  # type: ignore[method-assign]
        await world.seconds(3)
        assert world.life.not_ready_because == "commit: kafka: no coordinator"
        world.source.commit = commit  # type: ignore[method-assign]
        await world.seconds(3)
        assert world.life.is_ready

    world.run(scenario)
    assert world.log.committed == {PARTITION: 3}


@pytest.mark.parametrize("part", ["source", "sink"])
def test_a_part_that_is_away_at_the_start_is_waited_for(part: str) -> None:
    world = World(events(1))
    failing = world.source if part == "source" else world.sink
    failing.failures.extend([RemoteRefused("http://there", "refused")] * 3)

    async def scenario() -> None:
        assert world.life.not_ready_because == f"{part}: http://there: refused"
        await world.seconds(30)
        assert world.life.is_ready

    world.run(scenario)
    assert world.log.committed == {PARTITION: 1}


def test_what_only_an_operator_can_mend_ends_the_start() -> None:
    world = World(events(1))
    world.sink.failures.append(StartError("the folder can't be written"))
    with pytest.raises(StartError, match="can't be written"):
        asyncio.run(world.pipeline.run())


def test_a_fault_of_our_own_ends_the_process_and_commits_nothing_behind_it() -> None:
    """Something that nobody foresaw: the batch stays uncommitted, and the process says so by its end."""
    world = World(events(1), lambda _: Rejected("mapping"))

    async def broken(letters: object) -> None:
        raise ZeroDivisionError

    world.letters.put = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        world.run(lambda: world.seconds(2))
    assert world.log.committed == {}


def test_it_is_not_ready_before_all_parts_are_open() -> None:
    world = World(events(1))
    seen: list[bool] = []

    async def open_(release: object) -> None:
        seen.append(world.life.is_ready)

    world.source.open = open_  # type: ignore[method-assign]
    world.run(lambda: world.seconds(1))
    assert seen == [False]


def test_a_source_that_fails_for_a_while_is_read_again() -> None:
    world = World(events(3))

    async def scenario() -> None:
        world.source.failures.extend([RemoteRefused("kafka", "all brokers down")] * 2)
        world.log.records += events(6)[3:]
        await settle()
        assert world.life.not_ready_because == "source: kafka: all brokers down"
        await world.seconds(20)
        assert world.life.is_ready

    world.run(scenario)
    assert world.log.committed == {PARTITION: 6}


def test_partitions_that_leave_are_finished_first() -> None:
    world = World([*events(3), *events(2, OTHER)])

    async def scenario() -> None:
        assert world.source.release is not None
        assert await world.source.release([OTHER]) == {OTHER: 2}
        await world.seconds(3)
        assert world.log.committed == {PARTITION: 3}

    world.run(scenario)
    assert world.account(OTHER).settled == {("indexed", "created"): 2}


def test_partitions_that_leave_do_not_wait_for_a_dead_sink() -> None:
    """What is not finished in time is given up uncommitted, and a late answer changes nothing."""
    world = World(events(3))

    async def scenario() -> None:
        world.sink.gate = asyncio.Event()
        assert world.source.release is not None
        leaving = asyncio.ensure_future(world.source.release([PARTITION]))
        await world.seconds(4)
        assert await leaving == {}
        world.sink.gate.set()
        await world.seconds(2)

    world.run(scenario)
    assert world.log.committed == {}
    assert world.outcomes() == {("released", "revoked"): 3}
    assert world.account().difference == 0


def test_an_orderly_end_finishes_what_is_in_flight() -> None:
    world = World(events(7))

    async def at_once() -> None:
        return None

    world.run(at_once)
    assert len(world.sink.stored) == 7
    assert world.log.committed == {PARTITION: 7}


def test_the_end_does_not_wait_for_a_dead_sink() -> None:
    world = World(events(7), lambda _: Retry("unreachable"))
    world.run(lambda: world.seconds(2))
    assert world.log.committed == {}
    assert world.account().pending == 7
