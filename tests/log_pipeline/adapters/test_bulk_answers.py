"""Each answer of the bulk API has one meaning. The items are as Elasticsearch 7 to 9 send them."""

from typing import Any

import pytest

from log_pipeline.adapters.bulk_answers import BOUNDED, classify, classify_items, classify_request
from log_pipeline.model.outcome import Answer, DeadLettered, Duplicate, Indexed, Rejected, Retry


def failed(status: int, kind: str, reason: str = "why", cause: str = "") -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "reason": reason}
    if cause:
        error["caused_by"] = {"type": "illegal_argument_exception", "reason": cause}
    return {"status": status, "error": error}


CASES: list[tuple[dict[str, Any], Answer]] = [
    ({"status": 201}, Indexed()),
    ({"status": 200}, Indexed()),
    ({"status": 201, "failure_store": "not_applicable_or_unknown"}, Indexed()),
    (
        {"status": 201, "failure_store": "used"},
        DeadLettered("failure_store", "kept in the stream's failure store"),
    ),
    (failed(409, "version_conflict_engine_exception", "document already exists"), Duplicate()),
    (failed(429, "es_rejected_execution_exception"), Retry("busy", "es_rejected_execution_exception: why")),
    (failed(429, "circuit_breaking_exception"), Retry("busy", "circuit_breaking_exception: why")),
    (failed(503, "unavailable_shards_exception"), Retry("server_error", "unavailable_shards_exception: why")),
    (failed(500, "null_pointer_exception"), Retry("server_error", "null_pointer_exception: why")),
    (
        failed(400, "document_parsing_exception", "[1:9] failed to parse", "For input string"),
        Rejected("document_parsing_exception", "document_parsing_exception: [1:9] failed to parse (For input string)"),
    ),
    (
        failed(400, "strict_dynamic_mapping_exception"),
        Rejected("strict_dynamic_mapping_exception", "strict_dynamic_mapping_exception: why"),
    ),
    (
        failed(400, "illegal_argument_exception"),
        Rejected("illegal_argument_exception", "illegal_argument_exception: why"),
    ),
    (failed(413, "x_content_parse_exception"), Rejected("too_large", "x_content_parse_exception: why")),
    (failed(403, "security_exception"), Retry("unauthorized", "security_exception: why")),
    (failed(401, "security_exception"), Retry("unauthorized", "security_exception: why")),
    (
        failed(403, "cluster_block_exception", "blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"),
        Retry("disk_full", "cluster_block_exception: blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"),
    ),
    (
        failed(429, "cluster_block_exception", "[TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark"),
        Retry("disk_full", "cluster_block_exception: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark"),
    ),
    (
        failed(403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/index write (api)];"),
        Retry("index_blocked", "cluster_block_exception: blocked by: [FORBIDDEN/8/index write (api)];", BOUNDED),
    ),
    (
        failed(503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/2/no master];"),
        Retry("server_error", "cluster_block_exception: blocked by: [SERVICE_UNAVAILABLE/2/no master];"),
    ),
    (
        failed(400, "validation_exception", "this cluster currently has [1000]/[1000] maximum shards open"),
        Retry("no_index", "validation_exception: this cluster currently has [1000]/[1000] maximum shards open"),
    ),
    (failed(400, "index_closed_exception"), Retry("index_closed", "index_closed_exception: why", BOUNDED)),
    (failed(404, "index_not_found_exception"), Retry("index_not_found", "index_not_found_exception: why", BOUNDED)),
    (failed(418, "teapot"), Retry("unexpected", "status 418 teapot: why", BOUNDED)),
    ({"status": 400, "error": "an old server's text"}, Rejected("bad_request", "an old server's text")),
    ({}, Retry("unexpected", "status 0", BOUNDED)),
]


@pytest.mark.parametrize(("item", "answer"), CASES, ids=lambda value: str(value)[:60])
def test_an_item_means(item: dict[str, Any], answer: Answer) -> None:
    assert classify(item) == answer


def test_items_are_answered_in_their_order() -> None:
    body = {"items": [{"create": {"status": 201}}, {"create": {"status": 409}}]}
    assert classify_items(body, 2) == [Indexed(), Duplicate()]


@pytest.mark.parametrize("body", [{"items": [{"create": {"status": 201}}]}, {"items": None}, {}, None, "text"])
def test_an_answer_that_does_not_fit_the_request_settles_nothing(body: object) -> None:
    """Elasticsearch 7.10.2 and 7.11.1 returned more items than were sent."""
    answers = classify_items(body, 2)
    assert [type(answer) for answer in answers] == [Retry, Retry]
    assert [answer.reason for answer in answers if isinstance(answer, Retry)] == ["bad_answer", "bad_answer"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, None),
        (413, None),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "unexpected"),
        (429, "busy"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
    ],
)
def test_a_refused_request_is_tried_again_for_ever_or_halved(status: int, reason: str | None) -> None:
    """None stands for halving; everything else keeps all events and has no bound."""
    refused = classify_request(status, "because")
    assert (refused and refused.reason) == reason
    assert refused is None or refused.tries is None
