"""The ledger's sums are exact, and a hole shows."""

from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.audit.ledger import Ledger
from log_pipeline.model.outcome import DeadLettered, Dropped, Duplicate, Indexed, Merged, Outcome
from log_pipeline.model.position import Partition

A, B = Partition("kafka:t", "0"), Partition("kafka:t", "1")
OUTCOMES: list[Outcome] = [Indexed(), Duplicate(), DeadLettered("mapping"), Dropped("rule"), Merged("multiline")]


def test_each_partition_has_its_own_account() -> None:
    ledger = Ledger()
    ledger.read(A, 5)
    ledger.read(B, 1)
    for outcome in OUTCOMES[:3]:
        ledger.settle(A, outcome)
    first, second = ledger.accounts({A: 2, B: 1})
    assert (first.partition, first.read, first.pending, first.difference) == (A, 5, 2, 0)
    assert first.settled == {("indexed", "created"): 1, ("duplicate", "same_id"): 1, ("dead_lettered", "mapping"): 1}
    assert (second.read, second.settled, second.difference) == (1, {}, 0)


def test_an_event_that_vanished_is_a_difference() -> None:
    ledger = Ledger()
    ledger.read(A, 3)
    ledger.settle(A, Indexed())
    assert ledger.accounts({A: 1})[0].difference == 1


def test_what_goes_to_another_consumer_is_released_not_lost() -> None:
    ledger = Ledger()
    ledger.read(A, 3)
    ledger.release(A, 3)
    ledger.release(B, 0)
    assert [account.difference for account in ledger.accounts({})] == [0]
    assert ledger.totals() == (3, {("released", "revoked"): 3})


def test_many_files_come_and_go_without_a_row_for_each() -> None:
    """Partitions that are settled are folded into one row; what is pending, or missing, keeps its own."""
    ledger = Ledger(most=10)
    ledger.read(A, 3)
    ledger.settle(A, Indexed())
    for number in range(1000):
        file = Partition("files", f"{number:04d}")
        ledger.read(file, 2)
        ledger.settle(file, Indexed())
        ledger.settle(file, Duplicate())
    accounts = ledger.accounts({A: 1})
    assert len(accounts) <= 12
    assert sum(account.read for account in accounts) == 2003
    assert ledger.totals() == (2003, {("indexed", "created"): 1001, ("duplicate", "same_id"): 1000})
    rows = {account.partition: account for account in accounts}
    assert (rows[A].read, rows[A].difference) == (3, 1)
    assert rows[Partition("files", "earlier")].difference == 0
    assert Partition("files", "0999") in rows
    assert len(ledger._settled) <= 12


def test_partitions_with_something_pending_are_never_folded() -> None:
    ledger = Ledger(most=10)
    files = [Partition("files", f"{number:03d}") for number in range(100)]
    for file in files:
        ledger.read(file, 1)
    for file in files:
        ledger.settle(file, Indexed())
    assert [account.difference for account in ledger.accounts({})] == [0] * 100


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from(OUTCOMES)), max_size=40))
def test_totals_are_the_sums_of_the_accounts(settled: list[tuple[Partition, Outcome]]) -> None:
    ledger = Ledger()
    for partition, outcome in settled:
        ledger.read(partition, 1)
        ledger.settle(partition, outcome)
    accounts = ledger.accounts({})
    read, totals = ledger.totals()
    assert read == sum(account.read for account in accounts) == len(settled) == totals.total()
    assert all(account.difference == 0 for account in accounts)
