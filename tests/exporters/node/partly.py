"""What a collector publishes before it fails: one thing that can't be read must not cost the rest."""

import pytest

from exporters.collector import Collector, Family, Malformed
from exporters.testing import samples_in, text_of


def until_it_fails(collector: Collector) -> tuple[dict[str, float], str]:
    """The samples, and the reason of the failure."""
    families: list[Family] = []
    with pytest.raises(Malformed) as failure:
        families.extend(collector.collect(1_700_000_000.0))
    return samples_in(text_of(families)), str(failure.value)
