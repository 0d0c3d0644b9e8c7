"""How many Filebeat events a second the log pipeline handles on one core, step by step, without any server.

    python benchmarks/bench_log_pipeline.py [--events 100000]

With a broker and a search engine (`python -m tests.stack.servers kafka elasticsearch` starts them) also the whole
way: what was produced before is read from a topic, and the clock stops when the last document is acknowledged.

    python benchmarks/bench_log_pipeline.py --kafka 127.0.0.1:9092 --elasticsearch http://127.0.0.1:9200

The event is one of Filebeat 8 with Kubernetes metadata, about 1.6 kB, in 200 files.
"""

import argparse
import asyncio
import json
import uuid
from collections.abc import Sequence

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from fenghuo.clock import SystemClock
from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import set_up_logs
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink, new_client
from log_pipeline.adapters.kafka import KafkaConfig, KafkaSource
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.flow.pipeline import Pipeline
from log_pipeline.flow.process import process
from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Answer, Indexed
from log_pipeline.model.position import Partition, Position
from log_pipeline.stages.catalog import CATALOG
from log_pipeline.testing import FakeDeadLetters, FakeLog, FakeSource

CLOCK = SystemClock()
FILES = 200
PARTITION = Partition("kafka:bench", "0")


def payload(number: int) -> bytes:
    """The line with this number as Filebeat 8 writes it."""
    file = number % FILES
    identity, uid = f"{file:064x}", f"{file:036}"
    event = {
        "@timestamp": f"2026-11-21T09:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z",
        "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.15.3"},
        "stream": "stdout",
        "message": f"2026-11-21 09:30:00,123 INFO [http-8080-exec-{number % 9}] com.example.Orders order {number} "
        "accepted for customer 4711, 3 items, total 129.90 EUR, paid by card, shipping tomorrow",
        "log": {"offset": number * 200, "file": {"path": f"/var/log/containers/web-{file}_shop_app-{identity}.log"}},
        "input": {"type": "container"},
        "ecs": {"version": "8.0.0"},
        "agent": {"type": "filebeat", "version": "8.15.3", "name": "node-1", "id": uid, "ephemeral_id": uid},
        "host": {"name": "node-1"},
        "container": {"id": identity, "runtime": "containerd", "image": {"name": "registry.example/shop/app:1.14.2"}},
        "kubernetes": {
            "namespace": "shop",
            "namespace_uid": uid,
            "namespace_labels": {"kubernetes_io/metadata_name": "shop"},
            "pod": {"name": f"web-{file}", "uid": uid, "ip": "10.244.0.10"},
            "container": {"name": "app"},
            "labels": {"app": "web", "pod-template-hash": "66b6c48dd5", "app_kubernetes_io/part-of": "shop"},
            "replicaset": {"name": "web-66b6c48dd5"},
            "deployment": {"name": "web"},
            "node": {
                "name": "node-1",
                "uid": uid,
                "hostname": "node-1",
                "labels": {"kubernetes_io/os": "linux", "kubernetes_io/arch": "amd64", "zone": "eu-central-1a"},
            },
        },
    }
    return json.dumps(event, separators=(",", ":")).encode()


def show(step: str, count: int, seconds: float) -> None:
    """One line of the table."""
    print(f"{step:44} {seconds / count * 1e6:6.1f} us/event {count / seconds:12,.0f} events/s")


def steps(payloads: Sequence[bytes]) -> list[Event]:
    """Each step by itself; returns the events, ready for a sink."""
    decoder, encoder = FilebeatDecoder(), DocumentEncoder()
    begun = CLOCK.monotonic()
    records = [decoder.decode(Position(PARTITION, n, n + 1), one) for n, one in enumerate(payloads)]
    decoded = CLOCK.monotonic()
    for record in records:
        process(record, CATALOG)
    staged = CLOCK.monotonic()
    events = [record for record in records if isinstance(record, Event)]
    size = sum(len(encoder.encode(event)) for event in events)
    encoded = CLOCK.monotonic()
    show("decode", len(payloads), decoded - begun)
    show("stages (pod, level)", len(payloads), staged - decoded)
    show("splice", len(payloads), encoded - staged)
    show("together", len(payloads), encoded - begun)
    print(f"{size / len(events):,.0f} bytes a document; {dict(decoder.counts)}, {dict(encoder.counts)}")
    return events


class EncodingSink:
    """A Sink that encodes, as a real one does, and forgets."""

    def __init__(self) -> None:
        self._encoder = DocumentEncoder()

    async def open(self) -> None:
        """Nothing to prepare."""

    async def write(self, events: Sequence[Event]) -> Sequence[Answer]:
        b"\n".join([self._encoder.encode(event) for event in events])
        return [Indexed()] * len(events)

    async def close(self) -> None:
        """Nothing is held."""


async def flow(events: Sequence[Event]) -> None:
    """The whole flow over a source and a sink that cost nothing."""
    life = Lifecycle("bench")
    pipeline = Pipeline(FakeSource(FakeLog(events)), EncodingSink(), FakeDeadLetters(), CATALOG, life, CLOCK)
    await timed("flow: batches, ledger, commits, stages, splice", pipeline, life, len(events))


async def timed(step: str, pipeline: Pipeline, life: Lifecycle, count: int) -> None:
    """Run until the ledger has settled all."""
    begun = CLOCK.monotonic()
    running = asyncio.ensure_future(pipeline.run())
    while pipeline.ledger.totals()[1].total() < count:
        await CLOCK.sleep(0.01)
    show(step, count, CLOCK.monotonic() - begun)
    life.stop()
    await running


async def end_to_end(kafka: str, elasticsearch: str, payloads: Sequence[bytes]) -> None:
    """From a real broker to a real search engine; topic and data stream are made for it and removed."""
    name = f"logs-bench-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(name, num_partitions=4, replication_factor=1)])[name].result(30.0)
    producer = Producer({"bootstrap.servers": kafka, "queue.buffering.max.messages": 1_000_000, "linger.ms": 50})
    for number, one in enumerate(payloads):
        producer.produce(name, one, partition=number % 4)
        producer.poll(0)
    producer.flush(60.0)
    life = Lifecycle("bench")
    source = KafkaSource(KafkaConfig(type="kafka", brokers=kafka, topics=[name], group=name), FilebeatDecoder())
    config = ElasticsearchConfig(type="elasticsearch", url=elasticsearch, index=name)
    sink = ElasticsearchSink(config, DocumentEncoder())
    try:
        pipeline = Pipeline(source, sink, FakeDeadLetters(), CATALOG, life, CLOCK)
        await timed("Kafka to Elasticsearch, start included", pipeline, life, len(payloads))
    finally:
        await source.close()
        await sink.close()
        admin.delete_topics([name])[name].result(30.0)
        async with new_client(config) as client:
            await client.indices.delete_data_stream(name=name)
            await client.indices.delete_index_template(name=f"fenghuo-{name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--kafka", default="")
    parser.add_argument("--elasticsearch", default="")
    given = parser.parse_args()
    set_up_logs("warning")
    payloads = [payload(number) for number in range(given.events)]
    print(f"{given.events:,} events of {len(payloads[0]):,} bytes")
    events = steps(payloads)
    asyncio.run(flow(events))
    if given.kafka and given.elasticsearch:
        asyncio.run(end_to_end(given.kafka, given.elasticsearch, payloads))


if __name__ == "__main__":
    main()
