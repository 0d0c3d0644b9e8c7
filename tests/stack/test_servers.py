"""The contract of the server handles: what every other stack test stands on."""

from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka


def test_kafka_answers(kafka: Kafka) -> None:
    kafka.create_topic("servers-answer", partitions=3)


def test_elasticsearch_answers(elasticsearch: Elasticsearch) -> None:
    assert elasticsearch.call("GET", "/")["version"]["number"].startswith("9.")
