"""Go templates as Prometheus' rule files use them, in labels and annotations.

The data is Prometheus' own (rules/alerting.go): `.Labels`/`$labels`, `.Value`/`$value`,
`.ExternalLabels`/`$externalLabels`, `.ExternalURL`/`$externalURL`. See `alerting.rules.golang` for what runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerting.model.labels import Labels
from alerting.rules.golang.functions import NAMES
from alerting.rules.golang.interpreter import Query, Struct, TemplateError, render
from alerting.rules.golang.nodes import Node
from alerting.rules.golang.parser import parse

_VARIABLES = ("$labels", "$value", "$externalLabels", "$externalURL")


__all__ = ["Query", "Struct", "Template", "TemplateData", "TemplateError", "compile_template"]


def no_query(expression: str) -> Sequence[Struct]:
    """Where there is no source to ask."""
    raise TemplateError(f"no source to ask for {expression}")


@dataclass(frozen=True, slots=True)
class TemplateData:
    """What a template sees of one alert: the labels and the value of its sample, where we live, whom to ask."""

    labels: Labels
    value: float
    external_labels: Labels = field(default_factory=dict)
    external_url: str = ""
    query: Query = no_query


@dataclass(frozen=True, slots=True)
class Template:
    """A text with its tree, parsed once. Two templates are equal when their texts are."""

    text: str
    _nodes: tuple[Node, ...] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if "{{" in self.text:
            object.__setattr__(self, "_nodes", parse(self.text, NAMES, _VARIABLES))

    def render(self, data: TemplateData) -> str:
        """The text for one alert.

        Never raises: a template that fails must not keep an alert from firing, so its text says what
        failed, in the words that Prometheus uses.
        """
        if self._nodes is None:
            return self.text
        root = Struct(
            Labels=data.labels,
            Value=data.value,
            ExternalLabels=data.external_labels,
            ExternalURL=data.external_url,
        )
        variables = dict(zip(_VARIABLES, root.values(), strict=True))
        try:
            return render(self._nodes, root, variables, data.query)
        except TemplateError as error:
            return f"<error expanding template: {error}>"


def compile_template(text: str) -> Template:
    """Parse a template. Raises ValueError naming the line and what is wrong, unknown functions included."""
    return Template(text)
