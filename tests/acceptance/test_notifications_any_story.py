"""Whatever happens in whatever order, in the end the receiver knows what is true."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.notify.outcome import FailReason, Outcome, Refused, TryAgain
from tests.acceptance.timeline import Timeline, Told, firing, resolved

ROUTE = {"receiver": "team", "group_by": ["team"], "group_wait": "1s", "group_interval": "5s", "repeat_interval": "1h"}

NAMES = ("A", "B", "C")
DOWN = TryAgain(FailReason.SERVER_ERROR, "503")
BACK_AT, END = 60.0, 200.0

EVENTS = st.tuples(
    st.integers(0, 100).map(lambda half: half / 2),
    st.sampled_from(["fire", "fire", "fire", "end", "end", "kill", "hang", "down", "up", "reload"]),
    st.sampled_from(NAMES),
)


def write(story: Timeline, events: list[tuple[float, str, str]]) -> dict[str, float | None]:
    """Put the events into the story; for each alert that came: None while it fires, or when it ended."""
    truth: dict[str, float | None] = {}
    began: dict[str, float] = {}
    hangs = any(kind == "hang" for _, kind, _ in events)  # a reload would politely wait for it
    for at, kind, name in sorted(events):
        if kind == "fire":
            if truth.get(name, 0.0) is not None:
                began[name] = at
            truth[name] = None
            story.push(at, firing(name, at=began[name], team="x"))
        elif kind == "end" and name in began and at > began[name]:
            truth[name] = at
            story.push(at, resolved(name, at=at, began=began[name], team="x"))
        elif kind == "kill" or (kind == "reload" and hangs):
            story.kill(at)
        elif kind in ("hang", "down", "up"):
            story.behave(at, "team", DOWN if kind == "down" else None, answers=kind != "hang")
        elif kind == "reload":
            story.reload(at, {**ROUTE, "group_interval": "3s"})
    return truth


def last_words(told: list[Told]) -> dict[str, bool]:
    """For each alert that was told of: whether the last message said that it fires."""
    words: dict[str, bool] = {}
    for message in told:
        words |= dict.fromkeys(message.firing, True) | dict.fromkeys(message.resolved, False)
    return words


@settings(max_examples=50, deadline=None)
@given(events=st.lists(EVENTS, max_size=25))
def test_in_the_end_the_receiver_knows_what_is_true(events: list[tuple[float, str, str]]) -> None:
    """What fires was told, and told last; what was told and is over was told to be over."""
    with TemporaryDirectory() as folder:
        story = Timeline(Path(folder), ROUTE, "team")
        truth = write(story, events)
        # a receiver that keeps a message for ever is only left by a new start
        story.behave(BACK_AT, "team")
        story.kill(BACK_AT)
        words = last_words(story.happen(END))
    assert {name for name, ended in truth.items() if ended is None} == {name for name, fires in words.items() if fires}
    assert set(words) <= set(truth)


@settings(max_examples=50, deadline=None)
@given(events=st.lists(EVENTS.filter(lambda event: event[1] not in ("hang", "down")), max_size=25))
def test_a_receiver_that_answers_is_never_told_the_same_twice(events: list[tuple[float, str, str]]) -> None:
    """Crashes and reloads among them; a message is new in an alert that begins or ends."""
    with TemporaryDirectory() as folder:
        story = Timeline(Path(folder), ROUTE, "team")
        write(story, events)
        told = story.happen(END)
    for before, after in pairwise(told):
        news = set(after.firing) - set(before.firing) | set(after.resolved) - set(before.resolved)
        assert news, (before, after)


@pytest.mark.parametrize("outcome", [DOWN, Refused(FailReason.CLIENT_ERROR, "400")])
def test_a_receiver_that_comes_back_hears_what_still_fires(tmp_path: Path, outcome: Outcome) -> None:
    """After being down for a while, or after refusing for a while."""
    story = Timeline(tmp_path, ROUTE, "team")
    story.behave(0, "team", outcome)
    story.push(1, firing("A", at=1, team="x"))
    story.behave(100, "team")
    told = story.happen(1020)
    assert told[-1].firing == ("A",)
    assert told[-1].at > 100
