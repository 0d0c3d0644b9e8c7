"""Judges one rule at one time: asks the source, moves the alerts on, stores the step, tells the sink.

In this order, so that what was told is always remembered. What was stored but not told when the process died is
told at the next start.
"""

import asyncio
from collections.abc import Collection, Iterator, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from alerting.engine.evaluator import Evaluation, Refused, Surroundings, evaluate
from alerting.engine.memory import Herald, Memory
from alerting.engine.metrics import EngineMetrics
from alerting.engine.passage import Tick
from alerting.engine.ports import Sample, Source
from alerting.engine.state import TOLD, AlertState, State
from alerting.model.alert import Alert
from alerting.model.labels import Labels
from alerting.rules.rule import AlertingRule, Group
from fenghuo.clock import Clock
from fenghuo.errors import FenghuoError, RemoteError, StorageError
from fenghuo.logs import get_logger

RETELL = 60.0
"""Seconds after which a firing alert whose annotations have changed is put into the sink again."""

TEMPLATE_ROUNDS = 3
"""How deep a template's `query` may depend on the answer of another."""

MOST_TEMPLATE_QUERIES = 100

Health = Literal["unknown", "ok", "err"]


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a rule's last evaluation went. `evaluation_seconds` is its duration, `last_evaluation` Unix seconds."""

    health: Health = "unknown"
    last_error: str = ""
    evaluation_seconds: float = 0.0
    last_evaluation: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What templates know of where we are."""

    external_labels: Labels
    external_url: str


class Judge:
    """Evaluates rules of any group. Failures end up in the rule's status and nowhere else."""

    def __init__(self, memory: Memory, herald: Herald, clock: Clock, metrics: EngineMetrics) -> None:
        self.statuses: dict[str, RuleStatus] = {}
        self._memory = memory
        self._herald = herald
        self._clock = clock
        self._metrics = metrics
        self._jumps: dict[str, float] = {}
        self._told: dict[str, dict[str, tuple[float, Labels]]] = {}
        self._commits: set[asyncio.Future[None]] = set()
        self._log = get_logger("alerting")

    async def judge(self, rule: AlertingRule, group: Group, source: Source, world: World, tick: Tick) -> None:
        """One evaluation. Never raises for what a source, a store or a rule does."""
        begun = self._clock.monotonic()
        tick = replace(tick, jump=tick.jump + self._jumps.pop(rule.id, 0.0))
        warnings: tuple[str, ...] = ()
        problem = ""
        try:
            around = Surroundings(group.interval, group.limit, world.external_labels, world.external_url)
            outcome, warnings = await self._look(rule, source, tick, around, group.query_offset)
            if isinstance(outcome, Refused):
                problem = outcome.reason
            else:
                await self._commit(rule, source, outcome, tick)
        except FenghuoError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - one rule must not stop its neighbours
            self._log.exception("a rule failed in a way nobody thought of", rule=rule.name, group=group.key)
            problem = f"internal error: {error!r}"
        if problem and self._memory.state(rule.id).evaluated_at != tick.at:
            self._jumps[rule.id] = tick.jump
        self._note(
            rule, group, tick, RuleStatus(_health(problem), problem, self._clock.monotonic() - begun, tick.at, warnings)
        )

    async def settle(self) -> None:
        """Wait for steps that are being stored and told while their group was stopped."""
        if self._commits:
            await asyncio.gather(*self._commits, return_exceptions=True)

    def keep(self, rule_ids: Collection[str]) -> None:
        """Drop what is known of any other rule."""
        all_known: tuple[MutableMapping[str, Any], ...] = (self.statuses, self._jumps, self._told)
        for known in all_known:
            for rule_id in known.keys() - rule_ids:
                del known[rule_id]

    def news_at_start(self, rule: AlertingRule, source: Source, now: float) -> list[Alert]:
        """What the sink must hear again after a restart: all that fires, and what was resolved lately."""
        alerts = self._memory.state(rule.id).alerts.values()
        return [self._news(rule, alert, source, now) for alert in alerts if self._is_news(rule.id, alert)]

    async def _look(
        self, rule: AlertingRule, source: Source, tick: Tick, around: Surroundings, offset: float
    ) -> tuple[Evaluation | Refused, tuple[str, ...]]:
        at = tick.at - offset
        result = await source.query(rule.expr, at)
        before = self._memory.state(rule.id)
        answers: dict[str, list[Sample] | str] = {}
        outcome = evaluate(rule, before, result.samples, tick, around, answers)
        for _ in range(TEMPLATE_ROUNDS):
            if isinstance(outcome, Refused) or not outcome.wanted:
                break
            for expression in sorted(outcome.wanted)[: MOST_TEMPLATE_QUERIES - len(answers)]:
                answers[expression] = await _answer(source, expression, at)
            outcome = evaluate(rule, before, result.samples, tick, around, answers)
        return outcome, result.warnings

    async def _commit(self, rule: AlertingRule, source: Source, evaluation: Evaluation, tick: Tick) -> None:
        """Store and tell, to the end even when the group is stopped meanwhile."""
        commit = asyncio.ensure_future(self._store_and_tell(rule, source, evaluation, tick))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        await asyncio.shield(commit)

    async def _store_and_tell(self, rule: AlertingRule, source: Source, evaluation: Evaluation, tick: Tick) -> None:
        for step in evaluation.transitions:
            self._metrics.transitions.labels(step.before.value, step.after.value).inc()
            self._log.debug(
                "step", rule=rule.name, before=step.before.value, after=step.after.value, why=step.alert.reason
            )
        failure: StorageError | None = None
        try:
            await self._memory.remember({rule.id: evaluation})
        except StorageError as error:
            self._metrics.storage_failures.inc()
            failure = error
        await self._herald.tell(
            [self._news(rule, alert, source, tick.at) for alert in self._worth_telling(rule, evaluation, tick.at)]
        )
        if failure is not None:
            raise failure

    def _worth_telling(self, rule: AlertingRule, evaluation: Evaluation, now: float) -> Iterator[AlertState]:
        """Alerts that began to fire or ended, and firing ones whose annotations have changed for a while."""
        moved = {step.alert.fingerprint for step in evaluation.transitions if step.after in TOLD}
        told = self._told.setdefault(rule.id, {})
        for key in list(told):
            if key not in evaluation.state.alerts:
                del told[key]
        for key, alert in evaluation.state.alerts.items():
            if not self._is_news(rule.id, alert):
                continue
            at, annotations = told.get(key, (now, alert.annotations))
            stale = alert.state is not State.RESOLVED and annotations != alert.annotations and now - at >= RETELL
            if key in moved or stale:
                told[key] = (now, alert.annotations)
                yield alert

    def _is_news(self, rule_id: str, alert: AlertState) -> bool:
        """Whether the sink is to know: not what is pending, and not the end of what another rule still fires."""
        if alert.state is State.RESOLVED:
            return not self._memory.fires_elsewhere(rule_id, alert.fingerprint)
        return alert.state in TOLD

    def _news(self, rule: AlertingRule, alert: AlertState, source: Source, now: float) -> Alert:
        self._told.setdefault(rule.id, {}).setdefault(alert.fingerprint, (now, alert.annotations))
        return alert.to_alert(now, source.link(rule.expr))

    def _note(self, rule: AlertingRule, group: Group, tick: Tick, status: RuleStatus) -> None:
        known = self.statuses.get(rule.id)
        self.statuses[rule.id] = status
        self._metrics.evaluations.labels(group.key).inc()
        self._metrics.evaluation_seconds.observe(status.evaluation_seconds)
        if status.last_error:
            self._metrics.failures.labels(group.key).inc()
        if status.last_error and (known is None or known.last_error != status.last_error):
            self._log.warning(
                "a rule could not be evaluated, its state is kept",
                rule=rule.name,
                group=group.key,
                error=status.last_error,
                at=tick.at,
            )


def _health(problem: str) -> Health:
    return "err" if problem else "ok"


async def _answer(source: Source, expression: str, at: float) -> list[Sample] | str:
    try:
        return list((await source.query(expression, at)).samples)
    except RemoteError as error:
        return str(error)
