"""PromQL with a board's variables in it: make it plain, parse it, look inside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

_NAME = r"([A-Za-z_]\w*)"  # not `$1`, which is label_replace's
_VARIABLE = re.compile(rf"\$\{{{_NAME}(?::\w+)?\}}|\${_NAME}|\[\[{_NAME}\]\]")
_DURATIONS = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
_PARTS = ("expr", "lhs", "rhs", "args", "param", "vector_selector")

COUNTER_FUNCTIONS = frozenset({"rate", "irate", "increase", "resets", "changes", "absent", "count", "group"})
"""A counter makes sense inside of these: they look at its growth, or only at whether it is there."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A metric name in an expression, the functions and aggregations around it, outermost first, and the labels
    that its matchers name.
    """

    metric: str
    inside: tuple[str, ...] = ()
    matched: frozenset[str] = frozenset()


def variables(text: str) -> set[str]:
    """The names of the variables in a text, Grafana's own (`__rate_interval`) among them."""
    return {next(filter(None, match.groups())) for match in _VARIABLE.finditer(text)}


def plain(expr: str) -> str:
    """The expression with durations for Grafana's own variables and a value for all others."""
    return _VARIABLE.sub(lambda match: _DURATIONS.get(next(filter(None, match.groups())), "value"), expr)


def parse(expr: str) -> Any:
    """The syntax tree. Raises ValueError saying where the expression is wrong."""
    return promql_parser.parse(plain(expr))


def selected(expr: str) -> list[Selected]:
    """Every metric that the expression selects, in order. Raises ValueError as `parse` does."""
    return list(_walk(parse(expr), ()))


def _walk(node: Any, inside: tuple[str, ...]) -> Iterator[Selected]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, inside)
        return
    if isinstance(node, promql_parser.VectorSelector):
        matchers = {str(matcher.name): str(matcher.value) for matcher in node.matchers.matchers}
        name = node.name or matchers.get("__name__", "")
        if name:
            yield Selected(name, inside, frozenset(matchers) - {"__name__"})
        return
    deeper = (*inside, *_function(node))
    for part in _PARTS:
        child = getattr(node, part, None)
        if child is not None and not isinstance(child, str | int | float):
            yield from _walk(child, deeper)


def _function(node: Any) -> tuple[str, ...]:
    if isinstance(node, promql_parser.Call):
        return (str(node.func.name),)
    return (str(node.op),) if isinstance(node, promql_parser.AggregateExpr) else ()
