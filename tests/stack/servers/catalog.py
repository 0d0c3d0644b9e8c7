"""The servers there are: the name that a test asks for, and the class of its handle."""

from collections.abc import Mapping

from tests.stack.servers.base import Server
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka

SERVERS: Mapping[str, type[Server]] = {
    Elasticsearch.name: Elasticsearch,
    Kafka.name: Kafka,
}
