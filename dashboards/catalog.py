"""All boards and views there are: one line each. The key is the name of the generated file."""

from collections.abc import Callable, Mapping, Sequence

from dashboards.boards import node_overview
from dashboards.grafana.board import Board
from dashboards.kibana import logs
from dashboards.kibana.objects import SavedObject

GRAFANA: Mapping[str, Callable[[], Board]] = {
    "node_overview": node_overview.build,
}

KIBANA: Mapping[str, Callable[[], Sequence[SavedObject]]] = {
    "logs": logs.build,
}
