"""PromQL with a board's variables in it."""

import pytest

from dashboards.grafana.promql import Selected, parse, plain, selected, variables


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("up", set()),
        ('up{pod=~"$pod"}', {"pod"}),
        ('up{pod=~"${pod:regex}"}', {"pod"}),
        ('up{pod=~"[[pod]]"}', {"pod"}),
        ("rate(x[$__rate_interval])", {"__rate_interval"}),
        ('label_replace(up, "a", "$1", "b", "(.*)")', set()),
    ],
)
def test_variables_are_found_in_all_of_grafanas_spellings(text: str, names: set[str]) -> None:
    """`$1` is label_replace's own."""
    assert variables(text) == names


def test_an_expression_with_variables_becomes_one_that_prometheus_could_read() -> None:
    """Durations stay durations."""
    assert plain('rate(x{pod=~"$pod"}[$__rate_interval])') == 'rate(x{pod=~"value"}[1m])'


@pytest.mark.parametrize("expr", ["sum(", "rate(x[$pod])", "foo bar", ""])
def test_a_wrong_expression_is_refused(expr: str) -> None:
    """With the parser's own words."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(expr)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("up", [Selected("up")]),
        ('up{job="a",pod=~"$pod"}', [Selected("up", (), frozenset({"job", "pod"}))]),
        ("sum by (a) (rate(x_total[5m])) / y", [Selected("x_total", ("sum", "rate")), Selected("y")]),
        ("max_over_time(rate(x_total[1m])[1h:])", [Selected("x_total", ("max_over_time", "rate"))]),
        ('-({__name__="x"}) > bool 3 or vector(0)', [Selected("x")]),
        (
            "histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])))",
            [Selected("x_bucket", ("histogram_quantile", "sum", "rate"))],
        ),
        ("1 + time()", []),
    ],
)
def test_every_selected_metric_is_found_with_what_is_around_it(expr: str, expected: list[Selected]) -> None:
    """In the order of the text, functions and aggregations from the outside in, and the labels of the matchers."""
    assert selected(expr) == expected
