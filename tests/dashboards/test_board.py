"""From rows of panels to places on Grafana's grid."""

from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.board import Cell, Row, place
from dashboards.grafana.panels import Query, number

UP = Query("up")


def boxes(*rows: Row) -> list[tuple[str | None, int | None, tuple[int, int, int, int]]]:
    """Title, id and (x, y, width, height) of everything placed."""
    found = []
    for panel in place(rows):
        position = panel.grid_pos
        assert isinstance(position, model.GridPos)
        found.append((panel.title, panel.id_val, (position.x, position.y, position.w, position.h)))
    return found


def test_panels_flow_from_left_to_right_and_a_row_starts_below_the_highest() -> None:
    """What does not fit begins a new line; ids count in reading order."""
    first = Row("one", [Cell(number(name, "d", "none", UP), width=10, height=4) for name in "ab"])
    tall = Row("two", [Cell(number("c", "d", "none", UP), 10, 9), Cell(number("d", "d", "none", UP), 16, 3)])
    last = Row("three", [])

    assert boxes(first, tall, last) == [
        ("one", 1, (0, 0, 24, 1)),
        ("a", 2, (0, 1, 10, 4)),
        ("b", 3, (10, 1, 10, 4)),
        ("two", 4, (0, 5, 24, 1)),
        ("c", 5, (0, 6, 10, 9)),
        ("d", 6, (0, 15, 16, 3)),
        ("three", 7, (0, 18, 24, 1)),
    ]
