"""Label sets and matchers."""

import pytest

from alerting.model.labels import Matcher, Op, fingerprint, parse_matcher, parse_matchers


def test_the_fingerprint_is_the_one_of_alertmanager() -> None:
    """The value was read from a real Alertmanager."""
    assert fingerprint({"x": "1", "alertname": "A"}) == "6051004c729abe0e"


@pytest.mark.parametrize(
    ("text", "name", "op", "value"),
    [
        ('severity="page"', "severity", "=", "page"),
        ("severity=page", "severity", "=", "page"),
        (' team != "a b" ', "team", "!=", "a b"),
        ('path=~"/api/.*"', "path", "=~", "/api/.*"),
        (r'n!~"\\d+"', "n", "!~", r"\d+"),
        (r'n=~"\d+"', "n", "=~", r"\d+"),
        (r'say="\"hi\"\n"', "say", "=", '"hi"\n'),
        ('empty=""', "empty", "=", ""),
        ("empty=", "empty", "=", ""),
        ('"a label"="x"', "a label", "=", "x"),
        ('城市="上海"', "城市", "=", "上海"),
    ],
)
def test_a_matcher_is_read_and_its_text_reads_back(text: str, name: str, op: Op, value: str) -> None:
    matcher = parse_matcher(text)
    assert matcher == Matcher(name, op, value)
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize("text", ["", "severity", "=x", 'a="b', 'a="b"c', 'a=~"("', "a b=c"])
def test_a_bad_matcher_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        ('{a="b"}', ['a="b"']),
        ('a="b",c=~"d,e"', ['a="b"', 'c=~"d,e"']),
        ('{a="b", c!="}",}', ['a="b"', 'c!="}"']),
    ],
)
def test_a_list_of_matchers_is_cut_outside_quotes(text: str, expected: list[str]) -> None:
    assert [str(matcher) for matcher in parse_matchers(text)] == expected


@pytest.mark.parametrize("text", ['{a="b"', 'a="b"}', 'a="b",,c="d"'])
def test_a_bad_list_of_matchers_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {}, False),
        ('a=""', {}, True),
        ('a!=""', {}, False),
        ('a!="b"', {}, True),
        ('a=~"b|c"', {"a": "c"}, True),
        ('a=~"b"', {"a": "abc"}, False),
        ('a=~".*"', {}, True),
        ('a=~".+"', {}, False),
        ('a!~"b.*"', {"a": "bcd"}, False),
        ('a!~"b"', {}, True),
    ],
)
def test_a_matcher_takes_a_missing_label_as_empty_and_anchors_expressions(
    text: str, labels: dict[str, str], holds: bool
) -> None:
    assert parse_matcher(text).matches(labels) is holds
