"""All sources and sinks by the `type` of their configuration. A new one is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fenghuo.clock import Clock
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink
from log_pipeline.adapters.kafka import KafkaConfig, KafkaSource
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.ports import Sink, Source

SourceConfig = Annotated[KafkaConfig, Field(discriminator="type")]
SinkConfig = Annotated[ElasticsearchConfig, Field(discriminator="type")]


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter may need besides its own configuration. `state` is the folder for positions."""

    clock: Clock
    decoder: FilebeatDecoder
    encoder: DocumentEncoder
    state: Path


SOURCES: dict[str, Callable[[Any, Tools], Source]] = {
    "kafka": lambda config, tools: KafkaSource(config, tools.decoder),
}

SINKS: dict[str, Callable[[Any, Tools], Sink]] = {
    "elasticsearch": lambda config, tools: ElasticsearchSink(config, tools.encoder),
}
