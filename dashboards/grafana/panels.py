"""The few kinds of panel that our boards are made of, each with the look that all boards share.

A panel is a title, a description that says how to read it, a unit of Grafana's list, and its queries.
"""

from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Always the board's variable: a board must open in any Grafana."""

GREEN, AMBER, RED = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and the legend of its series (Grafana's `{{label}}` form)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """From which value on a number is amber, and from which red."""

    amber: float | None = None
    red: float | None = None

    def thresholds(self) -> dashboard_builders.ThresholdsConfig:
        """Grafana's steps; the first has no value and is green."""
        steps = [model.Threshold(color=GREEN)]
        if self.amber is not None:
            steps.append(model.Threshold(value=self.amber, color=AMBER))
        if self.red is not None:
            steps.append(model.Threshold(value=self.red, color=RED))
        return dashboard_builders.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


PLAIN = Steps()


def graph(title: str, description: str, unit: str, *queries: Query, stacked: bool = False) -> timeseries.Panel:
    """Lines over time, or areas that add up; the legend is a table with the last and the highest value."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .datasource(DATASOURCE)
        .color_scheme(_color(model.FieldColorModeId.PALETTE_CLASSIC))
        .line_width(1)
        .fill_opacity(30 if stacked else 8)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
    )
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    return panel.targets([_target(query, index) for index, query in enumerate(queries)])


def share(title: str, description: str, *queries: Query, stacked: bool = False) -> timeseries.Panel:
    """A graph of parts of one: drawn from 0 to 100 %."""
    return graph(title, description, "percentunit", *queries, stacked=stacked).axis_soft_max(1)


def number(title: str, description: str, unit: str, query: Query, steps: Steps = PLAIN) -> stat.Panel:
    """One large number with its recent course behind it; it takes the colour of the step that it reached."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .datasource(DATASOURCE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .color_mode(common.BigValueColorMode.VALUE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_scheme(_color(model.FieldColorModeId.THRESHOLDS))
        .thresholds(steps.thresholds())
        .with_target(_target(query, 0))
    )


def _color(mode: model.FieldColorModeId) -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(mode)


def _target(query: Query, index: int) -> prometheus.Dataquery:
    target = prometheus.Dataquery().datasource(DATASOURCE).expr(query.expr).range().ref_id(ascii_uppercase[index])
    return target.legend_format(query.legend) if query.legend else target
