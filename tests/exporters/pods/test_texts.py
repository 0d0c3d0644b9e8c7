"""JSON that is not as expected."""

import pytest

from exporters.host import Reason, Unreadable
from exporters.pods.texts import LONGEST, list_of, object_of, text_of, texts_of, value_in


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5_000, Unreadable("x", Reason.ABSENT)])
def test_no_content_is_a_surprise(content: bytes | Unreadable) -> None:
    """Cut, binary, too deep, too large a number, or none at all: there is no value."""
    assert value_in(content) is None


def test_a_text_that_is_no_name_is_none() -> None:
    """What is as long as a book would stand in each line of an exposition."""
    assert text_of("a" * LONGEST) == "a" * LONGEST
    assert text_of("a" * (LONGEST + 1)) == ""
    assert texts_of({"a": "a" * (LONGEST + 1), "b": "c"}) == {"b": "c"}


def test_values_are_of_the_kind_asked_for_or_empty() -> None:
    """Whoever wrote them."""
    assert object_of({"a": 1}) == {"a": 1}
    assert list_of([1]) == [1]
    assert text_of("a") == "a"
    assert texts_of({"a": "b", "c": 1}) == {"a": "b"}
    for other in (None, 1, True):
        assert (object_of(other), list_of(other), text_of(other), texts_of(other)) == ({}, [], "", {})
