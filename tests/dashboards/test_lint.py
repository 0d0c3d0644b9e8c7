"""The lint lets a good board pass and names each fault of a bad one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.catalog import GRAFANA
from dashboards.grafana.board import Board, Cell, Row
from dashboards.grafana.lint import lint
from dashboards.grafana.panels import Query, graph, number
from dashboards.grafana.render import to_json
from dashboards.grafana.variables import datasource, label

GOOD = to_json(
    Board(
        uid="good",
        title="Good",
        description="A board without a fault.",
        tags=(),
        variables=(datasource(), label("pod", "Pod", "up")),
        rows=(
            Row(
                "Row",
                [
                    Cell(graph("Rate", "How fast.", "cps", Query('rate(x_total{pod=~"$pod"}[$__rate_interval])'))),
                    Cell(number("Up", "How many.", "none", Query("count(up)"))),
                ],
            ),
        ),
    )
)

Harm = Callable[[Any], object]


def panel(board: Any, title: str) -> Any:
    return next(item for item in board["panels"] if item["title"] == title)


def target(board: Any) -> Any:
    return panel(board, "Rate")["targets"][0]


FAULTS: list[tuple[Harm, str]] = [
    (lambda board: board.update(uid=""), "expected a uid of 1 to 40 characters"),
    (lambda board: panel(board, "Up").update(id=2), "expected each panel to have its own id"),
    (lambda board: panel(board, "Up").update(title="Rate"), "expected each panel to have its own title"),
    (lambda board: panel(board, "Up").update(description=""), "expected a description"),
    (
        lambda board: panel(board, "Up")["fieldConfig"]["defaults"].update(unit="percentt"),
        "expected a unit of the list",
    ),
    (lambda board: panel(board, "Up")["fieldConfig"]["defaults"].pop("unit"), "expected a unit of the list"),
    (lambda board: panel(board, "Up")["targets"].clear(), "expected at least one query"),
    (lambda board: panel(board, "Up")["targets"].append(panel(board, "Up")["targets"][0]), "its own refId"),
    (lambda board: panel(board, "Up")["gridPos"].update(x=20), "expected to end within 24 columns"),
    (lambda board: panel(board, "Up")["gridPos"].update(x=4), "expected room of its own, it covers 'Rate'"),
    (lambda board: panel(board, "Up").update(datasource={"uid": "abc"}), "expected the data source variable"),
    (lambda board: target(board).update(datasource=None), "expected the data source variable"),
    (lambda board: target(board).update(expr="sum("), "expected valid PromQL"),
    (lambda board: target(board).update(expr='x_total{pod=~"$pod"}'), "expected a counter only inside rate"),
    (lambda board: target(board).update(expr='rate(x_total{pod=~"$pod"}[5m])'), "over $__rate_interval"),
    (lambda board: target(board).update(expr='up{pod=~"$pdo"}'), "unknown variable, expected one of datasource, pod"),
    (lambda board: target(board).update(expr="up"), "expected every variable to be used"),
    (
        lambda board: board["templating"]["list"][1].update(query={"query": "label_values(up{, pod)", "refId": "x"}),
        "expected label_values(selector, label)",
    ),
]


def test_a_good_board_has_no_fault() -> None:
    """The one that the faults below are made of."""
    assert lint(GOOD) == []


@pytest.mark.parametrize(("harm", "expected"), FAULTS, ids=[expected for _, expected in FAULTS])
def test_each_fault_is_named(harm: Harm, expected: str) -> None:
    """One change to the good board."""
    board = copy.deepcopy(GOOD)
    harm(board)

    assert [problem.text("board") for problem in lint(board) if expected in problem.text("board")] != []


@pytest.mark.parametrize("name", GRAFANA)
def test_our_boards_have_no_fault(name: str) -> None:
    """Every board of the catalog."""
    assert lint(to_json(GRAFANA[name]())) == []
