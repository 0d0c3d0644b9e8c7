"""`GET /api/v1/ledger`: what was read and what became of it, by source partition, and that the sums agree."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from log_pipeline.audit.ledger import RELEASED, Account, Ledger
from log_pipeline.flow.commit import CommitTracker
from log_pipeline.model.outcome import KINDS

_COLUMNS = (*KINDS, RELEASED)


def add_ledger_route(application: web.Application, ledger: Ledger, tracker: CommitTracker) -> None:
    """Serve the accounts of this process."""

    async def show(_: web.Request) -> web.Response:
        return web.json_response(ledger_view(ledger.accounts(tracker.pending())))

    application.router.add_get("/api/v1/ledger", show)


def ledger_view(accounts: Sequence[Account]) -> dict[str, Any]:
    """The accounts as JSON values: totals first, then each partition.

    `read` is the sum of all outcomes, `released` and `pending`; `difference` is what is missing from that: 0.
    """
    partitions = [_row(account) for account in accounts]
    columns = ("read", *_COLUMNS, "pending", "difference")
    return {
        "totals": {column: sum(row[column] for row in partitions) for column in columns},
        "reasons": _reasons(accounts),
        "partitions": partitions,
    }


def _row(account: Account) -> dict[str, Any]:
    row: dict[str, Any] = {"source": account.partition.source, "partition": account.partition.name}
    row["read"] = account.read
    row.update(dict.fromkeys(_COLUMNS, 0))
    for (kind, _), count in account.settled.items():
        row[kind] += count
    return row | {"pending": account.pending, "difference": account.difference}


def _reasons(accounts: Sequence[Account]) -> dict[str, dict[str, int]]:
    """Counts by reason within each outcome."""
    reasons: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for account in accounts:
        for (kind, reason), count in account.settled.items():
            reasons[kind][reason] += count
    return {kind: dict(counts) for kind, counts in reasons.items()}
