"""The only list of source types: `sources:` of the configuration.

To add a type, write one file with its configuration class, and one line here. The class has the fields `name` and
`type`, and `build`, which makes the Source.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alerting.sources.prometheus import PrometheusConfig

SOURCES: Mapping[str, type[PrometheusConfig]] = {
    "prometheus": PrometheusConfig,
}


def _known_type(entry: Any) -> Any:
    if isinstance(entry, dict) and entry.get("type", "prometheus") not in SOURCES:
        raise ValueError(f"expected a type of source among {', '.join(SOURCES)}, got {entry['type']!r}")
    return entry


SourceConfig = Annotated[PrometheusConfig, BeforeValidator(_known_type)]
"""One entry of `sources:`; becomes a union, told apart by `type`, with the second type."""
