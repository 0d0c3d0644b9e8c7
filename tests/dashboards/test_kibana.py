"""Kibana's views: what is in them, and how they get there."""

import asyncio
import base64
import json
from typing import Any

import pytest

from dashboards import app
from dashboards.kibana.objects import render
from dashboards.kibana.push import Kibana, import_request, push
from fenghuo.errors import FenghuoError, RemoteAnswer, RemoteRefused
from fenghuo.secrets import Secret
from fenghuo.testing import FakeCaller, ManualClock, answer, settle

DONE = {"success": True, "successCount": 3}
HERE = Kibana("http://kibana:5601/", password=Secret("pass"))


def objects() -> list[Any]:
    """Every object as Kibana will read it."""
    return [json.loads(line) for line in render(app.kibana_objects()).splitlines()]


def run_push(caller: FakeCaller, patience: float, seconds: float) -> int:
    """Push under a clock that is moved on by `seconds`."""

    async def work() -> int:
        clock = ManualClock()
        task = asyncio.ensure_future(push(HERE, app.kibana_objects(), caller, clock, patience))
        await settle()
        await clock.advance(seconds)
        return await task

    return asyncio.run(work())


def test_an_object_a_line_and_every_reference_leads_to_one_of_them() -> None:
    """Kibana refuses an import with a reference that leads nowhere."""
    known = {(item["type"], item["id"]) for item in objects()}
    wanted = {(reference["type"], reference["id"]) for item in objects() for reference in item["references"]}

    assert wanted <= known
    assert wanted == {("index-pattern", "fenghuo-logs")}


def test_the_view_covers_all_log_data_streams_by_time() -> None:
    """`logs-*`, which is where the log pipeline writes."""
    view = objects()[0]

    assert view["type"] == "index-pattern"
    assert (view["attributes"]["title"], view["attributes"]["timeFieldName"]) == ("logs-*", "@timestamp")


def test_a_session_shows_who_wrote_the_line_newest_first() -> None:
    """The columns have the names that the log pipeline's documents have."""
    lines, errors = objects()[1:]
    source = json.loads(errors["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])

    assert lines["attributes"]["columns"] == [
        "kubernetes.namespace",
        "kubernetes.pod.name",
        "kubernetes.container.name",
        "log.level",
        "message",
    ]
    assert lines["attributes"]["sort"] == [["@timestamp", "desc"]]
    assert source["query"] == {"language": "kuery", "query": "log.level : (error or fatal)"}
    assert source["indexRefName"] == errors["references"][0]["name"]


def test_the_request_is_the_one_that_kibanas_import_wants() -> None:
    """One file part, the header against forged requests, credentials, over what is there."""
    request = import_request(HERE, app.kibana_objects())
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    assert request.body is not None
    before, part, after = request.body.split(b"--" + boundary)
    head, _, content = part.partition(b"\r\n\r\n")

    assert (request.method, request.url) == ("POST", "http://kibana:5601/api/saved_objects/_import?overwrite=true")
    assert request.headers["kbn-xsrf"] == "true"
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"elastic:pass"
    assert (before, after) == (b"", b"--\r\n")
    assert b'name="file"; filename="fenghuo.ndjson"' in head
    assert content.decode().removesuffix("\r\n") == render(app.kibana_objects())


def test_without_a_password_no_credentials_are_sent() -> None:
    """For a Kibana without security."""
    assert "Authorization" not in import_request(Kibana("http://kibana:5601"), []).headers


def test_a_kibana_that_is_starting_is_waited_for() -> None:
    """No connection, then 503, then the import."""
    caller = FakeCaller()
    caller.script.extend([RemoteRefused("http://kibana", "refused"), answer(503, "starting"), answer(200, DONE)])

    assert run_push(caller, patience=300, seconds=30) == 3
    assert len(caller.requests) == 3


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([RemoteRefused("http://kibana", "refused")] * 99, "refused"),
        ([answer(503, "Kibana server is not ready yet")] * 99, "not ready yet"),
    ],
)
def test_a_kibana_that_never_comes_up_is_given_up_with_its_last_word(script: list[Any], expected: str) -> None:
    """After the patience, and not before."""
    caller = FakeCaller()
    caller.script.extend(script)

    with pytest.raises(FenghuoError, match=expected):
        run_push(caller, patience=60, seconds=120)
    assert len(caller.requests) > 5


def test_a_refusal_is_final() -> None:
    """A wrong password does not get better by asking again."""
    caller = FakeCaller()
    caller.script.append(answer(401, "unable to authenticate"))

    with pytest.raises(RemoteAnswer, match="401"):
        run_push(caller, patience=300, seconds=1)
    assert len(caller.requests) == 1


def test_an_object_that_was_not_taken_is_named() -> None:
    """Kibana answers 200 even then."""
    refused = {"success": False, "errors": [{"type": "search", "id": "x", "error": {"type": "missing_references"}}]}
    caller = FakeCaller()
    caller.script.append(answer(200, refused))

    with pytest.raises(RemoteAnswer, match=r"search x: .*missing_references"):
        run_push(caller, patience=300, seconds=1)
