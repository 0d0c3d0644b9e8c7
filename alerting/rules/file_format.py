"""The shape of a rule file: Prometheus' own (model/rulefmt/rulefmt.go), and the PrometheusRule object around it.

Every field checks itself, so that all mistakes of a file come out at once. Unknown keys are refused. Only texts
come in: the loader reads every scalar as it is written, so that `severity: 1` and `version: 1.10` stay as they are.
"""

import re
from typing import Annotated, Any, Literal

import promql_parser
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from alerting.rules.golang_templates import Template, compile_template
from fenghuo.config import Config, Seconds

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
RESERVED = ("__name__", "alertname")


def check_expression(text: str) -> str:
    """PromQL that parses. Raises ValueError with the parser's reason."""
    try:
        promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"expected a PromQL expression: {error}") from error
    return text


def _label_name(name: str) -> str:
    if not _LABEL_NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits and _")
    return name


def _rule_label(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"expected a label other than {' and '.join(RESERVED)}, which the engine sets")
    return _label_name(name)


def _metric_name(name: str) -> str:
    if not _METRIC_NAME.fullmatch(name):
        raise ValueError("expected a metric name of letters, digits, _ and :")
    return name


def _template(text: Any) -> Any:
    try:
        return compile_template(text) if isinstance(text, str) else text
    except ValueError as error:
        raise ValueError(f"expected a template: {error}") from error


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a name")
    return text


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("expected a duration above 0")
    return seconds


def _empty_is_none(value: Any) -> Any:
    """An empty text is as good as no value: `for: ""`."""
    return None if value == "" else value


def _nothing_is_a_map(value: Any) -> Any:
    return {} if value in (None, "") else value


def _nothing_is_a_list(value: Any) -> Any:
    return () if value in (None, "") else value


Expression = Annotated[str, AfterValidator(check_expression)]
Filled = Annotated[str, AfterValidator(_filled)]
TemplateField = Annotated[Template, BeforeValidator(_template)]
Templates = Annotated[
    dict[Annotated[str, AfterValidator(_label_name)], TemplateField], BeforeValidator(_nothing_is_a_map)
]
RuleLabels = Annotated[
    dict[Annotated[str, AfterValidator(_rule_label)], TemplateField], BeforeValidator(_nothing_is_a_map)
]
Duration = Annotated[Seconds | None, BeforeValidator(_empty_is_none)]


class RuleEntry(Config):
    """One rule: `alert` or `record`, and never both."""

    model_config = ConfigDict(populate_by_name=True)

    alert: Filled | None = None
    record: Annotated[str, AfterValidator(_metric_name)] | None = None
    expr: Expression
    hold: Duration = Field(default=None, alias="for")
    keep_firing_for: Duration = None
    labels: RuleLabels = Field(default_factory=dict)
    annotations: Templates = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> "RuleEntry":
        if (self.alert is None) == (self.record is None):
            raise ValueError("expected one of alert and record")
        extras = [
            name
            for name, value in (
                ("for", self.hold),
                ("keep_firing_for", self.keep_firing_for),
                ("annotations", self.annotations),
            )
            if value
        ]
        if self.record is not None and extras:
            raise ValueError(f"expected no {', '.join(extras)} on a recording rule")
        return self


class GroupEntry(Config):
    """One group. `source` is ours: the name of a source of the configuration that its queries go to."""

    name: Filled
    interval: Annotated[Seconds, AfterValidator(_positive)] | None = None
    query_offset: Duration = None
    limit: int = Field(default=0, ge=0)
    labels: RuleLabels = Field(default_factory=dict)
    source: str = ""
    partial_response_strategy: Literal["", "abort", "warn"] = ""
    rules: Annotated[tuple[RuleEntry, ...], BeforeValidator(_nothing_is_a_list)] = ()


class RuleFile(Config):
    """`groups:`, each name once."""

    groups: Annotated[tuple[GroupEntry, ...], BeforeValidator(_nothing_is_a_list)] = ()


class PrometheusRule(Config):
    """The Kubernetes object that holds a rule file in its `spec`."""

    api_version: Literal["monitoring.coreos.com/v1"] = Field(alias="apiVersion")
    kind: Literal["PrometheusRule"]
    metadata: dict[str, Any] = Field(default_factory=dict)
    spec: RuleFile
