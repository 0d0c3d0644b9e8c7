"""From a condition to a message: rule files, engine, database, route and webhook together, through every kill."""

import random
from pathlib import Path

import pytest

from alerting.engine.schedule import phase
from tests.acceptance.chain import EPOCH, Chain, Message

RULES = """
groups:
- name: hosts
  interval: 5s
  rules:
  - alert: Down
    expr: up == 0
    for: 30s
"""


def grid(folder: Path, second: float) -> float:
    """The first evaluation at or after this second."""
    shift = (phase(f"{folder / 'rules.yml'};hosts", 5.0) - EPOCH) % 5.0
    return second + (shift - second) % 5.0


def rounded(messages: list[Message]) -> list[tuple[str, str, float, float | None]]:
    return [
        (one.status, one.instance, round(one.starts, 2), None if one.ends is None else round(one.ends, 2))
        for one in messages
    ]


def test_a_condition_that_holds_becomes_two_messages(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20, end=120)
    fired, ended = round(grid(tmp_path, 20) + 30, 2), round(grid(tmp_path, 120), 2)
    assert rounded(chain.messages(until=200)) == [
        ("firing", "web-1", fired, None),
        ("resolved", "web-1", fired, ended),
    ]


def test_a_condition_that_does_not_last_is_not_told(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20, end=45)
    chain.burns("web-1", start=60, end=85)
    assert chain.messages(until=200) == []


def test_a_source_that_is_away_neither_fires_nor_resolves(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20, end=400)
    chain.burns("web-2", start=95, end=110)
    chain.source_away(start=100, end=300)
    fired, ended = round(grid(tmp_path, 20) + 30, 2), round(grid(tmp_path, 400), 2)
    assert rounded(chain.messages(until=500)) == [
        ("firing", "web-1", fired, None),
        ("resolved", "web-1", fired, ended),
    ]


def test_a_source_that_is_away_through_a_restart_resolves_nothing_either(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20)
    chain.source_away(start=100, end=300)
    chain.kill(at=150)
    chain.kill(at=250)
    assert [message.status for message in chain.messages(until=400)] == ["firing"]


def test_an_edit_of_a_rule_loses_no_pending_time_and_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20, end=120)
    chain.reload(at=30, rules=RULES.replace("up == 0", "up < 1"))
    chain.reload(at=35, rules=RULES.replace("up == 0", "up < ("))
    chain.reload(at=40, config="route: {receiver: nobody}")
    fired, ended = round(grid(tmp_path, 20) + 30, 2), round(grid(tmp_path, 120), 2)
    assert rounded(chain.messages(until=200)) == [
        ("firing", "web-1", fired, None),
        ("resolved", "web-1", fired, ended),
    ]
    assert len(chain.refusals) == 2
    assert "rules.yml:7: groups[0].rules[0].expr: expected a PromQL expression" in chain.refusals[0]


def test_a_rule_that_is_deleted_is_told_as_resolved(tmp_path: Path) -> None:
    chain = Chain(tmp_path, RULES)
    chain.burns("web-1", start=20)
    chain.reload(at=100, rules="groups: []")
    assert [message.status for message in chain.messages(until=200)] == ["firing", "resolved"]


Told = set[tuple[str, str, float, float | None]]


def four_fires(chain: Chain, folder: Path, chance: random.Random) -> Told:
    """Four conditions that hold for a while, and what must be told of them."""
    expected: Told = set()
    for number in range(4):
        start = chance.randrange(10, 60)
        end = start + chance.randrange(40, 120)
        chain.burns(f"web-{number}", start, end)
        fired = round(grid(folder, start) + 30, 2)
        expected |= {
            ("firing", f"web-{number}", fired, None),
            ("resolved", f"web-{number}", fired, round(grid(folder, end), 2)),
        }
    return expected


@pytest.mark.parametrize("seed", range(8))
def test_kills_between_evaluations_change_nothing_that_is_told(tmp_path: Path, seed: int) -> None:
    """Up to nine kills: no pending time lost, no false end, nothing untold, to the second."""
    chance = random.Random(seed)
    chain = Chain(tmp_path, RULES)
    expected = four_fires(chain, tmp_path, chance)
    for _ in range(chance.randrange(3, 10)):
        chain.kill(at=chance.randrange(5, 200))
    assert set(rounded(chain.messages(until=230))) == expected


@pytest.mark.parametrize("seed", range(8))
def test_kills_in_the_middle_of_an_evaluation_cost_no_more_than_that_evaluation(tmp_path: Path, seed: int) -> None:
    """What was not stored is seen one interval later; nothing else changes."""
    chance = random.Random(seed)
    chain = Chain(tmp_path, RULES)
    expected = sorted(four_fires(chain, tmp_path, chance))
    for number in range(5):
        chain.kill(at=40 * number + chance.randrange(1, 40), midway=True)
    told = sorted(rounded(chain.messages(until=260)))
    assert [one[:2] for one in told] == [one[:2] for one in expected]
    for got, wanted in zip(told, expected, strict=True):
        # one evaluation lost when it began to hold, one when it was due
        assert 0 <= got[2] - wanted[2] <= 10
        assert 0 <= (got[3] or 0) - (wanted[3] or 0) <= 5
