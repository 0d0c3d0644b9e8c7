"""A board as text: the same bytes for the same board, on every machine and every day."""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana.board import Board, assemble


def to_json(board: Board) -> Any:
    """The board as plain JSON values, the way Grafana will read it."""
    return json.loads(json.dumps(assemble(board), cls=JSONEncoder))


def render(board: Board) -> str:
    """Keys in order, two spaces, a line end at the end."""
    return json.dumps(to_json(board), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
