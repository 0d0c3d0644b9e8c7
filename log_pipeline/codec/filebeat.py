"""Filebeat events of 7.x, 8.x and 9.x: from a Kafka record's bytes to an Event. Pure but for its counts.

The usual event is decoded in part: msgspec reads the few fields that the pipeline needs and skips the rest,
which stays as bytes. An event of an unusual shape (a `host` that is a text, a lone surrogate) is decoded whole
and written again. What is no event at all becomes Malformed, never an exception.

Shapes: the JSON encoder of libbeat (`@timestamp`, `@metadata`, then the event's fields), the fields of the
inputs container, log and filestream, and of add_kubernetes_metadata.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from log_pipeline.codec.identity import line_id, record_id
from log_pipeline.model.event import Event, Malformed, Pod
from log_pipeline.model.position import Position


class _File(msgspec.Struct, gc=False):
    path: str = ""
    fingerprint: str = ""
    device_id: str | int = ""
    inode: str | int = ""


class _Log(msgspec.Struct, gc=False):
    offset: int | None = None
    level: str = ""
    file: _File = msgspec.field(default_factory=_File)


class _Named(msgspec.Struct, gc=False):
    name: str = ""
    uid: str = ""
    id: str = ""


class _Kubernetes(msgspec.Struct, gc=False):
    namespace: str = ""
    pod: _Named = msgspec.field(default_factory=_Named)
    container: _Named = msgspec.field(default_factory=_Named)


class _Filebeat(msgspec.Struct, gc=False):
    """The fields that are read. The defaults are shared because nobody changes them."""

    timestamp: str = msgspec.field(name="@timestamp")
    metadata: msgspec.Raw = msgspec.field(name="@metadata", default=msgspec.Raw(b""))
    message: str = ""
    stream: str = ""
    level: str = msgspec.field(name="log.level", default="")
    log: _Log | None = None
    kubernetes: _Kubernetes | None = None
    container: _Named | None = None
    host: _Named | None = None
    agent: _Named | None = None


_EMPTY = _Log()


class FilebeatDecoder:
    """Bytes to events; `counts` tells how many went which way (`typed`, `whole`)."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._decoder = msgspec.json.Decoder(_Filebeat)

    def decode(self, position: Position, payload: bytes | None) -> Event | Malformed:
        """The event at `position`, or why it is none."""
        if not payload:
            return Malformed(position, b"", "empty", "a record without a value")
        try:
            if not payload.isascii():
                payload.decode()  # fields that are not read are not checked by the decoder
            found = self._decoder.decode(payload)
            datetime.fromisoformat(found.timestamp)
        except (ValueError, RecursionError):
            return self._whole(position, payload)
        self.counts["typed"] += 1
        return _event(position, payload, payload, found)

    def _whole(self, position: Position, payload: bytes) -> Event | Malformed:
        """An event that the typed decoder refused, read with patience and written again."""
        self.counts["whole"] += 1
        try:
            document = json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            return Malformed(position, payload, "no_json", str(error))
        if not isinstance(document, dict):
            return Malformed(position, payload, "no_object", f"a JSON {type(document).__name__}")
        timestamp = document.get("@timestamp")
        if not isinstance(timestamp, str) or not _is_time(timestamp):
            return Malformed(position, payload, "no_timestamp", f"@timestamp is {str(timestamp)[:100]!r}")
        document.pop("@metadata", None)
        # a lone surrogate has no UTF-8 form: it becomes a question mark
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return _event(position, payload, body, _patiently(document, timestamp))


def _event(position: Position, raw: bytes, body: bytes, found: _Filebeat) -> Event:
    log = found.log or _EMPTY
    host = (found.host and found.host.name) or (found.agent and found.agent.name) or ""
    return Event(
        position=position,
        id=_id(position, host, log, found.timestamp),
        timestamp=found.timestamp,
        message=found.message,
        stream=found.stream,
        path=log.file.path,
        offset=log.offset,
        host=host,
        pod=_pod(found),
        level=found.level or log.level,
        raw=raw,
        body=body,
        metadata=bytes(found.metadata),
    )


def _id(position: Position, host: str, log: _Log, timestamp: str) -> str:
    """By fingerprint, else by device and inode, else by path, else by the record's place."""
    if log.offset is None or log.offset < 0:
        return record_id(position)
    file = log.file
    if file.fingerprint:
        return line_id(f"{host}|fingerprint|{file.fingerprint}", log.offset)
    if file.inode:
        return line_id(f"{host}|inode|{file.device_id}|{file.inode}", log.offset, timestamp)
    if file.path:
        return line_id(f"{host}|path|{file.path}", log.offset, timestamp)
    return record_id(position)


def _pod(found: _Filebeat) -> Pod | None:
    kubernetes = found.kubernetes
    container = found.container.id if found.container else ""
    if kubernetes is None:
        return Pod(container_id=container) if container else None
    return Pod(
        kubernetes.namespace,
        kubernetes.pod.name,
        kubernetes.container.name,
        kubernetes.pod.uid,
        container or kubernetes.container.id,
    )


def _patiently(document: Mapping[str, Any], timestamp: str) -> _Filebeat:
    """The same fields from a document in which anything may be of any type."""

    def named(*road: str) -> _Named:
        return _Named(_text(document, *road, "name"), _text(document, *road, "uid"), _text(document, *road, "id"))

    offset = _at(document, "log", "offset")
    file = _File(*(_text(document, "log", "file", key) for key in ("path", "fingerprint", "device_id", "inode")))
    return _Filebeat(
        timestamp=timestamp,
        message=_text(document, "message"),
        stream=_text(document, "stream"),
        level=_text(document, "log.level"),
        log=_Log(offset if type(offset) is int else None, _text(document, "log", "level"), file),
        kubernetes=_Kubernetes(
            _text(document, "kubernetes", "namespace"), named("kubernetes", "pod"), named("kubernetes", "container")
        )
        if isinstance(document.get("kubernetes"), dict)
        else None,
        container=named("container"),
        host=_Named(_text(document, "host", "name") or _text(document, "host")),
        agent=named("agent"),
    )


def _at(document: Any, *road: str) -> Any:
    for key in road:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _text(document: Any, *road: str) -> str:
    """The text or number at the end of the road; empty for anything else."""
    value = _at(document, *road)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.encode("utf-8", "replace").decode() if text and not text.isascii() else text


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
