"""An offset is safe when every event before it has its final outcome, and not before."""

from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.flow.commit import CommitTracker
from log_pipeline.model.position import Partition

A, B = Partition("kafka:t", "0"), Partition("kafka:t", "1")


def test_a_span_is_safe_when_its_last_event_is_settled() -> None:
    tracker = CommitTracker()
    span = tracker.begin(A, 10, 2)
    tracker.settle(span)
    assert tracker.safe() == {}
    tracker.settle(span)
    assert tracker.safe() == {A: 10}


def test_a_later_span_waits_for_an_earlier_one() -> None:
    """A batch that is done early does not carry the offset over one that is not."""
    tracker = CommitTracker()
    early, late = tracker.begin(A, 10, 1), tracker.begin(A, 20, 1)
    tracker.settle(late)
    assert tracker.safe() == {}
    tracker.settle(early)
    assert tracker.safe() == {A: 20}


def test_partitions_do_not_wait_for_one_another() -> None:
    tracker = CommitTracker()
    tracker.begin(A, 10, 1)
    tracker.settle(tracker.begin(B, 5, 1))
    assert tracker.safe() == {B: 5}
    assert tracker.pending() == {A: 1}


def test_what_became_safe_during_a_commit_is_committed_next() -> None:
    tracker = CommitTracker()
    tracker.settle(tracker.begin(A, 10, 1))
    under_way = tracker.safe()
    tracker.settle(tracker.begin(A, 20, 1))
    tracker.committed(under_way)
    assert tracker.safe() == {A: 20}
    tracker.committed({A: 20})
    assert tracker.safe() == {}


def test_a_released_partition_is_not_moved_by_a_late_acknowledgement() -> None:
    tracker = CommitTracker()
    done, late = tracker.begin(A, 10, 1), tracker.begin(A, 20, 3)
    tracker.settle(done)
    tracker.settle(late)
    assert tracker.release([A, B]) == {A: (10, 2), B: (None, 0)}
    assert tracker.settle(late) is False
    assert (tracker.safe(), tracker.pending()) == ({}, {})


def test_a_partition_that_comes_back_is_not_moved_by_its_former_life() -> None:
    tracker = CommitTracker()
    former = tracker.begin(A, 20, 1)
    tracker.release([A])
    again = tracker.begin(A, 20, 1)
    assert tracker.settle(former) is False
    assert tracker.safe() == {}
    assert tracker.settle(again) is True
    assert tracker.safe() == {A: 20}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_whatever_the_order_of_settling_the_offset_is_the_contiguous_one(sizes: list[int], chance: object) -> None:
    """Against the plain model: the end of the longest run of spans from the start that are wholly settled."""
    tracker = CommitTracker()
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    spans = [tracker.begin(A, end, size) for end, size in zip(ends, sizes, strict=True)]
    todo = [index for index, size in enumerate(sizes) for _ in range(size)]
    chance.shuffle(todo)  # type: ignore[attr-defined]
    left = list(sizes)
    for index in todo:
        tracker.settle(spans[index])
        left[index] -= 1
        done = next((place for place, count in enumerate(left) if count), len(left))
        assert tracker.safe() == ({A: ends[done - 1]} if done else {})
        assert sum(tracker.pending().values()) == sum(left)
