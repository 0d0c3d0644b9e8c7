"""What dashboards see, word for word, for recorded machines."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.exporters.golden import GOLDEN
from tests.exporters.machines import golden_texts


def test_the_recorded_machines_are_published_as_before(tmp_path: Path) -> None:
    """Each collector publishes for the recorded trees exactly what its golden file says."""
    golden = {path.stem: path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.prom")}
    assert golden_texts(tmp_path) == golden


def test_every_golden_exposition_can_be_read(tmp_path: Path) -> None:
    """Prometheus' own parser for Python takes every exposition, and finds no series twice."""
    for text in golden_texts(tmp_path).values():
        series = [
            (sample.name, *sorted(sample.labels.items()))
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
        assert series
        assert len(series) == len(set(series))
