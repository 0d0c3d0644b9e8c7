"""A board from its parts: rows of panels flow onto Grafana's grid, ids are given in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.variables import Variable

COLUMNS = 24
"""Grafana's grid is this wide; a unit of height is 30 pixels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A panel and the room it takes on the grid."""

    panel: Builder[model.Panel]
    width: int = 8
    height: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and the panels below it."""

    title: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Board:
    """What a module of `dashboards.boards` gives. `uid` is part of the board's address and never changes."""

    uid: str
    title: str
    description: str
    tags: Sequence[str]
    variables: Sequence[Variable]
    rows: Sequence[Row]


def assemble(board: Board) -> model.Dashboard:
    """Grafana's classic dashboard model (schema of the pinned SDK), read-only because its source is code."""
    builder = (
        builders.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(["fenghuo", *board.tags])
        .variables(list(board.variables))
        .readonly()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
    )
    built = builder.build()
    built.panels = place(board.rows)
    return built


def place(rows: Sequence[Row]) -> list[model.Panel | model.RowPanel]:
    """Left to right, a new line when the next panel does not fit, each row below the one before."""
    placed: list[model.Panel | model.RowPanel] = []
    top = 0
    for row in rows:
        heading = builders.Row(row.title).collapsed(False).id(len(placed) + 1).build()
        heading.grid_pos = model.GridPos(x=0, y=top, w=COLUMNS, h=1)
        placed.append(heading)
        left, line, top = 0, 0, top + 1
        for cell in row.cells:
            if left + cell.width > COLUMNS:
                left, line, top = 0, 0, top + line
            panel = cell.panel.build()
            panel.id_val = len(placed) + 1
            panel.grid_pos = model.GridPos(x=left, y=top, w=cell.width, h=cell.height)
            placed.append(panel)
            left, line = left + cell.width, max(line, cell.height)
        top += line
    return placed
