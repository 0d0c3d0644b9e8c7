"""One evaluation of one rule, as a function: rule, memory, samples and time in; new memory and reasons out.

No clock, no input or output. What a template's `query` wants to know is returned as `wanted`; the caller looks
it up and evaluates again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerting.engine.passage import Tick, explain, uncounted
from alerting.engine.ports import Change, Sample
from alerting.engine.state import ACTIVE, RESOLVED_RETENTION, TRANSITIONS, AlertState, Event, RuleState, State
from alerting.model.labels import Labels, fingerprint
from alerting.rules.golang_templates import Struct, TemplateData, TemplateError
from alerting.rules.rule import AlertingRule
from fenghuo.durations import format_duration

Answers = Mapping[str, Sequence[Sample] | str]
"""What templates asked for: samples by expression, or the text of the failure."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What templates know beside the sample, and how the group is run."""

    interval: float
    limit: int = 0
    external_labels: Labels = field(default_factory=dict)
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert went from one state to another, and why."""

    before: State
    after: State
    alert: AlertState


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out. `dropped` are the fingerprints that are forgotten; `wanted` the queries of templates."""

    state: RuleState
    transitions: tuple[Transition, ...]
    changed: tuple[AlertState, ...]
    dropped: tuple[str, ...]
    wanted: frozenset[str] = frozenset()

    def change(self, rule_id: str) -> Change | None:
        """What has to be stored, None when nothing has.

        The time of the evaluation is stored while it matters: as long as something is pending or keeping.
        """
        waiting = any(alert.state in (State.PENDING, State.KEEPING) for alert in self.state.alerts.values())
        if not (self.changed or self.dropped or waiting):
            return None
        return Change(rule_id, self.state.evaluated_at, self.changed, self.dropped)


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer can't be used, so the rule's state stays as it is."""

    reason: str


def evaluate(
    rule: AlertingRule,
    before: RuleState,
    samples: Sequence[Sample],
    tick: Tick,
    around: Surroundings,
    answers: Answers | None = None,
) -> Evaluation | Refused:
    """Move every alert of the rule on by one evaluation."""
    asking = _Asking(answers or {})
    found: dict[str, _Seen] = {}
    for sample in samples:
        seen = _seen(rule, sample, around, asking)
        if asking.label_failed:
            return Refused(f"a label, which is part of who the alert is, can't be written: {asking.label_failed}")
        if seen.fingerprint in found:
            return Refused(
                f"two series of the result have the same labels after the rule's labels: {_text(seen.labels)}"
            )
        found[seen.fingerprint] = seen
    unwatched = uncounted(before.evaluated_at, tick, around.interval)
    after: dict[str, AlertState] = {}
    transitions: list[Transition] = []
    for key in before.alerts.keys() | found.keys():
        old = before.alerts.get(key)
        new = _next(rule, old, found.get(key), tick.at, unwatched)
        if new.state is not State.INACTIVE:
            after[key] = new
        if new.state is not (old.state if old else State.INACTIVE):
            transitions.append(Transition(old.state if old else State.INACTIVE, new.state, new))
    active = sum(alert.state in ACTIVE for alert in after.values())
    if around.limit and active > around.limit:
        return Refused(f"{active} alerts are more than the group's limit of {around.limit}; the state before is kept")
    return _evaluation(before, RuleState(tick.at, after), transitions, frozenset(asking.wanted))


def _evaluation(
    before: RuleState, state: RuleState, transitions: list[Transition], wanted: frozenset[str]
) -> Evaluation:
    moved = {transition.alert.fingerprint for transition in transitions}
    changed = tuple(
        alert for key, alert in state.alerts.items() if key in moved or alert.unseen != before.alerts[key].unseen
    )
    dropped = tuple(key for key in before.alerts if key not in state.alerts)
    return Evaluation(state, tuple(transitions), changed, dropped, wanted)


def remove(before: RuleState, now: float) -> Evaluation:
    """The rule is gone: whatever fired is resolved, whatever was pending is forgotten."""
    after: dict[str, AlertState] = {}
    transitions: list[Transition] = []
    for key, old in before.alerts.items():
        state = TRANSITIONS[old.state, Event.REMOVED]
        if state is State.INACTIVE:
            continue
        resolved_at = now if old.resolved_at is None else old.resolved_at
        after[key] = old
        if state is not old.state:
            after[key] = replace(old, state=state, resolved_at=resolved_at, reason="the rule was removed")
            transitions.append(Transition(old.state, state, after[key]))
    return _evaluation(before, RuleState(before.evaluated_at, after), transitions, frozenset())


@dataclass(frozen=True, slots=True)
class _Seen:
    """A sample of the answer as the alert it makes."""

    fingerprint: str
    labels: Labels
    annotations: Labels
    value: float


class _Asking:
    """Answers a template's `query` from what is known, and notes what is not."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.wanted: set[str] = set()
        self.failed = ""
        self.label_failed = ""

    def __call__(self, expression: str) -> list[Struct]:
        known = self._answers.get(expression)
        if known is None:
            self.wanted.add(expression)
            raise TemplateError(f"the query {expression} was not answered")
        if isinstance(known, str):
            self.failed = f"query {expression}: {known}"
            raise TemplateError(self.failed)
        return [Struct(Labels=sample.labels, Value=sample.value) for sample in known]


def _seen(rule: AlertingRule, sample: Sample, around: Surroundings, asking: _Asking) -> _Seen:
    data = TemplateData(sample.labels, sample.value, around.external_labels, around.external_url, asking)
    asking.failed = ""
    labels = rule.labels_of(data)
    asking.label_failed = asking.failed
    return _Seen(fingerprint(labels), labels, rule.annotations_of(data), sample.value)


def _next(rule: AlertingRule, old: AlertState | None, seen: _Seen | None, now: float, unwatched: float) -> AlertState:
    """One alert, one step on."""
    if seen is not None:
        return _holding(rule, old, seen, now, unwatched)
    assert old is not None
    return _missing(rule, old, now, unwatched)


def _holding(rule: AlertingRule, old: AlertState | None, seen: _Seen, now: float, unwatched: float) -> AlertState:
    fresh = old is None or old.state is State.RESOLVED
    alert = AlertState(seen.fingerprint, seen.labels, seen.annotations, State.INACTIVE, seen.value, active_at=now)
    if old is not None and not fresh:
        alert = replace(old, annotations=seen.annotations, value=seen.value)
    if alert.state in (State.FIRING, State.KEEPING):
        back = "the condition holds again" if alert.state is State.KEEPING else alert.reason
        firing = TRANSITIONS[alert.state, Event.HOLDS]
        return replace(alert, state=firing, keeping_since=None, unseen=0.0, reason=back)
    unseen = alert.unseen + (unwatched if alert.state is State.PENDING else 0.0)
    held = now - alert.active_at - unseen
    event = Event.DUE if held >= rule.hold else Event.HOLDS
    if event is Event.HOLDS:
        reason = f"the condition holds; it must hold for {format_duration(rule.hold)}"
        return replace(alert, state=TRANSITIONS[alert.state, event], unseen=unseen, reason=reason)
    reason = f"the condition held for {format_duration(held)}{explain(unseen)}" if rule.hold else "the condition holds"
    return replace(alert, state=TRANSITIONS[alert.state, event], fired_at=now, unseen=0.0, reason=reason)


def _missing(rule: AlertingRule, old: AlertState, now: float, unwatched: float) -> AlertState:
    if old.state is State.RESOLVED:
        assert old.resolved_at is not None
        expired = now - old.resolved_at > RESOLVED_RETENTION
        return replace(old, state=TRANSITIONS[old.state, Event.EXPIRED if expired else Event.GONE])
    if old.state is State.PENDING:
        return replace(
            old, state=TRANSITIONS[old.state, Event.GONE], reason="the condition is gone before for was over"
        )
    since = now if old.keeping_since is None else old.keeping_since
    unseen = old.unseen + unwatched if old.state is State.KEEPING else 0.0
    gone_for = now - since - unseen
    if gone_for < rule.keep_firing_for:
        state = TRANSITIONS[old.state, Event.LINGERS]
        reason = f"the condition is gone; it keeps firing for {format_duration(rule.keep_firing_for)}"
        return replace(old, state=state, keeping_since=since, unseen=unseen, reason=reason)
    state = TRANSITIONS[old.state, Event.GONE]
    reason = f"the condition is gone for {format_duration(gone_for)}" if gone_for else "the condition is gone"
    return replace(old, state=state, resolved_at=now, unseen=0.0, reason=reason + explain(unseen))


def _text(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"
