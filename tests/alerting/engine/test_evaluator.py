"""One rule, evaluation by evaluation: which state its alerts are in, and why."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.evaluator import Evaluation, Refused, Surroundings, evaluate, remove
from alerting.engine.passage import Tick
from alerting.engine.ports import Sample
from alerting.engine.state import NEW, RuleState, State
from alerting.rules.rule import AlertingRule
from tests.alerting.engine.builders import START, rule, sample

INTERVAL = 15.0
AROUND = Surroundings(INTERVAL)


def step(
    judged: AlertingRule, before: RuleState, seconds: float, *samples: Sample, jump: float = 0.0, limit: int = 0
) -> Evaluation:
    """One evaluation that must not be refused."""
    around = replace(AROUND, limit=limit)
    outcome = evaluate(judged, before, samples, Tick(START + seconds, jump), around)
    assert isinstance(outcome, Evaluation), outcome
    return outcome


def life(judged: AlertingRule, story: str) -> str:
    """Evaluate each 15 s: `x` the condition holds, `.` it does not, `!` the query fails. The states as letters."""
    state, letters = NEW, ""
    for number, what in enumerate(story):
        if what != "!":
            state = step(judged, state, number * INTERVAL, *[sample()] * (what == "x")).state
        alert = next(iter(state.alerts.values()), None)
        letters += alert.state.value[0] if alert else "-"
    return letters


@pytest.mark.parametrize(
    ("hold", "keep", "story", "expected"),
    [
        # i inactive (-), p pending, f firing, k keeping, r resolved; one letter each 15 s
        (0, 0, "xx..x", "ffrrf"),
        (15, 0, "xxx.", "pffr"),
        (30, 0, "xxxx.", "ppffr"),
        (31, 0, "xxxx.", "pppfr"),
        (30, 0, "xx.xxx.", "pp-ppfr"),
        (30, 0, "xx!x.", "pppfr"),
        (30, 0, "xxx!!!x.", "ppfffffr"),
        (0, 30, "x...", "fkkr"),
        (0, 30, "x..x...", "fkkfkkr"),
        (15, 30, "xx.!.", "pfkkr"),
        (30, 0, "x.", "p-"),
        (15, 0, "xx.xx", "pfrpf"),
        (0, 0, "x.!!x", "frrrf"),
    ],
)
def test_an_alert_lives_by_the_table(hold: float, keep: float, story: str, expected: str) -> None:
    assert life(rule(hold=hold, keep=keep), story) == expected


def test_a_resolved_alert_is_forgotten_after_fifteen_minutes() -> None:
    states = life(rule(), "x." + "." * 70)
    assert states == "f" + "r" * 61 + "-" * 10


@pytest.mark.parametrize(
    ("story", "reasons"),
    [
        ("x", ["the condition holds; it must hold for 30s"]),
        ("xxx", ["the condition held for 30s"]),
        ("xxx.", ["the condition is gone; it keeps firing for 15s"]),
        ("xxx.x", ["the condition holds again"]),
        ("xxx..", ["the condition is gone for 15s"]),
    ],
)
def test_every_state_says_why(story: str, reasons: list[str]) -> None:
    judged, state = rule(hold=30, keep=15), NEW
    for number, what in enumerate(story):
        state = step(judged, state, number * INTERVAL, *[sample()] * (what == "x")).state
    assert [alert.reason for alert in state.alerts.values()] == reasons


def test_the_alert_starts_when_it_fired_and_ends_when_it_was_resolved() -> None:
    judged = rule(hold=30)
    state = NEW
    for number in range(4):
        state = step(judged, state, number * INTERVAL, *[sample()] * (number < 3)).state
    (alert,) = state.alerts.values()
    told = alert.to_alert(START + 45, "http://link")
    assert (alert.active_at, told.starts_at, told.ends_at) == (START, START + 30, START + 45)
    assert (told.labels, told.generator_url) == ({"alertname": "Hot"}, "http://link")


def test_labels_and_annotations_come_from_sample_rule_and_templates() -> None:
    judged = rule(
        labels={"severity": "page", "team": "{{ $labels.job }}-team", "job": "", "broken": "{{ .Nope }}"},
        annotations={"summary": "{{ $labels.instance }} is {{ $value }}"},
    )
    (alert,) = step(judged, NEW, 0, sample(3.5, job="web", instance="a", alertname="other")).state.alerts.values()
    broken = alert.labels["broken"]
    assert alert.labels == {
        "alertname": "Hot",
        "instance": "a",
        "severity": "page",
        "team": "web-team",
        "broken": broken,
    }
    assert broken.startswith("<error expanding template: ")
    assert (alert.annotations, alert.value) == ({"summary": "a is 3.5"}, 3.5)


def test_a_firing_alert_keeps_its_start_and_shows_its_newest_value() -> None:
    judged = rule(annotations={"now": "{{ $value }}"})
    first = step(judged, NEW, 0, sample(1.0))
    second = step(judged, first.state, 15, sample(2.0))
    (alert,) = second.state.alerts.values()
    assert (alert.value, alert.annotations, alert.fired_at) == (2.0, {"now": "2"}, START)
    assert (second.transitions, second.changed) == ((), ())


def test_two_series_with_the_same_labels_are_an_error_of_the_rule() -> None:
    judged = rule(labels={"instance": "all"})
    outcome = evaluate(judged, NEW, [sample(instance="a"), sample(instance="b")], Tick(START), AROUND)
    assert isinstance(outcome, Refused)
    assert '{alertname="Hot", instance="all"}' in outcome.reason


def test_more_alerts_than_the_limit_are_refused_and_the_state_before_is_kept() -> None:
    firing = step(rule(), NEW, 0, sample(instance="a"), limit=1).state
    both = [sample(instance="a"), sample(instance="b")]
    outcome = evaluate(rule(), firing, both, Tick(START + 15), replace(AROUND, limit=1))
    assert outcome == Refused("2 alerts are more than the group's limit of 1; the state before is kept")
    again = step(rule(), firing, 30, sample(instance="a"), limit=1)
    assert again.transitions == ()


def test_a_query_in_a_template_is_asked_for_and_then_filled_in() -> None:
    judged = rule(annotations={"other": '{{ query "up" | first | value }}'})
    first = evaluate(judged, NEW, [sample()], Tick(START), AROUND)
    assert isinstance(first, Evaluation)
    assert first.wanted == {"up"}
    second = evaluate(judged, NEW, [sample()], Tick(START), AROUND, {"up": [Sample({}, 7.0)]})
    assert isinstance(second, Evaluation)
    assert [alert.annotations for alert in second.state.alerts.values()] == [{"other": "7"}]
    failed = evaluate(judged, NEW, [sample()], Tick(START), AROUND, {"up": "no connection"})
    assert isinstance(failed, Evaluation)
    (alert,) = failed.state.alerts.values()
    assert "no connection" in alert.annotations["other"]
    assert alert.state is State.FIRING, "a template never keeps an alert from firing"


@pytest.mark.parametrize(
    ("seconds", "jump", "expected"),
    [
        (30, 0, State.FIRING),
        (60, 0, State.FIRING),  # a restart or a few failed queries: the time counts
        (600, 0, State.PENDING),  # nobody watched for ten minutes
        (3615, 3600, State.PENDING),  # the clock was set forward by an hour
        (-3585, -3600, State.PENDING),  # and back
        (3630, 3600, State.FIRING),  # an hour's jump, and thirty real seconds
    ],
)
def test_a_jump_of_the_clock_alone_does_not_fire(seconds: float, jump: float, expected: State) -> None:
    judged = rule(hold=30)
    pending = step(judged, NEW, 0, sample()).state
    (alert,) = step(judged, pending, seconds, sample(), jump=jump).state.alerts.values()
    assert (alert.state, alert.active_at) == (expected, START)


def test_after_a_jump_the_rest_of_for_is_waited_for_and_the_reason_says_so() -> None:
    judged = rule(hold=30)
    state = step(judged, NEW, 0, sample()).state
    state = step(judged, state, 3615, sample(), jump=3600).state
    (alert,) = step(judged, state, 3630, sample()).state.alerts.values()
    assert alert.state is State.FIRING
    assert alert.reason == "the condition held for 30s (not counting 1h that nobody watched)"


def test_a_jump_of_the_clock_alone_does_not_end_keep_firing_for() -> None:
    judged = rule(keep=60)
    state = step(judged, NEW, 0, sample()).state
    state = step(judged, state, 15).state
    state = step(judged, state, 3630, jump=3600).state
    assert [alert.state for alert in state.alerts.values()] == [State.KEEPING]
    state = step(judged, state, 3675).state
    assert [alert.state for alert in state.alerts.values()] == [State.RESOLVED]


def test_a_removed_rule_resolves_what_fired_and_forgets_what_was_pending() -> None:
    judged = rule(hold=15)
    state = step(judged, NEW, 0, sample(instance="a")).state
    state = step(judged, state, 15, sample(instance="a"), sample(instance="b")).state
    gone = remove(state, START + 20)
    (alert,) = gone.state.alerts.values()
    assert (alert.state, alert.resolved_at, alert.reason) == (State.RESOLVED, START + 20, "the rule was removed")
    assert len(gone.dropped) == 1


def test_what_must_be_stored_is_steps_and_the_time_while_something_waits() -> None:
    judged = rule(hold=30)
    first = step(judged, NEW, 0, sample())
    second = step(judged, first.state, 15, sample())
    third = step(judged, second.state, 30, sample())
    fourth = step(judged, third.state, 45, sample())
    stored = [one.change("Hot") for one in (first, second, third, fourth)]
    assert [change and (change.evaluated_at, [alert.state for alert in change.put]) for change in stored] == [
        (START, [State.PENDING]),
        (START + 15, []),
        (START + 30, [State.FIRING]),
        None,
    ]
    empty = step(judged, NEW, 0)
    assert empty.change("Hot") is None


STORIES = st.text(alphabet="x.!", min_size=1, max_size=60)


@settings(deadline=None)
@given(story=STORIES, hold=st.integers(0, 6), keep=st.integers(0, 6))
def test_whatever_happens_states_follow_the_table_and_time_is_kept(story: str, hold: int, keep: int) -> None:
    """Firing needs `for` of holding, an end needs `keep_firing_for` of absence; a failure changes nothing."""
    states = life(rule(hold=hold * INTERVAL, keep=keep * INTERVAL), story)
    for number, (before, after) in enumerate(pairwise(states), start=1):
        if story[number] == "!":
            assert before == after, "a failed query changes nothing"
        if before in "-pr" and after == "f":
            seen = [what for what in story[: number + 1] if what != "!"]
            assert "." not in story[max(0, number - hold) : number + 1]
            assert seen[-1] == "x"
        if after == "r" and before in "fk":
            assert "x" not in story[max(0, number - keep) : number + 1]


@settings(deadline=None)
@given(story=STORIES, hold=st.integers(0, 6), keep=st.integers(0, 6), cut=st.integers(0, 59))
def test_a_restart_changes_nothing(story: str, hold: int, keep: int, cut: int) -> None:
    """What is stored at any moment leads to the same states as what was in memory."""
    judged = rule(hold=hold * INTERVAL, keep=keep * INTERVAL)
    memory, stored = NEW, NEW
    for number, what in enumerate(story):
        if what == "!":
            continue
        evaluation = step(judged, memory, number * INTERVAL, *[sample()] * (what == "x"))
        memory = evaluation.state
        change = evaluation.change(judged.id)
        if change is not None:
            alerts = {key: alert for key, alert in stored.alerts.items() if key not in change.drop}
            stored = RuleState(change.evaluated_at, alerts | {alert.fingerprint: alert for alert in change.put})
        if number == cut:
            memory = stored
        assert {key: alert.state for key, alert in stored.alerts.items()} == {
            key: alert.state for key, alert in memory.alerts.items()
        }
