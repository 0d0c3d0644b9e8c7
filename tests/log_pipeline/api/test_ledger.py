"""`/api/v1/ledger` shows that the sums agree."""

from log_pipeline.api.ledger import ledger_view
from log_pipeline.audit.ledger import Ledger
from log_pipeline.model.outcome import DeadLettered, Indexed
from log_pipeline.model.position import Partition


def test_the_view_has_totals_reasons_and_partitions() -> None:
    ledger = Ledger()
    one, two = Partition("kafka:t", "0"), Partition("kafka:t", "1")
    ledger.read(one, 3)
    ledger.read(two, 2)
    ledger.settle(one, Indexed())
    ledger.settle(one, DeadLettered("mapping"))
    ledger.release(two, 2)
    nothing = {"indexed": 0, "duplicate": 0, "dead_lettered": 0, "dropped": 0, "merged": 0, "released": 0}
    assert ledger_view(ledger.accounts({one: 1})) == {
        "totals": nothing | {"read": 5, "indexed": 1, "dead_lettered": 1, "released": 2, "pending": 1, "difference": 0},
        "reasons": {"indexed": {"created": 1}, "dead_lettered": {"mapping": 1}, "released": {"revoked": 2}},
        "partitions": [
            {"source": "kafka:t", "partition": "0", "read": 3}
            | nothing
            | {"indexed": 1, "dead_lettered": 1, "pending": 1, "difference": 0},
            {"source": "kafka:t", "partition": "1", "read": 2}
            | nothing
            | {"released": 2, "pending": 0, "difference": 0},
        ],
    }
