"""The engine over a scripted source, a store in memory and a clock that is told to move."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from alerting.engine.engine import Engine, RuleSet, RuleView
from alerting.engine.judge import World
from alerting.engine.metrics import EngineMetrics
from alerting.engine.schedule import phase
from alerting.engine.state import State
from alerting.rules.rule import Group, RecordingRule
from alerting.testing import MemoryStates, RecordingSink, ScriptedSource
from fenghuo.errors import RemoteRefused
from fenghuo.testing import ManualClock
from tests.alerting.engine.builders import START, group, rule, sample

AWAY = RemoteRefused("http://source", "connection refused")


@dataclass
class Machine:
    """All that an engine stands on, outliving the engine's death."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START - START % 60))
    source: ScriptedSource = field(default_factory=ScriptedSource)
    store: MemoryStates = field(default_factory=MemoryStates)
    sink: RecordingSink = field(default_factory=RecordingSink)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    engine: Engine = field(init=False)

    async def start(self, *groups: Group) -> None:
        """A new process on the same folder."""
        self.registry = CollectorRegistry()
        self.engine = Engine(self.store, self.sink, self.clock, EngineMetrics(self.registry))
        await self.engine.start(self.rules(*groups))

    def rules(self, *groups: Group) -> RuleSet:
        return RuleSet(groups, {"main": self.source}, World({}, "http://here"))

    async def evaluate(self, times: int = 1, interval: float = 15.0) -> None:
        """Let so many evaluations happen."""
        await self.clock.advance(times * interval)

    def answer(self, *values: float, expr: str = "temperature > 1") -> None:
        self.source.answers[expr] = [sample(value, instance=str(number)) for number, value in enumerate(values)]

    def fail(self, expr: str = "temperature > 1") -> None:
        self.source.answers[expr] = AWAY

    def view(self, name: str = "Hot") -> RuleView:
        return next(one for shown in self.engine.view() for one in shown.rules if one.rule.name == name)

    def states(self, name: str = "Hot") -> list[State]:
        return [alert.state for alert in self.view(name).state.alerts.values()]

    def told(self) -> list[str]:
        """What the sink got: + for firing, - for resolved, and the instance."""
        return [("-" if alert.ends_at else "+") + alert.labels.get("instance", "") for alert in self.sink.alerts]

    def metric(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        return self.registry.get_sample_value(name, dict(labels or {"rule_group": "rules.yml;g"}))


def play(story: Callable[[Machine], Awaitable[None]]) -> None:
    async def scenario() -> None:
        machine = Machine()
        await story(machine)
        await machine.engine.close()

    asyncio.run(scenario())


def test_pending_firing_resolved_and_the_sink_hears_of_two_of_them() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule(hold=30)))
        await machine.evaluate()
        assert (machine.states(), machine.told()) == ([State.PENDING], [])
        await machine.evaluate(2)
        assert (machine.states(), machine.told()) == ([State.FIRING], ["+0"])
        await machine.evaluate(3)
        machine.answer()
        await machine.evaluate(2)
        assert (machine.states(), machine.told()) == ([State.RESOLVED], ["+0", "-0"])

    play(story)


def test_evaluations_have_times_of_the_grid() -> None:
    async def story(machine: Machine) -> None:
        await machine.start(group(rule()))
        await machine.evaluate(3)
        shift = phase("rules.yml;g", 15.0)
        assert [at % 15.0 for _, at in machine.source.asked] == pytest.approx([shift] * 3)

    play(story)


def test_a_failed_query_keeps_the_state_and_shows_on_the_rule() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate()
        machine.fail()
        await machine.evaluate(10)
        status = machine.view().status
        assert machine.states() == [State.FIRING]
        assert (status.health, status.last_error) == ("err", "http://source: connection refused")
        assert machine.metric("prometheus_rule_evaluation_failures_total") == 10
        assert machine.metric("prometheus_rule_evaluations_total") == 11
        machine.answer(2.0)
        await machine.evaluate()
        assert machine.view().status.health == "ok"
        assert machine.told() == ["+0"]

    play(story)


def test_a_rule_that_fails_does_not_stop_its_neighbours() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        machine.source.answers["bad"] = ZeroDivisionError("on purpose")
        await machine.start(group(rule("Bad", expr="bad"), rule("Hot")))
        await machine.evaluate()
        assert "ZeroDivisionError" in machine.view("Bad").status.last_error
        assert machine.states() == [State.FIRING]

    play(story)


def test_a_kill_in_the_pending_phase_does_not_reset_for() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule(hold=60)))
        await machine.evaluate(3)
        first = machine.engine
        await machine.start(group(rule(hold=60)))
        await first.close()
        await machine.evaluate(2)
        (alert,) = machine.view().state.alerts.values()
        assert (alert.state, alert.fired_at) == (State.FIRING, alert.active_at + 60)

    play(story)


def test_after_a_restart_what_fires_and_what_was_resolved_is_told_again_even_if_it_was_never_told() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0, 3.0)
        await machine.start(group(rule()))
        await machine.evaluate()
        machine.sink.failing = True
        machine.answer(2.0)
        await machine.evaluate()
        assert sorted(machine.told()) == ["+0", "+1"], "the end of 1 could not be told"
        await machine.engine.close()
        machine.sink.failing = False
        machine.sink.alerts.clear()
        await machine.start(group(rule()))
        assert sorted(machine.told()) == ["+0", "-1"]

    play(story)


def test_news_that_the_sink_refused_is_told_with_the_next_evaluation() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        machine.sink.failing = True
        await machine.start(group(rule()))
        await machine.evaluate()
        assert "disk is full" in machine.view().status.last_error
        machine.sink.failing = False
        await machine.evaluate()
        assert machine.told() == ["+0"]

    play(story)


def test_a_full_disk_does_not_silence_an_alert_and_is_made_good_later() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        machine.store.failing = True
        await machine.start(group(rule()))
        await machine.evaluate()
        assert (machine.told(), machine.store.states) == (["+0"], {})
        assert machine.view().status.health == "err"
        machine.store.failing = False
        await machine.evaluate()
        assert [alert.state for alert in machine.store.states["Hot"].alerts.values()] == [State.FIRING]
        assert machine.view().status.health == "ok"

    play(story)


def test_a_full_disk_at_the_start_keeps_nothing_from_being_told() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()), group(rule("Gone"), name="gone"))
        await machine.evaluate()
        await machine.engine.close()
        machine.sink.alerts.clear()
        machine.store.failing = True
        await machine.start(group(rule()))
        assert sorted(machine.told()) == ["+0", "-0"]
        assert sorted(machine.store.states) == ["Gone", "Hot"]
        machine.store.failing = False
        await machine.engine.apply(machine.rules(group(rule())))
        assert sorted(machine.store.states) == ["Hot"]

    play(story)


def test_a_steady_alert_writes_nothing() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate(20)
        assert machine.store.saves == 1

    play(story)


def test_an_edit_of_a_threshold_keeps_pending_time_and_what_fires() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        machine.answer(2.0, expr="temperature > 1.5")
        await machine.start(group(rule(hold=60)))
        await machine.evaluate(3)
        await machine.engine.apply(machine.rules(group(rule(hold=60, expr="temperature > 1.5"))))
        await machine.evaluate(2)
        (alert,) = machine.view().state.alerts.values()
        assert alert.fired_at == alert.active_at + 60

    play(story)


def test_a_reload_does_not_disturb_a_group_that_stays() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate()
        for _ in range(5):
            await machine.engine.apply(machine.rules(group(rule()), group(rule("Cold", expr="cold"), name="new")))
        await machine.evaluate(2)
        assert machine.metric("prometheus_rule_evaluations_total") == 3
        assert machine.told() == ["+0"]

    play(story)


def test_a_rule_that_is_taken_away_resolves_its_alerts_and_is_forgotten() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate()
        await machine.engine.apply(machine.rules())
        assert (machine.told(), machine.store.states, machine.engine.view()) == (["+0", "-0"], {}, [])
        assert machine.metric("prometheus_rule_evaluations_total") is None

    play(story)


def test_a_rule_that_is_taken_away_while_the_engine_was_down_resolves_its_alerts_too() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate()
        await machine.engine.close()
        await machine.start(group(rule("Other", expr="other")))
        assert (machine.told(), list(machine.store.states)) == (["+0", "-0"], [])

    play(story)


def test_a_slow_source_makes_evaluations_be_missed_and_never_bunched() -> None:
    async def story(machine: Machine) -> None:
        clock, source = machine.clock, machine.source
        quick, begun = source.query, []

        async def slow(expr: str, at: float) -> object:
            begun.append(at)
            await clock.sleep(40.0)
            return await quick(expr, at)

        source.query = slow  # type: ignore[assignment,method-assign]
        await machine.start(group(rule()))
        await machine.evaluate(13)
        steps = [round((later - earlier) / 15.0) for earlier, later in pairwise(begun)]
        assert (len(steps), set(steps)) == (4, {2, 3})
        assert machine.metric("prometheus_rule_group_iterations_missed_total") == sum(steps) - len(steps)

    play(story)


def test_a_clock_set_forward_fires_nothing() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule(hold=300)))
        await machine.evaluate(2)
        machine.clock.step(3600.0)
        await machine.evaluate(3)
        assert machine.states() == [State.PENDING]
        await machine.evaluate(20)
        assert machine.states() == [State.FIRING]

    play(story)


def test_a_clock_set_back_goes_on_evaluating_and_still_resolves() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        await machine.start(group(rule()))
        await machine.evaluate(2)
        machine.clock.step(-3600.0)
        machine.answer()
        await machine.evaluate(3)
        assert machine.states() == [State.RESOLVED]
        assert machine.told() == ["+0", "-0"]

    play(story)


def test_annotations_that_change_are_told_again_once_a_minute() -> None:
    async def story(machine: Machine) -> None:
        machine.source.answers["temperature > 1"] = lambda at: [sample(at, instance="0")]
        await machine.start(group(rule(annotations={"value": "{{ $value }}"})))
        await machine.evaluate(13)
        assert len(machine.sink.alerts) == 4

    play(story)


def test_a_recording_rule_says_that_it_is_not_evaluated() -> None:
    async def story(machine: Machine) -> None:
        recorded = Group("g", "rules.yml", 15.0, (RecordingRule("r", "job:up", "up"),))
        await machine.start(recorded)
        await machine.evaluate()
        status = machine.view("job:up").status
        assert (status.health, "not evaluated" in status.last_error) == ("unknown", True)

    play(story)


def test_a_query_of_a_template_is_looked_up() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        machine.answer(42.0, expr="capacity")
        judged = rule(annotations={"of": '{{ with query "capacity" }}{{ . | first | value }}{{ end }}'})
        await machine.start(group(judged))
        await machine.evaluate()
        assert [alert.annotations for alert in machine.sink.alerts] == [{"of": "42"}]

    play(story)


def test_a_reload_in_the_middle_of_a_step_does_not_lose_its_news() -> None:
    async def story(machine: Machine) -> None:
        machine.answer(2.0)
        put, held = machine.sink.put, asyncio.Event()

        async def slow(alerts: Sequence[object]) -> None:
            await held.wait()
            await put(alerts)  # type: ignore[arg-type]

        machine.sink.put = slow  # type: ignore[method-assign]
        await machine.start(group(rule()))
        await machine.evaluate()
        applying = asyncio.ensure_future(machine.engine.apply(machine.rules(group(rule(hold=15)))))
        await machine.evaluate(0)
        held.set()
        await applying
        assert machine.told() == ["+0"]

    play(story)
