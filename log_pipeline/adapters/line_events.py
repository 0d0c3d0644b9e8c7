"""Whole lines of a file as events, under ids that are the same whenever they are read. Pure."""

from collections.abc import Iterator, Sequence

from fenghuo.clock import rfc3339
from log_pipeline.adapters.tail import Found, Tail
from log_pipeline.codec.identity import instance_hash, line_id
from log_pipeline.model.event import Event
from log_pipeline.model.position import Partition, Position


def instance_of(tail: Tail, host: str) -> str:
    """Names one instance of a file, the same after a restart: node, file, how many files this inode has been, and
    the hash of the first line, which still tells them apart when the positions were lost.
    """
    device, inode = tail.key
    return f"{host}/{device}:{inode}/{tail.generation}/{tail.fingerprint}"


def partition_of(tail: Tail, host: str) -> Partition:
    """The partition that this instance is."""
    return Partition("files", instance_hash(instance_of(tail, host)))


def events_of(tail: Tail, found: Sequence[Found], partition: Partition, host: str, unix: float) -> Iterator[Event]:
    """The events of these lines; a line without a time takes `unix`, the time at which it was read."""
    instance = instance_of(tail, host)
    for each in found:
        line, offset = each.whole.line, each.whole.offset
        event = Event(
            position=Position(partition, offset, each.next),
            id=line_id(instance, offset),
            timestamp=line.timestamp or rfc3339(unix),
            message=line.content.decode("utf-8", "replace"),
            stream=line.stream,
            path=tail.path,
            offset=offset,
            host=host,
            raw=each.raw or b"%s %s F %s" % (line.timestamp.encode(), line.stream.encode(), line.content),
        )
        if each.whole.truncated or each.whole.unfinished:
            _flag(event, each)
        yield event


def _flag(event: Event, found: Found) -> None:
    """Say what is not as the program wrote it, in Filebeat's field for it."""
    flags = {"truncated": found.whole.truncated, "partial": found.whole.unfinished}
    event.added["log.flags"] = [name for name, is_set in flags.items() if is_set]
    if found.whole.unfinished:
        # Should its last piece come after all, a restart may join them: the whole line must not be taken for
        # this part of it, so the part has an id of its own.
        event.id += "-p"
