"""Rules and samples for the tests of the engine."""

from alerting.engine.ports import Sample
from alerting.rules.golang_templates import compile_template
from alerting.rules.rule import AlertingRule, Group

START = 1_700_000_000.0


def rule(
    name: str = "Hot",
    *,
    expr: str = "temperature > 1",
    hold: float = 0.0,
    keep: float = 0.0,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> AlertingRule:
    """An alerting rule; its id is its name."""
    return AlertingRule(
        id=name,
        name=name,
        expr=expr,
        hold=hold,
        keep_firing_for=keep,
        labels=tuple((key, compile_template(text)) for key, text in (labels or {}).items()),
        annotations=tuple((key, compile_template(text)) for key, text in (annotations or {}).items()),
    )


def group(*rules: AlertingRule, name: str = "g", interval: float = 15.0, limit: int = 0) -> Group:
    """A group of these rules."""
    return Group(name=name, file="rules.yml", interval=interval, rules=rules, limit=limit)


def sample(value: float = 2.0, **labels: str) -> Sample:
    """A series of a query's answer."""
    return Sample({"__name__": "temperature", **labels}, value)
