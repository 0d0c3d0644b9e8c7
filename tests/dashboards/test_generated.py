"""The generated files: the same every time, and the committed ones are the generated ones."""

import json
from pathlib import Path

import pytest

from dashboards import app
from fenghuo.errors import StorageError


def test_the_committed_files_are_what_the_code_generates() -> None:
    """`make check` says the same."""
    assert app.differences(app.GENERATED) == []


def test_generating_twice_changes_nothing(tmp_path: Path) -> None:
    """The second run has nothing to write, byte for byte."""
    first = app.write(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert sorted(first) == ["grafana/node_overview.json", "kibana/logs.ndjson"]
    assert app.write(tmp_path) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_file_that_was_edited_that_lacks_or_is_too_many_is_named_and_mended(tmp_path: Path) -> None:
    """The three ways in which a folder can differ."""
    app.write(tmp_path)
    (tmp_path / "grafana/node_overview.json").write_text("{}", encoding="utf-8")
    (tmp_path / "grafana/old.json").write_text("{}", encoding="utf-8")
    (tmp_path / "kibana/logs.ndjson").unlink()

    assert [(problem.path, problem.expected.split(",")[0]) for problem in app.differences(tmp_path)] == [
        ("kibana/logs.ndjson", "expected this file"),
        ("grafana/old.json", "expected no such file"),
        ("grafana/node_overview.json", "expected what `fenghuo dashboards generate` writes"),
    ]
    app.write(tmp_path)
    assert app.differences(tmp_path) == []


def test_a_folder_that_cant_be_written_is_named(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "grafana").write_text("", encoding="utf-8")

    with pytest.raises(StorageError, match=str(tmp_path)):
        app.write(tmp_path)


def test_the_board_is_one_that_a_user_can_open() -> None:
    """What Grafana shows of it: its name, its choices, its rows, and panels that say how to read them."""
    board = json.loads((app.GENERATED / "grafana/node_overview.json").read_text(encoding="utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]

    assert board["title"] == "fenghuo / Host and containers"
    assert (board["uid"], board["schemaVersion"], board["editable"]) == ("fenghuo-node-overview", 42, False)
    assert [variable["name"] for variable in board["templating"]["list"]] == [
        "datasource",
        "instance",
        "namespace",
        "pod",
    ]
    assert [panel["title"] for panel in board["panels"] if panel["type"] == "row"] == [
        "At a glance",
        "Host: CPU",
        "Host: memory",
        "Host: disk",
        "Host: network",
        "Containers",
        "Alert engine: rules",
        "Alert engine: notifications",
        "Log lines",
        "Log pipeline",
    ]
    assert len(panels) >= 30
    assert {panel["gridPos"]["y"] for panel in panels[:8]} == {1}, "the glance is one line"
