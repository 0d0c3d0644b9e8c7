"""A bound on what a regular expression from outside may cost. Pure.

Alertmanager's expressions run in linear time, Python's may try for ever: `(a+)+b` on thirty letters stops the
whole engine. Those of the configuration are its writer's; those of a request are refused when they could.
"""

import importlib
import math
from collections.abc import Iterable
from typing import Any

_parser: Any = importlib.import_module("re._parser")  # the one that `re.compile` uses

MOST = 3.0
"""Repeats in a row that one expression may have: `.*a.*b.*` has three. A choice or a `?` is a quarter of one."""

_FREE = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY", "AT"})


def require_cheap(pattern: str) -> None:
    """Raise ValueError when trying all ways to match could take long; re.error when it is no expression."""
    if _cost(_parser.parse(pattern)) > MOST:
        raise ValueError(f"expected an expression without nested repeats and with few of them, got {pattern[:100]!r}")


def _cost(sequence: Iterable[tuple[Any, Any]]) -> float:
    return sum(_cost_of(operation.name, argument) for operation, argument in sequence)


def _cost_of(operation: str, argument: Any) -> float:
    if operation in _FREE:
        return 0.0
    if operation == "SUBPATTERN":
        return _cost(argument[-1])
    if operation == "BRANCH":
        return 0.25 + max(_cost(branch) for branch in argument[1])
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, repeated = argument
        own = 0.0 if least == most else 0.25 if most == 1 else 1.0
        return own + _cost(repeated) * int(most)
    return math.inf  # looking around and back: Alertmanager has none either
