"""What the engine remembers and what it owes: rule states in memory, their copies in the store, news to the sink.

A full disk must not silence an alert: when the store fails, memory moves on all the same and the rule's whole
state is written with its next evaluation. When the sink fails, its news is owed and put again with the next.
"""

from collections.abc import Collection, Iterable, Mapping

from alerting.engine.evaluator import Evaluation
from alerting.engine.ports import Change, StateStore
from alerting.engine.state import NEW, AlertState, RuleState, State
from alerting.model.alert import Alert
from alerting.model.ports import AlertSink
from fenghuo.errors import StorageError


class Memory:
    """The states of all rules, with their store."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._states: dict[str, RuleState] = {}
        self._unsaved: set[str] = set()
        self._firing: dict[str, set[str]] = {}

    async def load(self) -> None:
        """Take over what the store has. Raises StorageError."""
        self._states = dict(await self._store.load())
        for rule_id, state in self._states.items():
            for alert in state.alerts.values():
                self._note(rule_id, alert)

    def state(self, rule_id: str) -> RuleState:
        """What is remembered of a rule."""
        return self._states.get(rule_id, NEW)

    def others(self, rule_ids: Collection[str]) -> Mapping[str, RuleState]:
        """What is remembered of rules other than these."""
        return {rule_id: state for rule_id, state in self._states.items() if rule_id not in rule_ids}

    async def remember(self, evaluations: Mapping[str, Evaluation]) -> None:
        """Keep what evaluations (by rule id) led to, in memory and then, in one transaction, in the store.

        Raises StorageError; memory has moved on all the same.
        """
        changes = []
        for rule_id, evaluation in evaluations.items():
            self._states[rule_id] = evaluation.state
            for step in evaluation.transitions:
                self._note(rule_id, step.alert)
            change = evaluation.change(rule_id)
            if rule_id in self._unsaved:
                state = evaluation.state
                change = Change(rule_id, state.evaluated_at, tuple(state.alerts.values()), anew=True)
            if change is not None:
                changes.append(change)
        await self._save(changes)

    async def forget(self, rule_ids: Iterable[str]) -> None:
        """Drop rules from memory and store. Raises StorageError."""
        gone = list(rule_ids)
        await self._save([Change(rule_id, anew=True) for rule_id in gone])
        for rule_id in gone:
            self._states.pop(rule_id, None)

    def fires_elsewhere(self, rule_id: str, fingerprint: str) -> bool:
        """Whether another rule fires an alert with the same labels, so that it is not over when this rule says so."""
        return bool(self._firing.get(fingerprint, set()) - {rule_id})

    def _note(self, rule_id: str, alert: AlertState) -> None:
        if alert.state in (State.FIRING, State.KEEPING):
            self._firing.setdefault(alert.fingerprint, set()).add(rule_id)
        elif rules := self._firing.get(alert.fingerprint):
            rules.discard(rule_id)
            if not rules:
                del self._firing[alert.fingerprint]

    async def _save(self, changes: list[Change]) -> None:
        if not changes:
            return
        names = {change.rule_id for change in changes}
        try:
            await self._store.save(changes)
        except StorageError:
            self._unsaved |= names
            raise
        self._unsaved -= names


class Herald:
    """Puts alerts into the sink, and again those that it would not take."""

    def __init__(self, sink: AlertSink) -> None:
        self._sink = sink
        self._owed: dict[str, Alert] = {}

    async def tell(self, alerts: Iterable[Alert]) -> None:
        """Put the alerts, after what is owed. Raises StorageError; they are owed then."""
        self._owed.update((alert.fingerprint, alert) for alert in alerts)
        news = list(self._owed.values())
        if not news:
            return
        await self._sink.put(news)
        for alert in news:
            if self._owed.get(alert.fingerprint) is alert:
                del self._owed[alert.fingerprint]
