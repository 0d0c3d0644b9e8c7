"""What a query means, and what is said about one that means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.search.query import (
    DEEPEST_NESTING,
    FIELDS,
    LONGEST_QUERY,
    MOST_TERMS,
    AllOf,
    AnyOf,
    Not,
    Query,
    QueryError,
    Term,
    parse,
)


def message(*pieces: str) -> Term:
    return Term("message", pieces)


QUERIES: dict[str, Query] = {
    "": AllOf(),
    "   ": AllOf(),
    "payment": message("payment"),
    "level:error payment": AllOf((Term("level", ("error",)), message("payment"))),
    "level:error AND payment": AllOf((Term("level", ("error",)), message("payment"))),
    "a or b c": AnyOf((message("a"), AllOf((message("b"), message("c"))))),
    "(a or b) c": AllOf((AnyOf((message("a"), message("b"))), message("c"))),
    "not a": Not(message("a")),
    "not not a b": AllOf((Not(Not(message("a"))), message("b"))),
    "not (a b)": Not(AllOf((message("a"), message("b")))),
    "namespace:shop and not pod:web-*": AllOf((Term("namespace", ("shop",)), Not(Term("pod", ("web-", ""))))),
    "level:(error or fatal)": AnyOf((Term("level", ("error",)), Term("level", ("fatal",)))),
    "pod:(not a*)": Not(Term("pod", ("a", ""))),
    '"connection refused"': message("connection refused"),
    'pod:"web-*"': Term("pod", ("web-*",)),
    r"pod:web-\*": Term("pod", ("web-*",)),
    r"12\:30": message("12:30"),
    r'"say \"hi\" \\ now"': message('say "hi" \\ now'),
    "*": message("", ""),
    "***": message("", ""),
    "a**b*": message("a", "b", ""),
    "支付 失败": AllOf((message("支付"), message("失败"))),
    '"and"': message("and"),
    r"\and": message("and"),
    "level : error": Term("level", ("error",)),
    "kubernetes.pod.name:web": Term("pod", ("web",)),
    "log.level:warn": Term("level", ("warn",)),
    "android oracle nothing": AllOf((message("android"), message("oracle"), message("nothing"))),
    "a-b=c/d": message("a-b=c/d"),
}


@pytest.mark.parametrize(("text", "tree"), QUERIES.items())
def test_a_query_means_what_it_means_in_kibana(text: str, tree: Query) -> None:
    assert parse(text) == tree


KNOWN = "container, level, message, namespace, node, path, pod, stream"
ERRORS = {
    "level:": (7, "expected a value after level:, got the end of the query"),
    "level:error and": (16, "expected a word, a phrase, a field or (, got the end of the query"),
    "(a b": (5, "expected ) for the ( in column 1, got the end of the query"),
    "a ) b": (3, "expected and, or, a term or the end of the query, got )"),
    "or a": (1, "expected a word, a phrase, a field or (, got or"),
    "a or or b": (6, "expected a word, a phrase, a field or (, got or"),
    'say "hi': (5, 'expected a closing " for this one'),
    ":a": (1, "expected a word, a phrase, a field or (, got :"),
    "pod:and": (5, "expected a value after pod:, got and"),
    "()": (2, "expected a word, a phrase, a field or (, got )"),
    "a http://x": (
        3,
        f"expected one of the fields {KNOWN}; put a text with a colon in quotes, got http",
    ),
    "pod:(a or level:b)": (
        11,
        "expected only values inside pod:(…); put a text with a colon in quotes, got level",
    ),
}


@pytest.mark.parametrize("text", ERRORS)
def test_a_bad_query_is_told_where_and_what_was_expected(text: str) -> None:
    column, expected = ERRORS[text]
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.expected) == (column, expected)
    assert str(caught.value) == f"the query {text!r}, column {column}: {expected}"


@pytest.mark.parametrize(
    "text",
    ["a " * (LONGEST_QUERY // 2 + 1), "a " * (MOST_TERMS + 1), "(" * 2000 + "a", "not " * 1000 + "a"],
    ids=["long", "many", "deep", "nots"],
)
def test_a_query_has_bounds(text: str) -> None:
    with pytest.raises(QueryError, match="expected at most"):
        parse(text)


def test_the_bounds_are_not_reached_early() -> None:
    assert parse("(" * DEEPEST_NESTING + "a" + ")" * DEEPEST_NESTING) == message("a")
    assert parse("a " * MOST_TERMS) == AllOf((message("a"),) * MOST_TERMS)


@given(st.text(alphabet='ab*:()" \\andortlevpd', max_size=60))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    column = 1
    try:
        parse(text)
    except QueryError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


@given(st.text(min_size=1, max_size=40))
def test_any_text_in_quotes_is_searched_as_it_is(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'"{quoted}"') == message(text)
    assert parse(f'path:"{quoted}"') == Term("path", (text,))


def test_each_field_has_a_short_name() -> None:
    assert {field for name, field in FIELDS.items() if name == field} == set(FIELDS.values())


def test_bytes_that_are_no_text_are_refused_by_their_column() -> None:
    with pytest.raises(QueryError, match="column 4: expected UTF-8"):
        parse("caf\udce9")
