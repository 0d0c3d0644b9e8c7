"""All sources, sinks and searchers by the `type` of their configuration. A new one is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fenghuo.clock import Clock
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink
from log_pipeline.adapters.elasticsearch_search import ElasticsearchSearcher
from log_pipeline.adapters.files import FilesConfig, FileSource
from log_pipeline.adapters.kafka import KafkaConfig, KafkaSource
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.adapters.sqlite_search import SqliteSearcher
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.ports import Sink, Source
from log_pipeline.search.find import Searcher

SourceConfig = Annotated[KafkaConfig | FilesConfig, Field(discriminator="type")]
SinkConfig = Annotated[ElasticsearchConfig | SqliteConfig, Field(discriminator="type")]


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter may need besides its own configuration. `state` is the folder for positions."""

    clock: Clock
    decoder: FilebeatDecoder
    encoder: DocumentEncoder
    state: Path


SOURCES: dict[str, Callable[[Any, Tools], Source]] = {
    "kafka": lambda config, tools: KafkaSource(config, tools.decoder),
    "files": lambda config, tools: FileSource(config, tools.state, tools.clock),
}

SINKS: dict[str, Callable[[Any, Tools], Sink]] = {
    "elasticsearch": lambda config, tools: ElasticsearchSink(config, tools.encoder),
    "sqlite": lambda config, tools: SqliteSink(config, tools.clock),
}

SEARCHERS: dict[str, Callable[[Any], Searcher]] = {
    "elasticsearch": ElasticsearchSearcher,
    "sqlite": lambda config: SqliteSearcher(config.path),
}
"""How to find again what the sink of the same type stored."""
