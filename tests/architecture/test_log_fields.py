"""The names of log fields in Kibana's views and in Grafana's data source are those that the log pipeline indexes."""

from pathlib import Path
from typing import Any

import yaml

from dashboards.kibana.logs import COLUMNS
from log_pipeline.adapters.data_stream import index_template

ROOT = Path(__file__).parents[2]


def fields(properties: dict[str, Any], above: str = "") -> set[str]:
    """Every field of a mapping by its dotted name."""
    found = set()
    for name, mapping in properties.items():
        found |= fields(mapping["properties"], f"{above}{name}.") if "properties" in mapping else {above + name}
    return found


INDEXED = fields(index_template("logs-fenghuo-default")["template"]["mappings"]["properties"])


def test_the_columns_of_the_views_are_fields_of_the_index() -> None:
    """An unknown column would be an empty one."""
    assert [column for column in COLUMNS if column not in INDEXED] == []


def test_grafanas_log_source_names_fields_of_the_index() -> None:
    """Time, message and level."""
    path = ROOT / "deploy/grafana/provisioning/datasources/datasources.yml"
    sources = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    (told,) = [source["jsonData"] for source in sources if source["type"] == "elasticsearch"]

    assert {told["timeField"], told["logMessageField"], told["logLevelField"]} <= INDEXED
