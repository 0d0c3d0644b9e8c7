"""The life of an alert is a table, and the documentation shows that very table."""

from pathlib import Path

from alerting.engine.state import TRANSITIONS, Event, State

DOCUMENT = Path(__file__).parents[3] / "docs" / "alerting.md"
COLUMNS = (Event.HOLDS, Event.DUE, Event.GONE, Event.LINGERS, Event.REMOVED)


def test_the_documentation_shows_the_table_that_runs() -> None:
    """Row by row; a resolved alert's expiry is written into its cell."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| state | the condition holds"))
    shown: dict[tuple[State, Event], State] = {}
    for line in lines[start + 2 : start + 2 + len(State)]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        for event, cell in zip(COLUMNS, cells, strict=True):
            first, *rest = cell.split(", after 15 minutes ")
            shown |= {(State(name), event): State(first)} if first else {}
            shown |= {(State(name), Event.EXPIRED): State(rest[0])} if rest else {}
    assert shown == dict(TRANSITIONS)


def test_every_state_can_be_left_and_every_event_is_used() -> None:
    for state in State:
        assert [after for (before, _), after in TRANSITIONS.items() if before is state and after is not state]
    assert {event for _, event in TRANSITIONS} == set(Event)
