"""What a reader of a board may choose: the data source, hosts, and labels of series."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.panels import DATASOURCE

Variable = Builder[model.VariableModel]

_ALL = model.VariableOption(selected=True, text=["All"], value=["$__all"])


def datasource(kind: str = "prometheus") -> Variable:
    """Which server of the kind answers; named `datasource`."""
    return builders.DatasourceVariable("datasource").label("Data source").type(kind)


def label(name: str, title: str, selector: str, of: str = "", regex: str = "") -> Variable:
    """The values of a label (default: the variable's own name) among the series of `selector`: many, or all.

    `regex` keeps the part of the value that its group matches.
    """
    query = f"label_values({selector}, {of or name})"
    variable = (
        builders.QueryVariable(name)
        .label(title)
        .datasource(DATASOURCE)
        .definition(query)
        .query({"query": query, "refId": f"variable-{name}"})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )
    return variable.regex(regex) if regex else variable
