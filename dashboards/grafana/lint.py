"""What a good board must be, checked on the JSON that Grafana will read. Pure: problems out, nothing raised.

The rules follow grafana/dashboard-linter (data source variable, units, description, rate interval, counters
only in rates) and add ours: unique ids and titles, no overlap on the grid, every variable known and used.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.grafana.board import COLUMNS
from dashboards.grafana.promql import COUNTER_FUNCTIONS, parse, selected, variables
from fenghuo.errors import Problem

UNITS = frozenset(
    {"Bps", "bps", "bytes", "cps", "dtdurations", "eps", "none", "percentunit", "pps", "s", "suffix:cores"}
)
"""The unit ids in use; a new one is added here after a look into Grafana's list, because a typo shows no unit."""

_LABEL_VALUES = re.compile(r"label_values\((.+), \w+\)")

_GIVEN = frozenset({"__rate_interval", "__interval", "__range", "__all"})

Json = Mapping[str, Any]


def lint(board: Json) -> list[Problem]:
    """All problems of a board."""
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    return [
        *_identity(board),
        *_grid(board["panels"]),
        *_names(board),
        *_choices(board),
        *(problem for panel in panels for problem in _panel(panel)),
    ]


def _identity(board: Json) -> Iterator[Problem]:
    if not 1 <= len(board.get("uid") or "") <= 40:
        yield Problem("uid", "expected a uid of 1 to 40 characters", board.get("uid"))
    for key in ("id", "title"):
        counts = Counter(panel.get(key) for panel in board["panels"])
        for value, count in counts.items():
            if count > 1 or not value:
                yield Problem("panels", f"expected each panel to have its own {key}", value)


def _grid(panels: list[Json]) -> Iterator[Problem]:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        box, title = panel["gridPos"], str(panel["title"])
        if box["x"] + box["w"] > COLUMNS:
            yield Problem(f"panel {title!r}", f"expected to end within {COLUMNS} columns", box["x"] + box["w"])
        squares = [(x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])]
        others = {taken[square] for square in squares if square in taken}
        for other in sorted(others):
            yield Problem(f"panel {title!r}", f"expected room of its own, it covers {other!r}")
        taken.update(dict.fromkeys(squares, title))


def _names(board: Json) -> Iterator[Problem]:
    """Every variable that is used is known, every one that is known is used."""
    known = {variable["name"] for variable in board["templating"]["list"]}
    used = variables(json.dumps([board["panels"], board["templating"]]))
    for name in sorted(used - known - _GIVEN):
        yield Problem("templating", "unknown variable, expected one of " + ", ".join(sorted(known)), name)
    for name in sorted(known - used):
        yield Problem("templating", "expected every variable to be used", name)


def _choices(board: Json) -> Iterator[Problem]:
    """What fills a variable asks Prometheus too."""
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        asked = str(variable["query"]["query"])
        match = _LABEL_VALUES.fullmatch(asked)
        try:
            parse(match[1] if match else "")
        except ValueError as error:
            expected = f"expected label_values(selector, label) ({error})"
            yield Problem(f"variable {variable['name']!r}", expected, asked)


def _panel(panel: Json) -> Iterator[Problem]:
    where = f"panel {panel['title']!r}"
    if not panel.get("description"):
        yield Problem(where, "expected a description that says how to read it")
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
    if unit not in UNITS:
        yield Problem(where, "expected a unit of the list in dashboards/grafana/lint.py", unit)
    targets = panel.get("targets", [])
    if not targets:
        yield Problem(where, "expected at least one query")
    references = Counter(target["refId"] for target in targets)
    for reference, count in references.items():
        if count > 1:
            yield Problem(where, "expected each query to have its own refId", reference)
    for holder in (panel, *targets):
        if (holder.get("datasource") or {}).get("uid") != "${datasource}":
            yield Problem(where, "expected the data source variable ${datasource}", holder.get("datasource"))
    for target in targets:
        yield from _query(where, str(target["expr"]))


def _query(where: str, expr: str) -> Iterator[Problem]:
    try:
        parse(expr)
    except ValueError as error:
        yield Problem(where, f"expected valid PromQL ({error})", expr)
        return
    for item in selected(expr):
        if item.metric.endswith("_total") and not COUNTER_FUNCTIONS & set(item.inside):
            yield Problem(where, "expected a counter only inside rate or increase", item.metric)
        if "rate" in item.inside and "$__rate_interval" not in expr:
            yield Problem(where, "expected rate(...) over $__rate_interval, which follows the zoom", expr)
