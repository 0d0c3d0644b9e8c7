"""When groups are evaluated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.passage import Tick, explain, jump_between, uncounted
from alerting.engine.schedule import Schedule, due_at, phase


def starting(wall: float = 1000.0, interval: float = 15.0, shift: float = 5.0) -> Schedule:
    return Schedule(interval, shift, due_at(wall, interval, shift), wall, steady=0.0)


@settings(deadline=None)
@given(key=st.text(), interval=st.floats(0.1, 86400))
def test_a_phase_belongs_to_its_key_and_lies_inside_the_interval(key: str, interval: float) -> None:
    assert 0 <= phase(key, interval) < interval + 0.001
    assert phase(key, interval) == phase(key, interval)


def test_many_groups_do_not_fall_on_one_second() -> None:
    seconds = [int(phase(f"rules.yml;group-{number}", 60.0)) for number in range(6000)]
    assert max(seconds.count(second) for second in range(60)) < 150


@pytest.mark.parametrize(
    ("wall", "expected"),
    [(1000.0, 995.0), (1009.9, 995.0), (1010.0, 1010.0), (1024.99, 1010.0)],
)
def test_evaluations_stand_on_a_grid(wall: float, expected: float) -> None:
    assert due_at(wall, 15.0, 5.0) == expected


def test_a_group_waits_for_the_next_time_of_its_grid() -> None:
    schedule = starting(1000.0)
    assert schedule.delay(1000.0) == 10.0
    assert schedule.delay(1010.0) == 0.0
    tick, schedule = schedule.tick(1010.2, 10.2)
    assert tick == Tick(at=1010.0)
    assert schedule.delay(1010.4) == pytest.approx(14.6)


def test_a_long_evaluation_is_followed_by_one_evaluation_and_the_missed_are_counted() -> None:
    _, schedule = starting(1000.0).tick(1010.0, 10.0)
    assert schedule.delay(1060.0) == 0.0
    tick, schedule = schedule.tick(1060.0, 60.0)
    assert tick == Tick(at=1055.0, missed=2)
    assert schedule.delay(1060.0) == 10.0


def test_a_suspended_machine_is_a_jump_and_nothing_was_missed() -> None:
    _, schedule = starting(1000.0).tick(1010.0, 10.0)
    tick, _ = schedule.tick(1010.0 + 3615, 25.0)
    assert (tick.jump, tick.missed, tick.at) == (3600.0, 0, 4625.0)


def test_a_clock_set_back_is_followed_at_once_and_a_small_step_is_waited_for() -> None:
    _, schedule = starting(4000.0).tick(4010.0, 10.0)
    assert schedule.delay(1000.0) == 0.0
    tick, after = schedule.tick(1000.0, 11.0)
    assert (tick.at, tick.jump, tick.missed) == (995.0, -3011.0, 0)
    assert after.delay(1000.0) == 10.0
    assert schedule.delay(4004.0) == pytest.approx(21.0), "a step of six seconds back: no time is evaluated twice"


@settings(deadline=None)
@given(interval=st.sampled_from([1.0, 15.0, 60.0]), waits=st.lists(st.floats(0.0, 200.0), max_size=20))
def test_times_only_grow_and_none_is_evaluated_twice(interval: float, waits: list[float]) -> None:
    wall, schedule, seen = 1000.0, Schedule.starting("k", interval, 1000.0, 0.0), [0.0]
    for wait in waits:
        wall += wait
        delay = schedule.delay(wall)
        assert 0 <= delay <= 2 * interval
        wall += delay
        if schedule.delay(wall) > 0:
            continue
        tick, schedule = schedule.tick(wall, wall - 1000.0)
        assert tick.at > seen[-1]
        assert wall - tick.at < interval + 1e-6
        seen.append(tick.at)


@pytest.mark.parametrize(
    ("before", "at", "jump", "interval", "expected"),
    [
        (None, 100.0, 0.0, 15.0, 0.0),
        (100.0, 115.0, 0.0, 15.0, 0.0),
        (100.0, 160.0, 0.0, 15.0, 0.0),
        (100.0, 161.0, 0.0, 15.0, 61.0),
        (100.0, 340.0, 0.0, 60.0, 0.0),
        (100.0, 341.0, 0.0, 60.0, 241.0),
        (100.0, 3715.0, 3600.0, 15.0, 3600.0),
        (5000.0, 1415.0, -3600.0, 15.0, -3600.0),
        (5000.0, 1000.0, 0.0, 15.0, -4000.0),
    ],
)
def test_what_nobody_watched_does_not_count(
    before: float | None, at: float, jump: float, interval: float, expected: float
) -> None:
    assert uncounted(before, Tick(at, jump), interval) == expected


def test_a_clock_that_drifts_a_little_has_not_jumped() -> None:
    assert jump_between(15.3, 15.0) == 0.0
    assert jump_between(20.0, 15.0) == 5.0


def test_a_reason_names_what_does_not_count() -> None:
    assert explain(0.2) == ""
    assert explain(-3600.0) == " (not counting 1h that nobody watched)"
