"""The Kafka source against librdkafka's own mock broker, which speaks the real protocol without a JVM."""

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest
from confluent_kafka import Producer

from fenghuo.config import parse_config
from fenghuo.errors import ConfigError, RemoteRefused, StartError
from fenghuo.secrets import Secret
from log_pipeline.adapters.kafka import KafkaConfig, KafkaSource, consumer_settings
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.position import Partition


class MockBroker:
    """A broker inside a producer of this process; topics come into being when they are used."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "replaced", "log_level": 0})
        (broker,) = self._cluster.list_topics(timeout=10.0).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def write(self, topic: str, *payloads: bytes | None) -> None:
        producer = Producer({"bootstrap.servers": self.address, "log_level": 0})
        for payload in payloads:
            producer.produce(topic, payload, partition=0)
        assert producer.flush(10.0) == 0


async def nothing_in_flight(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    return {}


async def read(source: KafkaSource, count: int) -> list[Event | Malformed]:
    records: list[Event | Malformed] = []
    for _ in range(60):
        if len(records) < count:
            records += await source.read(100, 0.5)
    return records


def source(broker: str) -> KafkaSource:
    return KafkaSource(KafkaConfig(type="kafka", brokers=broker, topics=["filebeat"]), FilebeatDecoder())


def event(message: str) -> bytes:
    return json.dumps({"@timestamp": "2026-11-21T09:30:00.000Z", "message": message}).encode()


def test_records_become_events_and_a_bad_one_does_not_hold_the_rest() -> None:
    broker = MockBroker()
    broker.write("filebeat", event("one"), b"broken", None, event("two"))

    async def main() -> list[Event | Malformed]:
        reader = source(broker.address)
        await reader.open(nothing_in_flight)
        records = await read(reader, 4)
        assert reader.lag() == 0
        await reader.commit({records[0].position.partition: 4})
        await reader.close()
        return records

    first, bad, empty, last = asyncio.run(main())
    partition = Partition("kafka:filebeat", "0")
    assert isinstance(first, Event)
    assert isinstance(last, Event)
    assert (first.message, last.message) == ("one", "two")
    assert [record.position for record in (first, bad, empty, last)] == [(partition, n, n + 1) for n in range(4)]
    assert isinstance(bad, Malformed)
    assert isinstance(empty, Malformed)
    assert (bad.reason, bad.raw, empty.reason) == ("no_json", b"broken", "empty")


def test_a_broker_that_is_away_is_said_and_waited_for() -> None:
    async def main() -> None:
        reader = source("127.0.0.1:9")
        await reader.open(nothing_in_flight)
        try:
            for _ in range(20):
                await reader.read(10, 0.5)
        finally:
            await reader.close()

    with pytest.raises(RemoteRefused, match=r"127\.0\.0\.1:9: "):
        asyncio.run(main())


def test_offsets_are_ours_to_commit_and_new_partitions_are_read_from_their_beginning() -> None:
    settings = consumer_settings(KafkaConfig(type="kafka", brokers="b:9092", topics=["t"], session_timeout=6.0))
    assert settings["enable.auto.commit"] is False
    assert settings["auto.offset.reset"] == "earliest"
    assert (settings["session.timeout.ms"], settings["heartbeat.interval.ms"]) == (6000, 2000)
    assert "group.instance.id" not in settings


def test_credentials_reach_the_library_and_nobody_else() -> None:
    config = KafkaConfig(
        type="kafka",
        brokers="b:9092",
        topics=["t"],
        security_protocol="sasl_ssl",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="logs",
        sasl_password=Secret("hidden"),
    )
    assert consumer_settings(config)["sasl.password"] == "hidden"
    assert "hidden" not in repr(config)


def test_all_mistakes_of_a_configuration_are_said_at_once() -> None:
    text = "{type: kafka, brokers: '', topics: [], session_timeout: 0s, offset: latest}"
    with pytest.raises(ConfigError) as caught:
        parse_config(text, KafkaConfig, "logs.yml")
    assert {problem.path for problem in caught.value.problems} == {"brokers", "topics", "session_timeout", "offset"}


def test_settings_that_the_client_refuses_end_the_start() -> None:
    """Trying again would not mend them."""
    config = KafkaConfig(
        type="kafka", brokers="b:9092", topics=["t"], security_protocol="sasl_plaintext", sasl_mechanism="NOPE"
    )
    with pytest.raises(StartError, match="Unsupported SASL mechanism: NOPE"):
        asyncio.run(KafkaSource(config, FilebeatDecoder()).open(nothing_in_flight))
