"""Apache Kafka in KRaft mode: broker and controller in one process, from Maven Central."""

import base64
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.stack.servers.base import HOST, Server, accepts, free_port
from tests.stack.servers.cache import cached
from tests.stack.servers.java import PROJECTS, fetch_jars, find_java
from tests.stack.servers.programs import run

PROJECT = PROJECTS / "kafka"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={folder}/data
# a topic that nobody created is a mistake in a test
auto.create.topics.enable=false
# one broker can hold one replica, and one partition is made faster than fifty
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# after kill -9 a broker is refused until its former session ends, 9 seconds by default
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# a production broker waits three seconds for more members of a new group
group.initial.rebalance.delay.ms=0
"""


class Kafka(Server):
    """A broker at `address` (`bootstrap.servers`), without authentication. Topics must be created."""

    name = "kafka"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._controller_port = free_port()
        self._properties = folder / "server.properties"
        self._java: list[str | Path] = []

    def prepare(self) -> None:
        jars = cached(self.name, [PROJECT / "pom.xml"], lambda entry: fetch_jars(PROJECT / "pom.xml", entry))
        self._java = [
            find_java(17),
            "-Xmx512m",
            "-XX:-UsePerfData",  # no memory-mapped file in /tmp
            f"-Dlog4j2.configurationFile={PROJECT / 'log4j2.properties'}",
            "-cp",
            f"{jars}/*",
        ]
        self._properties.write_text(
            PROPERTIES.format(host=HOST, port=self.port, controller_port=self._controller_port, folder=self.folder)
        )
        tool = [*self._java, "kafka.tools.StorageTool", "format", "--standalone"]
        run([*tool, "--cluster-id", _cluster_id(), "--config", self._properties])

    def command(self) -> Sequence[str | Path]:
        return [*self._java, "kafka.Kafka", self._properties]

    def answers(self) -> bool:
        # librdkafka writes a line of complaint for every refused connection, so knock first
        if not accepts(self.port):
            return False
        try:
            return bool(self._admin().list_topics(timeout=2.0).brokers)
        except Exception:  # noqa: BLE001 - whatever is wrong, it does not answer yet
            return False

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic and wait until it is there. Raises KafkaException when the broker refuses."""
        admin = self._admin()  # its futures are cancelled when it is collected
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin.create_topics([topic])[name].result(timeout=30.0)

    def delete_topic(self, name: str) -> None:
        """Delete a topic. Raises KafkaException when the broker refuses."""
        admin = self._admin()
        admin.delete_topics([name])[name].result(timeout=30.0)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 3})  # errors only, on stderr


def _cluster_id() -> str:
    """A random id in Kafka's form: 16 bytes, base64 for URLs, no padding, and no dash that looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
