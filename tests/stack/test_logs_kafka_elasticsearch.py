"""Filebeat events in a real Kafka become documents in a real Elasticsearch: each once, whatever happens between."""

import json
import random
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition

from fenghuo.errors import RemoteAnswer
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka
from tests.stack.servers.over_http import HttpServer
from tests.stack.servers.waiting import wait_until

PARTITIONS = 4


class LogPipeline(HttpServer):
    """`python -m log_pipeline run` as a process of its own, between a topic and a data stream of one name."""

    name = "log_pipeline"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, kafka: Kafka, elasticsearch: Elasticsearch, stream: str, **source: object) -> None:
        super().__init__(folder)
        brokers = {"type": "kafka", "brokers": kafka.address, "topics": [stream], "group": stream}
        self._config = {
            "source": brokers | {"session_timeout": "6s"} | source,
            "sink": {"type": "elasticsearch", "url": elasticsearch.url, "index": stream},
            "dead_letters": {"path": str(folder / "dead-letters.ndjson")},
            "state": {"path": str(folder / "state")},
            "web": {"listen_address": self.address},
        }

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        path = self.folder / "dead-letters.ndjson"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def prepare(self) -> None:
        (self.folder / "logs.yml").write_text(yaml.safe_dump(self._config))

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "log_pipeline", "run", f"--config.file={self.folder / 'logs.yml'}"]

    def totals(self) -> dict[str, int]:
        """The ledger's totals of the running process."""
        totals: dict[str, int] = self.call("GET", "/api/v1/ledger")["totals"]
        return totals

    def wait_for(self, outcome: str, count: int) -> dict[str, int]:
        """The totals as soon as the running process counts so many of this outcome."""
        wait_until(lambda: self.totals()[outcome] >= count, f"{count} {outcome}", within=90.0, every=0.005)
        return self.totals()

    def wait_for_work(self, count: int) -> None:
        """As soon as the running process has settled so many events, those among them that it met before too."""

        def settled() -> bool:
            totals = self.totals()
            return totals["indexed"] + totals["duplicate"] >= count

        wait_until(settled, f"{count} settled", within=90.0, every=0.005)


@pytest.fixture
def stream(kafka: Kafka) -> Iterator[str]:
    """The name of a fresh topic, which is also the data stream's and the group's."""
    name = f"logs-test-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(name, partitions=PARTITIONS)
    yield name
    kafka.delete_topic(name)


def filebeat_event(number: int) -> dict[str, Any]:
    """The line with this number, as Filebeat 8 writes it; every third without Kubernetes metadata."""
    file = number % 20
    pod, container = f"shop-{file}", "app"
    event: dict[str, Any] = {
        "@timestamp": f"2026-11-21T09:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z",
        "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.15.3"},
        "stream": "stdout",
        "message": f'ERROR payment {number} refused: «Zahlung» "42"',
        "log": {
            "offset": number * 100,
            "file": {"path": f"/var/log/containers/{pod}_prod_{container}-{file:064x}.log"},
        },
        "input": {"type": "container"},
        "agent": {"type": "filebeat", "version": "8.15.3", "name": "node-1"},
        "host": {"name": "node-1"},
    }
    if number % 3:
        event["kubernetes"] = {"namespace": "prod", "pod": {"name": pod}, "container": {"name": container}}
    return event


def produce(kafka: Kafka, topic: str, payloads: Sequence[bytes]) -> None:
    """Write records to partitions by chance, as Filebeat does without a key."""
    chance = random.Random(7)
    producer = Producer(
        {"bootstrap.servers": kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    )
    for payload in payloads:
        producer.produce(topic, payload, partition=chance.randrange(PARTITIONS))
        producer.poll(0)
    assert producer.flush(60.0) == 0


def documents(elasticsearch: Elasticsearch, stream: str) -> list[dict[str, Any]]:
    """All documents of the data stream."""
    elasticsearch.call("POST", f"/{stream}/_refresh")
    page = elasticsearch.call("POST", f"/{stream}/_search?scroll=1m", {"size": 10_000, "sort": ["_doc"]})
    found: list[dict[str, Any]] = []
    while page["hits"]["hits"]:
        found += page["hits"]["hits"]
        page = elasticsearch.call("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
    return found


def number_of(document: dict[str, Any]) -> int:
    return int(document["_source"]["message"].split()[2])


def test_five_kills_on_the_way_lose_nothing_and_double_nothing(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    """50,000 events, SIGKILL at five points of progress: exactly 50,000 documents, each line once."""
    count = 50_000
    produce(kafka, stream, [json.dumps(filebeat_event(number)).encode() for number in range(count)])
    pipeline = LogPipeline(tmp_path, kafka, elasticsearch, stream, instance="logs-1")

    for progress in (1, 2_000, 4_500, 6_000, 8_500):
        pipeline.start()
        before = pipeline.wait_for("indexed", progress)
        pipeline.kill()
        assert before["pending"] > 0, "killed too late: nothing was in flight"
    assert elasticsearch.call("GET", f"/{stream}/_count")["count"] < count

    pipeline.start()
    wait_until(lambda: committed(kafka, stream) == count, "all offsets committed", within=90.0, every=0.2)
    totals = pipeline.totals()
    pipeline.stop()

    found = documents(elasticsearch, stream)
    assert len(found) == count
    assert sorted(number_of(document) for document in found) == list(range(count))
    assert totals["difference"] == 0
    assert pipeline.dead_letters == []


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing_and_double_nothing(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    """600,000 events, SIGKILL a hundred times soon after work has begun: exactly 600,000 documents, each line once."""
    count = 600_000
    produce(kafka, stream, encoded(range(count)))
    pipeline = LogPipeline(tmp_path, kafka, elasticsearch, stream, instance="logs-1")
    chance = random.Random(11)

    for _ in range(100):
        pipeline.start()
        pipeline.wait_for_work(chance.randrange(1, 500))
        pipeline.kill()
    assert elasticsearch.call("GET", f"/{stream}/_count")["count"] < count, "the last kills met nobody at work"

    pipeline.start()
    wait_until(lambda: committed(kafka, stream) == count, "all offsets committed", within=300.0, every=0.5)
    pipeline.stop()
    holds_exactly(elasticsearch, stream, count)
    assert pipeline.dead_letters == []


def committed(kafka: Kafka, group: str) -> int:
    """The sum of the offsets that the group has committed in the topic of its name."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": group})
    asked = [TopicPartition(group, number) for number in range(PARTITIONS)]
    offsets = [one.offset for one in consumer.committed(asked, timeout=10.0)]
    consumer.close()
    return sum(max(0, offset) for offset in offsets)


def encoded(numbers: range) -> list[bytes]:
    return [json.dumps(filebeat_event(number)).encode() for number in numbers]


def holds_exactly(elasticsearch: Elasticsearch, stream: str, count: int) -> None:
    """The data stream has the lines 0 to `count - 1`, each once."""
    found = documents(elasticsearch, stream)
    assert len(found) == count
    assert sorted(number_of(document) for document in found) == list(range(count))


def test_members_come_and_go_and_nothing_is_lost_or_doubled(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    """Partitions move to a second member and back in mid-stream: orderly, and after a crash."""
    first = LogPipeline(tmp_path / "first", kafka, elasticsearch, stream)
    second = LogPipeline(tmp_path / "second", kafka, elasticsearch, stream)
    written = 0

    def write_more() -> None:
        nonlocal written
        produce(kafka, stream, encoded(range(written, written + 2_000)))
        written += 2_000

    def write_until_indexed_by(member: LogPipeline) -> bool:
        write_more()
        return member.totals()["indexed"] > 0

    with first:
        wait_until(lambda: write_until_indexed_by(first), "events at the first member", within=60.0)
        with second:
            wait_until(lambda: write_until_indexed_by(second), "events at the second member", within=60.0)
            write_more()
            first.kill()
            write_more()
            wait_until(lambda: committed(kafka, stream) == written, "all offsets committed", within=90.0, every=0.2)
            assert second.totals()["difference"] == 0
    holds_exactly(elasticsearch, stream, written)


def test_a_search_engine_that_dies_is_waited_for(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    """While it is away nothing is committed, `/-/ready` says why, and nothing is thrown away."""
    with LogPipeline(tmp_path, kafka, elasticsearch, stream) as pipeline:
        produce(kafka, stream, encoded(range(5_000)))
        pipeline.wait_for("indexed", 1)
        elasticsearch.kill()
        try:
            produce(kafka, stream, encoded(range(5_000, 15_000)))
            why = wait_until(lambda: not_ready(pipeline), "the trouble at /-/ready", within=60.0)
            assert why.startswith("logs is not ready: sink: unreachable: ")
            assert committed(kafka, stream) < 15_000
        finally:
            elasticsearch.start()
        wait_until(lambda: committed(kafka, stream) == 15_000, "all offsets committed", within=120.0, every=0.2)
        assert not not_ready(pipeline)
        assert pipeline.totals()["difference"] == 0
    assert pipeline.dead_letters == []
    holds_exactly(elasticsearch, stream, 15_000)


def not_ready(pipeline: LogPipeline) -> str:
    """Why the pipeline is not ready; empty when it is."""
    try:
        pipeline.call("GET", "/-/ready")
    except RemoteAnswer as error:
        return error.body
    return ""


def test_a_broker_that_dies_is_waited_for(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    with LogPipeline(tmp_path, kafka, elasticsearch, stream) as pipeline:
        produce(kafka, stream, encoded(range(4_000)))
        pipeline.wait_for("indexed", 1)
        kafka.kill()
        try:
            wait_until(lambda: not_ready(pipeline), "the trouble at /-/ready", within=60.0)
        finally:
            kafka.start()
        produce(kafka, stream, encoded(range(4_000, 8_000)))
        wait_until(lambda: committed(kafka, stream) == 8_000, "all offsets committed", within=120.0, every=0.2)
        wait_until(lambda: not not_ready(pipeline), "readiness", within=60.0)
    holds_exactly(elasticsearch, stream, 8_000)


def test_poison_goes_to_the_dead_letters_and_the_rest_is_found_by_its_fields(
    kafka: Kafka, elasticsearch: Elasticsearch, stream: str, tmp_path: Path
) -> None:
    mapped = json.dumps(filebeat_event(50) | {"host": {"name": {"is": "an object"}}}).encode()
    poison = [b"no json", b'{"message": "no time"}', mapped]
    produce(kafka, stream, [*encoded(range(50)), *poison])
    with LogPipeline(tmp_path, kafka, elasticsearch, stream) as pipeline:
        totals = pipeline.wait_for("dead_lettered", 3)
        wait_until(lambda: committed(kafka, stream) == 53, "all offsets committed", within=60.0)
    assert {key: totals[key] for key in ("read", "indexed", "dead_lettered", "difference")} == {
        "read": 53,
        "indexed": 50,
        "dead_lettered": 3,
        "difference": 0,
    }
    assert {(letter["reason"], letter["raw"].encode()) for letter in pipeline.dead_letters} == {
        ("no_json", poison[0]),
        ("no_timestamp", poison[1]),
        ("document_parsing_exception", poison[2]),
    }
    holds_exactly(elasticsearch, stream, 50)
    for field, value in (("log.level", "error"), ("kubernetes.namespace", "prod"), ("message", "payment")):
        query = {"query": {"match": {field: value}}, "track_total_hits": True}
        assert elasticsearch.call("POST", f"/{stream}/_search", query)["hits"]["total"]["value"] == 50, field
