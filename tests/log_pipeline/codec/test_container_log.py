"""Lines as container runtimes write them, and their pieces joined."""

import pytest

from log_pipeline.codec.container_log import Joiner, Whole, parse_line
from log_pipeline.codec.runtime_line import RuntimeLine

LINES: dict[str, tuple[bytes, RuntimeLine]] = {
    "CRI, whole": (
        b"2016-10-06T00:17:09.669794202Z stdout F log content 1",
        RuntimeLine("2016-10-06T00:17:09.669794202Z", "stdout", False, b"log content 1"),
    ),
    "CRI, a piece": (
        b"2016-10-06T00:17:10.113242941Z stderr P log content 2",
        RuntimeLine("2016-10-06T00:17:10.113242941Z", "stderr", True, b"log content 2"),
    ),
    "CRI, trailing zeros left out down to none": (
        b"2016-10-06T00:17:09Z stdout F x",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", False, b"x"),
    ),
    "CRI-O, a numeric zone": (
        b"2016-10-06T08:17:09.5+08:00 stdout F x",
        RuntimeLine("2016-10-06T08:17:09.5+08:00", "stdout", False, b"x"),
    ),
    "CRI, further tags": (
        b"2016-10-06T00:17:09Z stdout P:TAG2:TAG3 x",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", True, b"x"),
    ),
    "CRI, an empty line": (
        b"2016-10-06T00:17:09Z stdout F ",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", False, b""),
    ),
    "CRI, an empty line without its last space": (
        b"2016-10-06T00:17:09Z stdout F",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", False, b""),
    ),
    "CRI, indentation is the program's": (
        b"2016-10-06T00:17:09Z stderr F   at Main.java:7",
        RuntimeLine("2016-10-06T00:17:09Z", "stderr", False, b"  at Main.java:7"),
    ),
    "CRI without tags": (
        b"2017-09-12T22:32:21.212861448Z stdout 2017-09-12 22:32:21.212 [INFO][88] table.go 710",
        RuntimeLine(
            "2017-09-12T22:32:21.212861448Z", "stdout", False, b"2017-09-12 22:32:21.212 [INFO][88] table.go 710"
        ),
    ),
    "CRI without tags, a word that only begins like one": (
        b"2016-10-06T00:17:09Z stdout Failed",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", False, b"Failed"),
    ),
    "docker, whole": (
        b'{"log":"1:M 09 Nov\\n","stream":"stdout","time":"2017-11-09T13:27:36.277747246Z"}',
        RuntimeLine("2017-11-09T13:27:36.277747246Z", "stdout", False, b"1:M 09 Nov"),
    ),
    "docker, a piece": (
        b'{"log":"1:M 09 Nov","stream":"stderr","time":"2017-11-09T13:27:36Z","attrs":{"a":"b"}}',
        RuntimeLine("2017-11-09T13:27:36Z", "stderr", True, b"1:M 09 Nov"),
    ),
    "docker, escapes and a carriage return": (
        b'{"log":"\\u652f\\u4ed8 \\u003ca\\u003e\\r\\n","stream":"stdout","time":"2017-11-09T13:27:36Z"}',
        RuntimeLine("2017-11-09T13:27:36Z", "stdout", False, "支付 <a>".encode()),
    ),
    "docker without a time is plain text": (
        b'{"log":"x\\n","stream":"stdout"}',
        RuntimeLine("", "", False, b'{"log":"x\\n","stream":"stdout"}'),
    ),
    "half a docker line is plain text": (b'{"log":"1:M 09 N', RuntimeLine("", "", False, b'{"log":"1:M 09 N')),
    "a program's own JSON is plain text": (b'{"level":"info"}', RuntimeLine("", "", False, b'{"level":"info"}')),
    "a day that does not exist is plain text": (
        b"2016-13-06T00:17:09Z stdout F x",
        RuntimeLine("", "", False, b"2016-13-06T00:17:09Z stdout F x"),
    ),
    "a stream that does not exist is plain text": (
        b"2016-10-06T00:17:09Z stdin F x",
        RuntimeLine("", "", False, b"2016-10-06T00:17:09Z stdin F x"),
    ),
    "plain text, its carriage return left out": (b"hello\r", RuntimeLine("", "", False, b"hello")),
    "bytes that are no UTF-8 are kept": (
        b"2016-10-06T00:17:09Z stdout F \xff\xfe",
        RuntimeLine("2016-10-06T00:17:09Z", "stdout", False, b"\xff\xfe"),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), LINES.values(), ids=LINES.keys())
def test_a_line_is_read_in_the_format_that_it_has(raw: bytes, expected: RuntimeLine) -> None:
    assert parse_line(raw) == expected


def piece(content: bytes, stream: str = "stdout", more: bool = True, second: int = 0) -> RuntimeLine:
    return RuntimeLine(f"2016-10-06T00:17:{second:02d}Z", stream, more, content)


def test_pieces_are_joined_with_the_time_and_place_of_the_first() -> None:
    joiner = Joiner(longest=100)
    assert joiner.push(piece(b"a", second=1), (0, 10), now=0) is None
    assert joiner.push(piece(b"b", second=2), (10, 20), now=0) is None
    assert joiner.push(piece(b"c", more=False, second=3), (20, 30), now=0) == Whole(
        piece(b"abc", more=False, second=1), 0, 30
    )


def test_streams_are_joined_apart_though_they_share_the_file() -> None:
    joiner = Joiner(longest=100)
    joiner.push(piece(b"out1"), (0, 10), now=0)
    joiner.push(piece(b"err1", "stderr"), (10, 20), now=0)
    out = joiner.push(piece(b"out2", more=False), (20, 30), now=0)
    assert joiner.oldest == 10
    err = joiner.push(piece(b"err2", "stderr", more=False), (30, 40), now=0)
    assert out is not None
    assert err is not None
    assert (out.line.content, err.line.content) == (b"out1out2", b"err1err2")
    assert joiner.oldest is None


def test_a_restart_goes_on_at_the_oldest_open_piece() -> None:
    joiner = Joiner(longest=100)
    joiner.push(piece(b"out"), (0, 10), now=0)
    assert joiner.push(piece(b"err", "stderr", more=False), (10, 20), now=0) == Whole(
        piece(b"err", "stderr", more=False), 10, 20
    )
    assert joiner.oldest == 0


def test_a_piece_whose_end_never_comes_is_given_as_it_is() -> None:
    joiner = Joiner(longest=100)
    joiner.push(piece(b"panic: "), (0, 10), now=5.0)
    assert joiner.flush(begun_before=5.0) == []
    assert joiner.flush(begun_before=5.1) == [Whole(piece(b"panic: ", more=False), 0, 10, unfinished=True)]
    assert joiner.flush() == []


def test_a_joined_line_is_cut_at_the_bound_and_says_so() -> None:
    joiner = Joiner(longest=5)
    for number in range(1000):
        joiner.push(piece(b"abc"), (number * 10, number * 10 + 10), now=0)
    whole = joiner.push(piece(b"end", more=False), (10_000, 10_010), now=0)
    assert whole == Whole(piece(b"abcab", more=False), 0, 10_010, truncated=True)


def test_a_single_line_is_cut_at_the_bound_and_says_so() -> None:
    assert Joiner(longest=2).push(piece(b"abc", more=False), (0, 3), now=0) == Whole(
        piece(b"ab", more=False), 0, 3, truncated=True
    )


def test_json_that_is_nested_beyond_reason_is_a_plain_line() -> None:
    deep = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert parse_line(deep).content == deep
