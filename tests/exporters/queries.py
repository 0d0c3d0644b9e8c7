"""What the world's dashboards and rules ask exporters for: the vector selectors of theirs that name our metrics.

Node Exporter Full and kube-prometheus' boards are kept as panel titles and expressions, its rules as they are.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import yaml

from tests.exporters.machines import FIXTURES

FOLDER = FIXTURES / "queries"
RULES = ("nodeExporter", "kubePrometheus")
CONTAINER_RULES = ("kubernetesControlPlane",)

PARTS = ("expr", "lhs", "rhs", "args", "param", "vector_selector")


def boards(name: str = "boards") -> Mapping[str, list[tuple[str, str]]]:
    """Title of a board → its panels' titles and expressions, those of its variables among them."""
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {title: [(item["panel"], item["expr"]) for item in items] for title, items in content.items()}


def rule_groups(names: tuple[str, ...] = RULES) -> list[dict[str, Any]]:
    """The groups of the rule files, as Prometheus wants them."""
    groups: list[dict[str, Any]] = []
    for name in names:
        text = (FOLDER / f"{name}-prometheusRule.yaml").read_text(encoding="utf-8")
        groups += yaml.safe_load(text)["spec"]["groups"]
    return groups


def chosen(expr: str, variables: Mapping[str, str]) -> str:
    """An expression as Grafana sends it; `label_values(selector, label)` becomes the selector."""
    asked = re.fullmatch(r"label_values\((.+), *\w+\)", expr, re.DOTALL)
    text = asked[1] if asked else expr
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
    return text


def selectors(expr: str, *prefixes: str) -> set[str]:
    """The vector selectors in an expression whose metric begins as told, without ranges and offsets."""
    return {selector for selector in _walk(promql_parser.parse(expr)) if selector.startswith(prefixes or ("node_",))}


def metric_of(selector: str) -> str:
    """The name in a selector."""
    return selector.partition("{")[0]


def _walk(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, promql_parser.VectorSelector):
        yield str(node.prettify()).partition(" offset ")[0]
    else:
        for part in PARTS:
            child = getattr(node, part, None)
            if child is not None and not isinstance(child, str | int | float):
                yield from _walk(child)
