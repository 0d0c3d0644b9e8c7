"""The servers there are: the name that a test asks for, and the class of its handle."""

from collections.abc import Mapping

from tests.stack.servers.alertmanager import Alertmanager
from tests.stack.servers.base import Server
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka
from tests.stack.servers.postgresql import Postgresql
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.victoriametrics import VictoriaMetrics

SERVERS: Mapping[str, type[Server]] = {
    Alertmanager.name: Alertmanager,
    Elasticsearch.name: Elasticsearch,
    Kafka.name: Kafka,
    Postgresql.name: Postgresql,
    Prometheus.name: Prometheus,
    VictoriaMetrics.name: VictoriaMetrics,
}
