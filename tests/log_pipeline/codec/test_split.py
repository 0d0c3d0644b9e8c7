"""Bytes cut into lines with their places, however they are chunked."""

from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.codec.split import LineSplitter, RawLine


@given(st.binary(max_size=200).map(lambda content: content.replace(b"x", b"\n")), st.lists(st.integers(1, 20)))
def test_chunks_make_no_difference(content: bytes, sizes: list[int]) -> None:
    """However the bytes arrive, each line is given once, with the bytes that it takes."""
    splitter = LineSplitter(7, longest=1000)
    lines: list[RawLine] = []
    at = 0
    for size in [*sizes, len(content)]:
        lines.extend(splitter.feed(content[at : at + size]))
        at += size
    rest = splitter.rest()
    whole = content.split(b"\n")
    assert [line.content for line in lines] == whole[:-1]
    assert (rest.content if rest else b"") == whole[-1]
    assert all(content[line.start - 7 : line.end - 7] == line.content + b"\n" for line in lines)
    assert splitter.offset == 7 + len(content)


def test_a_line_beyond_the_bound_is_cut_and_its_whole_length_counted() -> None:
    splitter = LineSplitter(0, longest=4)
    assert [line for chunk in (b"abc", b"def", b"ghi\nxy\n") for line in splitter.feed(chunk)] == [
        RawLine(b"abcd", 0, 10, True),
        RawLine(b"xy", 10, 13, False),
    ]


def test_memory_is_bounded_while_a_line_does_not_end() -> None:
    splitter = LineSplitter(0, longest=10)
    for _ in range(10_000):
        assert list(splitter.feed(b"y" * 100)) == []
    rest = splitter.rest()
    assert rest == RawLine(b"y" * 10, 0, 1_000_000, True)
    assert sum(map(len, splitter._parts)) == 0
