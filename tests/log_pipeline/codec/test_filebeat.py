"""Filebeat's events of all versions are understood; whatever else stands in a record never raises."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.model.event import Event, Malformed, Pod
from log_pipeline.model.position import Partition, Position

PLACE = Position(Partition("kafka:filebeat", "3"), 31, 32)
HEX = "0123456789abcdef" * 4
PATH = f"/var/log/containers/web-66b6_default_nginx-{HEX}.log"

V7 = {
    "@timestamp": "2021-12-14T09:42:30.686Z",
    "@metadata": {"beat": "filebeat", "type": "_doc", "version": "7.8.0", "topic": "filebeat"},
    "stream": "stdout",
    "message": "GET / 304",
    "log": {"offset": 3673, "file": {"path": PATH}},
    "input": {"type": "container"},
    "agent": {"type": "filebeat", "version": "7.8.0", "hostname": "node-1", "name": "node-1"},
    "kubernetes": {
        "namespace": "default",
        "pod": {"name": "web-66b6", "uid": "u-1"},
        "container": {"name": "nginx", "image": "nginx:1.14.2"},
        "node": {"name": "node-1"},
    },
}
V8 = V7 | {
    "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.15.3"},
    "host": {"name": "node-1"},
    "container": {"id": HEX, "runtime": "containerd", "image": {"name": "nginx:1.14.2"}},
}
V9 = V8 | {
    "@metadata": {"beat": "filebeat", "type": "_doc", "version": "9.1.0"},
    "input": {"type": "filestream"},
    "log": {
        "offset": 3673,
        "file": {"path": PATH, "device_id": "64769", "inode": "1835", "fingerprint": "f" * 64},
    },
}


def decode(document: Any) -> Event | Malformed:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return FilebeatDecoder().decode(PLACE, payload)


def event(document: Any) -> Event:
    found = decode(document)
    assert isinstance(found, Event), found
    return found


@pytest.mark.parametrize(
    ("document", "pod"),
    [
        (V7, Pod("default", "web-66b6", "nginx", "u-1")),
        (V8, Pod("default", "web-66b6", "nginx", "u-1", HEX)),
        (V9, Pod("default", "web-66b6", "nginx", "u-1", HEX)),
    ],
    ids=["7", "8", "9"],
)
def test_each_version_says_what_when_where_and_who(document: dict[str, Any], pod: Pod) -> None:
    found = event(document)
    assert (found.message, found.timestamp, found.stream) == ("GET / 304", "2021-12-14T09:42:30.686Z", "stdout")
    assert (found.path, found.offset, found.host, found.pod) == (PATH, 3673, "node-1", pod)
    assert json.loads(found.raw) == document


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def test_an_event_without_kubernetes_metadata_is_normal() -> None:
    assert event(without(V7, "kubernetes")).pod is None


def test_an_event_whose_message_was_decoded_away_is_normal() -> None:
    """With `json.keys_under_root` the fields of the line take the place of the message."""
    found = event(without(V8, "message") | {"log.level": "error", "user": "ann"})
    assert (found.message, found.level) == ("", "error")


def test_the_id_is_the_same_for_a_second_delivery_in_another_record() -> None:
    again = FilebeatDecoder().decode(Position(Partition("kafka:filebeat", "0"), 99, 100), json.dumps(V9).encode())
    assert isinstance(again, Event)
    assert again.id == event(V9).id


def with_file(offset: int = 3673, timestamp: str = "2021-12-14T09:42:30.686Z", **file: str) -> dict[str, Any]:
    return V9 | {"@timestamp": timestamp, "log": {"offset": offset, "file": {"path": PATH} | file}}


LATER = "2021-12-14T10:00:00.000Z"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (with_file(fingerprint="a"), with_file(fingerprint="a", timestamp=LATER), True),
        (with_file(fingerprint="a"), with_file(fingerprint="b"), False),
        (with_file(fingerprint="a"), with_file(fingerprint="a", offset=4000), False),
        (with_file(inode="7"), with_file(inode="7"), True),
        (with_file(inode="7"), with_file(inode="7", timestamp=LATER), False),
        (with_file(), with_file(), True),
        (with_file(), with_file(timestamp=LATER), False),
        (with_file(fingerprint="a"), with_file(fingerprint="a") | {"host": {"name": "node-2"}}, False),
    ],
    ids=[
        "a fingerprint and an offset name a line",
        "another fingerprint is another file",
        "another offset is another line",
        "an inode names a file as long as it lives",
        "an inode may be used again",
        "a path names a file until it is rotated",
        "after a rotation the same path and offset are another line",
        "another node's file is another file",
    ],
)
def test_ids_are_equal_only_for_the_same_line(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (event(one).id == event(other).id) is same


def test_without_an_offset_the_record_itself_is_the_identity() -> None:
    assert event(without(V8, "log")).id == "kafka:filebeat-3-1f"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"not json", "no_json"),
        (b'{"@timestamp":', "no_json"),
        (b"\x00\xff\xfe", "no_json"),
        (b"[1, 2]", "no_object"),
        (b'"text"', "no_object"),
        (b'{"message": "x"}', "no_timestamp"),
        (b'{"@timestamp": "yesterday", "message": "x"}', "no_timestamp"),
        (b'{"@timestamp": 1700000000, "message": "x"}', "no_timestamp"),
        (b'{"@timestamp": "2026-11-21T09:30:00Z", "a": ' + b"[" * 100_000, "no_json"),
    ],
)
def test_what_is_no_event_is_kept_with_its_reason(payload: bytes, reason: str) -> None:
    found = decode(payload)
    assert isinstance(found, Malformed)
    assert (found.reason, found.raw, found.position) == (reason, payload, PLACE)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"host": "node-7"}, {"host": "node-7"}),
        ({"message": 42}, {"message": "42"}),
        ({"message": {"a": 1}}, {"message": ""}),
        ({"log": "text"}, {"offset": None, "path": ""}),
        ({"log.level": 50}, {"level": "50"}),
        ({"kubernetes": "no"}, {"pod": Pod(container_id=HEX)}),
        ({"kubernetes": {"namespace": "shop", "pod": "web"}}, {"pod": Pod("shop", container_id=HEX)}),
    ],
    ids=str,
)
def test_an_event_of_unusual_shape_is_read_with_patience(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    """A field of another type than usual costs that field, not the event; the document keeps it as it is."""
    found = event(V8 | changed)
    assert {name: getattr(found, name) for name in expected} == expected
    assert json.loads(found.body) == without(V8 | changed, "@metadata")


@pytest.mark.parametrize("place", ["message", "elsewhere"])
def test_invalid_utf_8_is_repaired_and_the_original_kept(place: str) -> None:
    payload = json.dumps(V8 | {place: "MARK"}).encode().replace(b"MARK", b"caf\xe9")
    found = event(payload)
    assert json.loads(found.body)[place] == "caf�"
    assert found.raw == payload


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    found = event(json.dumps(V8).encode().replace(b"GET / 304", b"half \\ud83d"))
    assert json.loads(found.body)["message"] == "half ?"
    assert found.message == "half ?"


def test_the_usual_event_takes_the_fast_way() -> None:
    decoder = FilebeatDecoder()
    for document in (V7, V8, V9):
        decoder.decode(PLACE, json.dumps(document).encode())
    decoder.decode(PLACE, b"nothing")
    assert decoder.counts == {"typed": 3, "whole": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("message", "log", "kubernetes", "container", "host", "agent", "stream", "log.level", "@metadata", "other")


@given(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6))
def test_any_object_with_a_time_is_an_event(fields: dict[str, Any]) -> None:
    found = decode({"@timestamp": "2026-11-21T09:30:00.000Z"} | fields)
    assert isinstance(found, Event)
    assert isinstance(found.message, str)
    assert isinstance(found.host, str)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(payload: bytes) -> None:
    assert decode(payload).position == PLACE
