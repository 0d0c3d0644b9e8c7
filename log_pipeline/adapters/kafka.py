"""Filebeat's events from Kafka. The only module that knows confluent_kafka.

Offsets are never committed by the library: the flow says when and which. All calls of the consumer are made in
one thread of their own, rebalance callbacks included; before partitions are let go, what is in flight of them is
waited for and what is safe is committed, inside the callback, while they are still ours.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from pydantic import Field

from fenghuo.config import Config, Seconds
from fenghuo.errors import RemoteError, RemoteRefused, StartError
from fenghuo.logs import get_logger
from fenghuo.secrets import Secret
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.position import Partition, Position
from log_pipeline.ports import Release

RELEASE_DEADLINE = 10.0
"""Seconds that the flow gets to let partitions go; it bounds itself well below."""

Result = TypeVar("Result")


class KafkaConfig(Config):
    """`source: {type: kafka}`.

    `instance` makes the member static: a process that comes back under the same name gets its partitions at once,
    one that died holds them for `session_timeout`.
    """

    type: Literal["kafka"]
    brokers: str = Field(min_length=1)
    topics: list[str] = Field(min_length=1)
    group: str = "fenghuo-logs"
    instance: str = ""
    session_timeout: Seconds = Field(default=10.0, ge=1.0, le=300.0)
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    ca_file: str = ""
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: Secret | None = None


def consumer_settings(config: KafkaConfig) -> dict[str, Any]:
    """The properties of librdkafka for `config`."""
    settings: dict[str, Any] = {
        "bootstrap.servers": config.brokers,
        "group.id": config.group,
        "enable.auto.commit": False,
        # `latest` would pass over what is written to a new partition before it is found
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": round(config.session_timeout * 1000),
        "heartbeat.interval.ms": round(config.session_timeout * 1000 / 3),
        "queued.max.messages.kbytes": 32_768,
        # critical only: errors come to us by the callback, without the repetitions
        "log_level": 2,
        "security.protocol": config.security_protocol,
    }
    optional = {
        "group.instance.id": config.instance,
        "ssl.ca.location": config.ca_file,
        "sasl.mechanism": config.sasl_mechanism,
        "sasl.username": config.sasl_username,
        "sasl.password": config.sasl_password.reveal() if config.sasl_password else "",
    }
    return settings | {name: value for name, value in optional.items() if value}


class KafkaSource:
    """A Source: one member of a consumer group."""

    name = "kafka"
    lag_unit: Literal["messages", "bytes"] = "messages"

    def __init__(self, config: KafkaConfig, decoder: FilebeatDecoder) -> None:
        self._config = config
        self._decoder = decoder
        self._thread = ThreadPoolExecutor(1, "kafka")
        self._log = get_logger("kafka")
        self._consumer: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._release: Release | None = None
        self._partitions: dict[tuple[str, int], Partition] = {}
        self._held: set[Partition] = set()
        self._next: dict[Partition, int] = {}
        self._want_pause = False
        self._stopped: set[Partition] = set()
        self._down = ""
        self._fatal = ""
        self._complained = ""

    async def open(self, release: Release) -> None:
        self._loop = asyncio.get_running_loop()
        self._release = release
        try:
            self._consumer = Consumer(
                consumer_settings(self._config) | {"error_cb": self._error}, logger=logging.getLogger("librdkafka")
            )
            self._consumer.subscribe(
                self._config.topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
        except KafkaException as error:
            # nobody was asked yet: a setting is wrong, and stays wrong
            cause = f"the Kafka client refuses its settings: {error.args[0].str()}"
            raise StartError(cause, "correct `source` in the configuration") from error

    async def read(self, limit: int, timeout: float) -> Sequence[Event | Malformed]:
        return await self._run(self._read, limit, timeout)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        await self._run(self._commit, offsets)

    def pause(self) -> None:
        self._want_pause = True

    def resume(self) -> None:
        self._want_pause = False

    def lag(self) -> int | None:
        """From what the last fetch said of the ends of the partitions; asks nobody."""
        known = [lag for partition in list(self._held) if (lag := self._lag_of(partition)) is not None]
        return sum(known) if known else None

    async def close(self) -> None:
        self._release = None
        if self._consumer is not None:
            await self._run(self._consumer.close)
            self._consumer = None
        self._thread.shutdown()

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    # What follows runs in the thread.

    def _read(self, limit: int, timeout: float) -> list[Event | Malformed]:
        self._apply_pause()
        try:
            messages = self._consumer.consume(limit, timeout)
        except KafkaException as error:
            raise self._refused(error) from error
        records = []
        trouble = ""
        for message in messages:
            if message.error() is None:
                if (record := self._record(message)) is not None:
                    records.append(record)
            else:
                trouble = message.error().str()
        if trouble and records:
            self._log.warning("an error among the messages", error=trouble)
        elif not records:
            self._check(trouble)
        return records

    def _record(self, message: Any) -> Event | Malformed | None:
        partition = self._partition(message.topic(), message.partition())
        if partition not in self._held:
            return None  # read before it was taken from us: the next owner reads it again
        self._complained = ""
        offset = message.offset()
        self._next[partition] = offset + 1
        return self._decoder.decode(Position(partition, offset, offset + 1), message.value())

    def _check(self, trouble: str) -> None:
        """Nothing came: raise when that is because something is wrong."""
        trouble = self._fatal or trouble
        if self._down:
            try:
                self._consumer.list_topics(timeout=1.0)
            except KafkaException:
                trouble = self._down
            else:
                self._down = ""
        if trouble:
            raise RemoteRefused(self._config.brokers, trouble)

    def _apply_pause(self) -> None:
        if self._want_pause:
            wanted = self._held - self._stopped
            self._consumer.pause([_topic_partition(partition) for partition in wanted])
            self._stopped |= wanted
        elif self._stopped:
            self._consumer.resume([_topic_partition(partition) for partition in self._stopped & self._held])
            self._stopped.clear()

    def _commit(self, offsets: Mapping[Partition, int]) -> None:
        ours = [_topic_partition(partition, offset) for partition, offset in offsets.items() if partition in self._held]
        if not ours:
            return
        try:
            stored = self._consumer.commit(offsets=ours, asynchronous=False)
        except KafkaException as error:
            raise self._refused(error) from error
        for one in stored or ():
            if one.error is not None:
                raise RemoteError(self._config.brokers, f"commit of {one.topic}/{one.partition}: {one.error.str()}")

    def _assigned(self, _: Any, partitions: Sequence[Any]) -> None:
        new = [self._partition(one.topic, one.partition) for one in partitions]
        self._held.update(new)
        self._log.info("partitions assigned", partitions=[str(partition) for partition in new])

    def _revoked(self, _: Any, partitions: Sequence[Any]) -> None:
        try:
            self._commit(self._let_go(partitions))
        except RemoteError as error:
            self._log.warning("partitions left without a commit; events will be read again", error=str(error))
        self._forget(partitions)

    def _lost(self, _: Any, partitions: Sequence[Any]) -> None:
        """They are somebody else's already: nothing may be committed."""
        self._let_go(partitions)
        self._forget(partitions)

    def _let_go(self, partitions: Sequence[Any]) -> Mapping[Partition, int]:
        leaving = [self._partition(one.topic, one.partition) for one in partitions]
        self._log.info("partitions revoked", partitions=[str(partition) for partition in leaving])
        release, loop = self._release, self._loop
        if release is None or loop is None:
            return {}
        try:
            return asyncio.run_coroutine_threadsafe(_awaited(release, leaving), loop).result(RELEASE_DEADLINE)
        except TimeoutError:
            return {}

    def _forget(self, partitions: Sequence[Any]) -> None:
        for one in partitions:
            partition = self._partition(one.topic, one.partition)
            self._held.discard(partition)
            self._stopped.discard(partition)
            self._next.pop(partition, None)

    def _error(self, error: Any) -> None:
        """Troubles of librdkafka; it tries again by itself, and `read` says so meanwhile."""
        if error.name() != self._complained:  # a client that can't connect repeats itself many times a second
            self._log.warning("the client complains", error=error.str())
            self._complained = error.name()
        if error.fatal():
            self._fatal = f"{error.str()} (restart this member)"
        if error.name() in ("_ALL_BROKERS_DOWN", "_AUTHENTICATION"):
            self._down = error.str()

    def _lag_of(self, partition: Partition) -> int | None:
        consumer, position = self._consumer, self._next.get(partition)
        if consumer is None or position is None:
            return None
        _, end = consumer.get_watermark_offsets(_topic_partition(partition), cached=True)
        return max(0, end - position) if end >= 0 else None

    def _partition(self, topic: str, number: int) -> Partition:
        found = self._partitions.get((topic, number))
        if found is None:
            found = self._partitions[topic, number] = Partition(f"kafka:{topic}", str(number))
        return found

    def _refused(self, error: KafkaException) -> RemoteError:
        return RemoteRefused(self._config.brokers, str(error.args[0]))


async def _awaited(release: Release, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    return await release(partitions)


def _topic_partition(partition: Partition, offset: int | None = None) -> Any:
    topic, number = partition.source.removeprefix("kafka:"), int(partition.name)
    return TopicPartition(topic, number) if offset is None else TopicPartition(topic, number, offset)
