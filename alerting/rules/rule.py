"""What a rule is, once its file has been read: frozen values that the engine, the API and the linter share.

A rule's `id` is its identity across restarts and edits: group, name and labels as written in the file, and a
counter where several rules have all three in common. Expression, `for`, annotations and the file's place are
not in it, so that editing a threshold or moving a file loses no pending time.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from alerting.model.labels import Labels
from alerting.rules.golang_templates import Template, TemplateData

ALERTNAME = "alertname"


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """One `alert:` of a file. Durations are seconds; `hold` is the file's `for`; `limit` 0 means none.

    `labels` and `annotations` are pairs of a name and its template; the group's labels are among them.
    """

    id: str
    name: str
    expr: str
    hold: float = 0.0
    keep_firing_for: float = 0.0
    labels: tuple[tuple[str, Template], ...] = ()
    annotations: tuple[tuple[str, Template], ...] = ()
    type: Literal["alerting"] = "alerting"

    def labels_of(self, data: TemplateData) -> dict[str, str]:
        """The labels of the alert that a sample makes: the sample's, the rule's over them, and the name.

        The metric's name is dropped, and so is a label without a value (rules/alerting.go).
        """
        labels = {name: value for name, value in data.labels.items() if name != "__name__"}
        for name, template in self.labels:
            labels[name] = template.render(data)
        labels[ALERTNAME] = self.name
        return {name: value for name, value in labels.items() if value}

    def annotations_of(self, data: TemplateData) -> dict[str, str]:
        """The annotations, filled in; a template that fails says so in its place."""
        return {name: template.render(data) for name, template in self.annotations}


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """One `record:` of a file. It is shown, and left to the metrics store to evaluate."""

    id: str
    name: str
    expr: str
    labels: tuple[tuple[str, Template], ...] = ()
    type: Literal["recording"] = "recording"


Rule = AlertingRule | RecordingRule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, at one time. `interval` and `query_offset` are seconds.

    `source` names where its queries go, "" the first of the configuration.
    """

    name: str
    file: str
    interval: float
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset: float = 0.0
    source: str = ""

    @property
    def key(self) -> str:
        """Unique among all groups, as in Prometheus' metrics: `file;name`."""
        return f"{self.file};{self.name}"


def rule_id(group: str, name: str, labels: Labels, nth: int) -> str:
    """The identity of the `nth` (from 0) rule of this group, name and labels: 16 hex digits."""
    parts = [group, name, *(part for pair in sorted(labels.items()) for part in pair), str(nth)]
    return hashlib.blake2b("\xff".join(parts).encode(), digest_size=8).hexdigest()
