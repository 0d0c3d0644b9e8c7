"""What an answer of a search engine's bulk API means for each document. Pure.

The table follows what Logstash, Vector, rsyslog and kafka-connect-elasticsearch do right, and avoids where they
lose documents (a 429 dropped) or stop for ever (one closed index).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from log_pipeline.model.outcome import Answer, DeadLettered, Duplicate, Indexed, Rejected, Retry

BOUNDED = 8
"""Attempts, about a minute of them, for what an operator may be repairing just now."""

_PASSING = {
    "security_exception": ("unauthorized", None),
    "index_closed_exception": ("index_closed", BOUNDED),
    # the index can't be made, as when the cluster has all the shards it may have: it says nothing about the document
    "validation_exception": ("no_index", None),
    401: ("unauthorized", None),
    404: ("index_not_found", BOUNDED),
    429: ("busy", None),
}
"""What may pass, by the error's type or else by status: the reason, and how often it is tried (None: for ever)."""


def classify(item: Mapping[str, Any]) -> Answer:
    """One item of the answer, without its action's name: `{"status": 201}` or `{"status": 400, "error": {…}}`."""
    status = item.get("status", 0)
    if 200 <= status < 300:
        stored = item.get("failure_store") == "used"
        return DeadLettered("failure_store", "kept in the stream's failure store") if stored else Indexed()
    if status == 409:
        return Duplicate()
    error = item.get("error")
    kind = str(error.get("type", "")) if isinstance(error, Mapping) else ""
    return _failed(status, kind, _detail(error))


def _failed(status: int, kind: str, detail: str) -> Answer:
    if kind == "cluster_block_exception" and status < 500:  # 503: there is no master at the moment
        return _blocked(detail)
    if passing := _PASSING.get(kind) or _PASSING.get(status):
        reason, tries = passing
        return Retry(reason, detail, tries)
    if status in (400, 413):
        return Rejected("too_large" if status == 413 else kind or "bad_request", detail)
    if status >= 500:
        return Retry("server_error", detail)
    return Retry("unexpected", f"status {status} {detail}".strip(), BOUNDED)


def _blocked(detail: str) -> Answer:
    """A full disk heals when there is room again; a block that somebody set is waited for with a bound."""
    if "flood-stage" in detail or "read-only / allow delete" in detail:
        return Retry("disk_full", detail)
    return Retry("index_blocked", detail, BOUNDED)


def classify_items(body: Any, count: int) -> Sequence[Answer]:
    """The answers of a bulk call that was accepted; `body` is the decoded answer to `count` documents."""
    items = body.get("items") if isinstance(body, Mapping) else None
    if not isinstance(items, list) or len(items) != count:
        got = len(items) if isinstance(items, list) else "no"
        return [Retry("bad_answer", f"{got} items for {count} documents")] * count
    return [classify(next(iter(item.values()))) for item in items]


def classify_request(status: int, detail: str) -> Retry | None:
    """A call that was refused as a whole. None: too large or malformed, to be halved to find the culprit."""
    if status in (400, 413):
        return None
    reasons = {401: "unauthorized", 403: "unauthorized", 429: "busy"}
    reason = reasons.get(status, "server_error" if status >= 500 else "unexpected")
    return Retry(reason, f"answered {status}: {detail}"[:500])


def _detail(error: object) -> str:
    if not isinstance(error, Mapping):
        return str(error)[:500] if error else ""
    cause = error.get("caused_by")
    because = f" ({cause.get('reason', '')})" if isinstance(cause, Mapping) else ""
    return f"{error.get('type', '')}: {error.get('reason', '')}{because}"[:500]
