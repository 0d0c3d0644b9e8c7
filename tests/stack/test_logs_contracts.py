"""The real Kafka source and the real Elasticsearch sink keep the promises of all sources and sinks."""

import json
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink
from log_pipeline.adapters.kafka import KafkaConfig, KafkaSource
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.ports import Sink, Source
from tests.contracts.log_sink import SinkContract
from tests.contracts.log_source import SourceContract
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka


class KafkaWorld:
    """A topic of three partitions, written to in turn."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": kafka.address})
        self._config = KafkaConfig(
            type="kafka",
            brokers=kafka.address,
            topics=[topic],
            group=topic,
            session_timeout="6s",  # type: ignore[arg-type]
        )
        self._written = 0

    def write(self, *messages: str) -> None:
        for message in messages:
            event = {"@timestamp": "2026-11-21T09:30:00.000Z", "message": message}
            self._producer.produce(self._topic, json.dumps(event).encode(), partition=self._written % 3)
            self._written += 1
        assert self._producer.flush(30.0) == 0

    def source(self) -> Source:
        return KafkaSource(self._config, FilebeatDecoder())


class TestKafkaSource(SourceContract):
    @pytest.fixture
    def world(self, kafka: Kafka) -> Iterator[KafkaWorld]:
        topic = f"contract-{uuid.uuid4().hex[:8]}"
        kafka.create_topic(topic, partitions=3)
        yield KafkaWorld(kafka, topic)
        kafka.delete_topic(topic)


class ElasticsearchStore:
    """A data stream of its own for each test."""

    def __init__(self, elasticsearch: Elasticsearch) -> None:
        self._elasticsearch = elasticsearch
        self.stream = f"logs-contract-{uuid.uuid4().hex[:8]}"
        self._config = ElasticsearchConfig(type="elasticsearch", url=elasticsearch.url, index=self.stream)

    def sink(self) -> Sink:
        return ElasticsearchSink(self._config, DocumentEncoder())

    async def messages(self) -> list[str]:
        self._elasticsearch.call("POST", f"/{self.stream}/_refresh")
        found = self._elasticsearch.call("POST", f"/{self.stream}/_search", {"size": 1000})
        return sorted(hit["_source"]["message"] for hit in found["hits"]["hits"])


class TestElasticsearchSink(SinkContract):
    @pytest.fixture
    def store(self, elasticsearch: Elasticsearch) -> Iterator[ElasticsearchStore]:
        store = ElasticsearchStore(elasticsearch)
        yield store
        elasticsearch.call("DELETE", f"/_data_stream/{store.stream}*")
        elasticsearch.call("DELETE", f"/_index_template/fenghuo-{store.stream}")
