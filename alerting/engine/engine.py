"""The engine: one task a group, all on the same memory, and a change of rules that loses nothing.

It decides nothing itself: when is `schedule`, what is `evaluator`, in which order is `judge`.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alerting.engine.evaluator import remove
from alerting.engine.judge import Judge, RuleStatus, World
from alerting.engine.memory import Herald, Memory
from alerting.engine.metrics import EngineMetrics
from alerting.engine.ports import Source, StateStore
from alerting.engine.schedule import Schedule
from alerting.engine.state import TOLD, RuleState
from alerting.model.alert import Alert
from alerting.model.ports import AlertSink
from alerting.rules.rule import AlertingRule, Group, Rule
from fenghuo.clock import Clock
from fenghuo.errors import StorageError
from fenghuo.logs import get_logger

NOT_EVALUATED = "recording rules are not evaluated here yet: load this file into the metrics store as well"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that runs at one time: groups, and the sources by name; the first source is the default."""

    groups: tuple[Group, ...]
    sources: Mapping[str, Source]
    world: World

    def source(self, group: Group) -> Source:
        """Where a group's queries go."""
        return self.sources[group.source] if group.source else next(iter(self.sources.values()))

    def alerting_rules(self) -> Iterator[tuple[Group, AlertingRule]]:
        """Every alerting rule with its group."""
        for group in self.groups:
            for rule in group.rules:
                if isinstance(rule, AlertingRule):
                    yield group, rule


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as the API shows it."""

    rule: Rule
    status: RuleStatus
    state: RuleState


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as the API shows it. `evaluation_seconds` is the last duration, `last_evaluation` Unix seconds."""

    group: Group
    rules: tuple[RuleView, ...]
    evaluation_seconds: float
    last_evaluation: float | None


class Engine:
    """Runs a RuleSet until told otherwise."""

    def __init__(self, store: StateStore, sink: AlertSink, clock: Clock, metrics: EngineMetrics) -> None:
        self._memory = Memory(store)
        self._herald = Herald(sink)
        self._judge = Judge(self._memory, self._herald, clock, metrics)
        self._clock = clock
        self._metrics = metrics
        self._running: dict[str, _Running] = {}
        self._log = get_logger("alerting")

    async def start(self, rules: RuleSet) -> None:
        """Restore what is stored, tell the sink what it may have missed, begin to evaluate.

        Raises StorageError when the store can't be read.
        """
        await self._memory.load()
        now = self._clock.now()
        news = [
            alert
            for group, rule in rules.alerting_rules()
            for alert in self._judge.news_at_start(rule, rules.source(group), now)
        ]
        await self._take_over(rules, news)

    async def apply(self, rules: RuleSet) -> None:
        """Change to another set. A group that stays as it is goes on undisturbed; a rule that stays keeps its state."""
        kept = {group.key: group for group in rules.groups}
        changed = [key for key, running in self._running.items() if kept.get(key) != running.group]
        await self._stop(changed)
        await self._take_over(rules, [])

    async def close(self) -> None:
        """Stop evaluating; what is being stored and told is finished."""
        await self._stop(list(self._running))

    def view(self) -> list[GroupView]:
        """All groups as they are now, in the order of their files."""
        return [running.view(self._judge, self._memory) for running in self._running.values()]

    async def _take_over(self, rules: RuleSet, news: list[Alert]) -> None:
        await self._remove_others({rule.id for _, rule in rules.alerting_rules()}, news)
        running: dict[str, _Running] = {}
        for group in rules.groups:
            known = self._running.get(group.key) or _Running(group, rules, self._judge, self._clock, self._metrics)
            known.rules = rules
            running[group.key] = known
        self._running = running
        for one in running.values():
            one.start()

    async def _remove_others(self, rule_ids: set[str], news: list[Alert]) -> None:
        """Resolve what rules that are gone left firing, tell it with the `news`, and forget those rules."""
        now = self._clock.now()
        removed = {rule_id: remove(state, now) for rule_id, state in self._memory.others(rule_ids).items()}
        stored = await self._tried(self._memory.remember(removed))
        ended = [
            alert.to_alert(now, "")
            for rule_id, evaluation in removed.items()
            for alert in evaluation.state.alerts.values()
            if alert.state in TOLD and not self._memory.fires_elsewhere(rule_id, alert.fingerprint)
        ]
        told = await self._tried(self._herald.tell([*news, *ended]))
        if stored and told:
            await self._tried(self._memory.forget(removed))
        self._judge.keep(rule_ids)

    async def _tried(self, step: Awaitable[None]) -> bool:
        """Whether it worked. A full disk must keep neither rules from running nor news from being told."""
        try:
            await step
        except StorageError as error:
            self._metrics.storage_failures.inc()
            self._log.error("what changed with the rules is not stored; it will be made good", error=str(error))
            return False
        return True

    async def _stop(self, keys: Sequence[str]) -> None:
        stopping = [self._running.pop(key) for key in keys]
        for running in stopping:
            running.cancel()
        await asyncio.gather(*(running.ended() for running in stopping))
        await self._judge.settle()
        for key in keys:
            self._metrics.remove_group(key)


class _Running:
    """One group's task and how its last evaluation went."""

    def __init__(self, group: Group, rules: RuleSet, judge: Judge, clock: Clock, metrics: EngineMetrics) -> None:
        self.group = group
        self.rules = rules
        self._judge = judge
        self._clock = clock
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._seconds = 0.0
        self._last: float | None = None

    def start(self) -> None:
        """Begin to evaluate; a second call does nothing."""
        if self._task is None:
            self._metrics.add_group(self.group.key, self.group.interval, len(self.group.rules))
            self._task = asyncio.ensure_future(self._run())
            self._task.add_done_callback(self._died)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait for the task's end."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def view(self, judge: Judge, memory: Memory) -> GroupView:
        rules = tuple(RuleView(rule, _status(rule, judge), memory.state(rule.id)) for rule in self.group.rules)
        return GroupView(self.group, rules, self._seconds, self._last)

    async def _run(self) -> None:
        clock = self._clock
        schedule = Schedule.starting(self.group.key, self.group.interval, clock.now(), clock.monotonic())
        while True:
            while (delay := schedule.delay(clock.now())) > 0:
                await clock.sleep(delay)
            tick, schedule = schedule.tick(clock.now(), clock.monotonic())
            self._metrics.iterations.labels(self.group.key).inc(1 + tick.missed)
            self._metrics.missed.labels(self.group.key).inc(tick.missed)
            begun = clock.monotonic()
            for rule in self.group.rules:
                if isinstance(rule, AlertingRule):
                    await self._judge.judge(rule, self.group, self.rules.source(self.group), self.rules.world, tick)
            self._ended(tick.at, clock.monotonic() - begun)
            await clock.sleep(0)

    def _died(self, task: "asyncio.Task[None]") -> None:
        """A group's task ends by being cancelled; any other end is a mistake of ours, and said aloud."""
        if not task.cancelled() and (error := task.exception()) is not None:
            get_logger("alerting").error("a group stopped being evaluated", group=self.group.key, error=repr(error))

    def _ended(self, at: float, seconds: float) -> None:
        self._seconds, self._last = seconds, at
        self._metrics.group_seconds.observe(seconds)
        self._metrics.last_duration.labels(self.group.key).set(seconds)
        self._metrics.last_evaluation.labels(self.group.key).set(at)


def _status(rule: Rule, judge: Judge) -> RuleStatus:
    if isinstance(rule, AlertingRule):
        return judge.statuses.get(rule.id, RuleStatus())
    return replace(RuleStatus(), last_error=NOT_EVALUATED)
