"""From an Event to the bytes of its document: one JSON object on one line. Pure but for its counts.

The body that came is not decoded again: `@metadata` is cut out of it and new fields are put before its last
brace. Three things are checked so that this stays right: a key that stands in the body is not written twice
(the search engine refuses such a document), the cut is provably at the top level, and no line end is inside. Where
a check fails the body is decoded whole and written again; `counts` says how often (`spliced`, `rebuilt`, `built`).

Dotted keys (`"log.level":"error"` beside a `"log":{…}` object) mean the same to Elasticsearch as nested ones.
"""

from collections import Counter
from typing import Any

import msgspec

from log_pipeline.model.event import Event

_encode = msgspec.json.encode


class DocumentEncoder:
    """Events to JSON; a counter of the ways taken."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def encode(self, event: Event) -> bytes:
        """The document of `event`. Raises ValueError when its body is no JSON object."""
        if not event.body:
            self.counts["built"] += 1
            return _encode(_built(event))
        document = _spliced(event)
        if document is None:
            self.counts["rebuilt"] += 1
            return _rebuilt(event)
        self.counts["spliced"] += 1
        return document


def without_metadata(body: bytes, metadata: bytes) -> bytes | None:
    """The body without its `@metadata`, whose JSON text is `metadata`; None when splicing can't do it safely.

    Only one brace before the key proves that the key belongs to the outermost object.
    """
    key = b'"@metadata":' + metadata
    start = body.find(key)
    if start < 0 or body.count(b"{", 0, start) != 1:
        return None
    end = start + len(key)
    if body[end : end + 1] == b",":
        return body[:start] + body[end + 1 :]
    if body[end : end + 1] == b"}" and body[start - 1 : start] == b",":
        return body[: start - 1] + body[end:]
    return None


def _spliced(event: Event) -> bytes | None:
    body = event.body
    if b"\n" in body:
        return None
    if event.metadata:
        shorter = without_metadata(body, event.metadata)
        if shorter is None:
            return None
        body = shorter
    if not event.added:
        return body
    for path in event.added:
        if b'"' + path.encode() + b'"' in body:
            return None
    head = body.rstrip()
    if not head.endswith(b"}") or head == b"{}":
        return None
    return head[:-1] + b"," + _encode(event.added)[1:]


def _rebuilt(event: Event) -> bytes:
    document = msgspec.json.decode(event.body)
    if not isinstance(document, dict):
        raise ValueError("the body is no JSON object")
    document.pop("@metadata", None)
    for path, value in event.added.items():
        document.setdefault(path, value)
    return _encode(document)


def _built(event: Event) -> dict[str, Any]:
    """The document of a line that came bare, in the shape that Filebeat would have given it."""
    log: dict[str, Any] = {}
    if event.offset is not None:
        log["offset"] = event.offset
    if event.path:
        log["file"] = {"path": event.path}
    document: dict[str, Any] = {"@timestamp": event.timestamp, "message": event.message}
    if event.stream:
        document["stream"] = event.stream
    if log:
        document["log"] = log
    if event.host:
        document["host"] = {"name": event.host}
    for path, value in event.added.items():
        document.setdefault(path, value)
    return document
