"""A document is the event's own JSON without its metadata and with what the stages found, on one line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.model.event import Event
from log_pipeline.testing import new_event

BODY = {"@timestamp": "2026-11-21T09:30:00.000Z", "@metadata": {"beat": "filebeat"}, "message": "hello"}


def decoded(payload: bytes, added: dict[str, object]) -> Event:
    event = FilebeatDecoder().decode(new_event().position, payload)
    assert isinstance(event, Event)
    event.added.update(added)
    return event


@pytest.mark.parametrize(
    ("payload", "added", "way"),
    [
        (json.dumps(BODY, separators=(",", ":")), {}, "spliced"),
        (json.dumps(BODY, separators=(",", ":")), {"log.level": "error"}, "spliced"),
        (json.dumps(BODY, separators=(",", ":")), {"log.level": "error", "kubernetes": {"namespace": "x"}}, "spliced"),
        ('{"@timestamp":"2026-11-21T09:30:00Z","message":"no metadata"} ', {"log.level": "info"}, "spliced"),
        ('{"@timestamp":"2026-11-21T09:30:00Z","m":1,"@metadata":{"beat":"x"}}', {"log.level": "info"}, "spliced"),
        ('{"@timestamp":"2026-11-21T09:30:00Z","message":"say \\"log.level\\""}', {"log.level": "info"}, "spliced"),
        ('{"@timestamp":"2026-11-21T09:30:00Z","log.level":"warn"}', {"log.level": "info"}, "rebuilt"),
        ('{"@timestamp":"2026-11-21T09:30:00Z","tags":["kubernetes"]}', {"kubernetes": {"a": "b"}}, "rebuilt"),
        (json.dumps(BODY), {}, "rebuilt"),
        (json.dumps(BODY, indent=1), {"log.level": "error"}, "rebuilt"),
        ('{"@timestamp":"2026-11-21T09:30:00Z",\n"message":"two lines"}', {}, "rebuilt"),
        ('{"a":{"@metadata":{"x":1}},"@metadata":{"x":1},"@timestamp":"2026-11-21T09:30:00Z"}', {}, "rebuilt"),
    ],
)
def test_each_way_gives_the_same_document(payload: str, added: dict[str, object], way: str) -> None:
    """Splicing is a short cut, never another result; a key that is there wins over one that is added."""
    encoder = DocumentEncoder()
    document = encoder.encode(decoded(payload.encode(), added))
    expected = added | json.loads(payload)
    expected.pop("@metadata", None)
    assert json.loads(document) == expected
    assert b"\n" not in document
    assert encoder.counts == {way: 1}


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["@metadata", "log.level", "kubernetes", "message", "a", "{", '"', "}"])


@given(
    st.dictionaries(names, values, max_size=6),
    st.dictionaries(st.sampled_from(["log.level", "kubernetes"]), st.text(), max_size=2),
    st.booleans(),
)
def test_no_key_is_ever_written_twice(fields: dict[str, Any], added: dict[str, object], compact: bool) -> None:
    """The search engine refuses a document in which a key stands twice."""
    payload = {"@timestamp": "2026-11-21T09:30:00Z"} | fields
    separators = (",", ":") if compact else (", ", ": ")
    document = DocumentEncoder().encode(decoded(json.dumps(payload, separators=separators).encode(), added))
    expected = added | payload
    expected.pop("@metadata", None)
    assert json.loads(document, object_pairs_hook=no_key_twice) == expected


def test_a_bare_line_becomes_a_document_of_the_same_shape() -> None:
    event = new_event(number=7, message="hello", level="warn")
    event.path, event.stream, event.host = "/var/log/a.log", "stderr", "node-1"
    event.added["log.level"] = "warn"
    assert json.loads(DocumentEncoder().encode(event)) == {
        "@timestamp": "2026-11-21T09:30:00.000Z",
        "message": "hello",
        "stream": "stderr",
        "log": {"offset": 7, "file": {"path": "/var/log/a.log"}},
        "host": {"name": "node-1"},
        "log.level": "warn",
    }


def test_a_body_that_is_no_object_is_an_error_of_its_own() -> None:
    event = new_event()
    event.body = b"[1,\n2]"
    with pytest.raises(ValueError, match="no JSON object"):
        DocumentEncoder().encode(event)
