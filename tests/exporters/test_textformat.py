"""The reader of the text format: what it takes, where it says what is wrong, and that what it takes is published."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.readers.textmerge import Merger
from exporters.render import Format, Renderer
from exporters.testing import text_of
from exporters.textformat import TextError, TextFamily, parse, shortest
from tests.exporters.machines import FIXTURES

Series = tuple[str, frozenset[tuple[str, str]]]


def published(families: list[TextFamily], style: Format = Format.TEXT) -> str:
    """The exposition of a text's families, of which none is left out."""
    merger = Merger()
    merger.merge({"x.prom": families}, {})
    assert merger.faults == []
    return b"".join(Renderer().render(merger.families, style)).decode()


def series_in(text: str) -> dict[Series, float]:
    """The samples that another reader finds, less labels without a value."""
    return {
        (sample.name, frozenset((name, value) for name, value in sample.labels.items() if value)): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("", {}),
        ("\n \t\n# a comment\n#\n#HELP\n# HELPFUL text {\n", {}),
        ("a 1\n", {"a": 1}),
        ("  a\t 1 \n", {"a": 1}),
        ("a:b_9{} 1\n", {"a:b_9": 1}),
        ('a { x = "1" , y="2", } +1.5e3\n', {'a{x="1",y="2"}': 1500}),
        ('a{x="1"}1\n', {'a{x="1"}': 1}),
        ('a{x="\\\\ \\" \\n }{,= #"} 1\n', {'a{x="\\\\ \\" \\n }{,= #"}': 1}),
        ('a{x="烽火"} .5\n', {'a{x="烽火"}': 0.5}),
        ("a -Inf\nb +inf\n", {"a": float("-inf"), "b": float("inf")}),
        ('a 1\nb 2\na{c="d"} 3\n', {'a{c=""}': 1, 'a{c="d"}': 3, "b": 2}),
        ("# HELP a\n# TYPE a\na 1\n", {"a": 1}),
        ("# TYPE a COUNTER \na 1\n# HELP a Later.\n", {"a": 1}),
        ("# TYPE a_sum gauge\na_sum 1\n", {"a_sum": 1}),
        ('# TYPE a summary\na{quantile="0.50"} 1\n', {'a{quantile="0.5"}': 1, "a_sum": 0, "a_count": 0}),
        ("# TYPE a summary\na_bucket 1\n", {"a_bucket": 1}),
    ],
)
def test_what_is_of_the_format_is_taken(text: str, series: Mapping[str, float]) -> None:
    """White space, comments, escapes, samples that do not stand together: all as node_exporter takes it."""
    found = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in published(parse(text.encode())).splitlines()
        if not line.startswith("#")
    }
    assert found == series


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a 1\nb 2", 2, "expected an end of the last line: the file was cut, or is still being written"),
        ("a 1\n# HELP a", 2, "expected an end of the last line"),
        ("a\n", 1, "expected the name of a metric, then labels or a number, got 'a'"),
        ("\n9a 1\n", 2, "expected the name of a metric, then labels or a number, got '9a 1'"),
        ("a.b 1\n", 1, "expected the name of a metric, then labels or a number, got 'a.b 1'"),
        ("a+1\n", 1, "expected the name of a metric"),
        ('{"a"} 1\n', 1, "expected the name of a metric"),
        ("a one\n", 1, "expected a number after the name, got 'one'"),
        ("a 1_0\n", 1, "expected a number after the name, got '1_0'"),
        ("a 0x10\n", 1, "expected a number"),
        ("a \u0131nf\n", 1, "expected a number"),
        ("a ٣\n", 1, "expected a number"),
        ("a 1e999\n", 1, "expected a number that a float of 64 bits can hold, got '1e999'"),
        ("a 1\r\n", 1, "expected a number after the name, and lines that end in LF rather than CR LF, got '1\\r'"),
        ("a 1 2\n", 1, "expected no timestamp: the time of a sample is that of the scrape, got '2'"),
        ("a 1 x\n", 1, "expected the end of the line after the number, got 'x'"),
        ("a 1 2 3\n", 1, "expected a number after the name, got '1 2 3'"),
        ('a{x="1} 1\n', 1, 'expected a label such as name="value", then a comma or }, got \'x="1} 1\''),
        ('a{x="1" y="2"} 1\n', 1, "expected a label"),
        ("a{x=1} 1\n", 1, "expected a label"),
        ("a{,} 1\n", 1, "expected a label"),
        ('a{"x"="1"} 1\n', 1, "expected a label"),
        ('a{x="1"\n', 1, "expected a label"),
        ('a{x="1",x="2"} 1\n', 1, "expected each label once, and none called __name__, got 'x'"),
        ('a{__name__="b"} 1\n', 1, "expected each label once, and none called __name__"),
        ('a{x="\\t"} 1\n', 1, "expected one of \\\\, \\n and \\\" after a backslash, got '\\\\t'"),
        ("# HELP a C:\\temp\n", 1, 'expected one of \\\\, \\n and \\" after a backslash'),
        ("# HELP a A.\n# HELP a A.\n", 2, "expected one HELP of a, got 'A.'"),
        ("# HELP 9a A.\n", 1, "expected the name of a metric after HELP, got '9a A.'"),
        ("# TYPE a{ gauge\n", 1, "expected the name of a metric after TYPE"),
        ("# TYPE a info\n", 1, "expected one of the types counter, gauge, untyped, histogram, summary, got 'info'"),
        ("# TYPE a gauge\n# TYPE a gauge\n", 2, "expected one TYPE of a, before its samples, got 'gauge'"),
        ("a 1\n# TYPE a gauge\n", 2, "expected one TYPE of a, before its samples"),
        ("a_sum 1\n# TYPE a summary\n", 2, "expected the TYPE of a before a_sum, got 'summary'"),
        ("# TYPE a summary\n# TYPE a_sum gauge\n", 2, "expected no TYPE of a_sum, which belongs to summary a"),
        ("# TYPE a histogram\na 1\n", 2, "expected a followed by _bucket, _sum or _count, for it is a histogram"),
        ("# TYPE a histogram\na_bucket 1\n", 2, "expected a label le at a_bucket"),
        ('# TYPE a histogram\na_bucket{le="x"} 1\n', 2, "expected a number as le, got 'x'"),
        ('# TYPE a histogram\na_bucket{le="NaN"} 1\n', 2, "expected a number as le, got 'NaN'"),
        ('# TYPE a histogram\na_sum{le="1"} 1\n', 2, "expected no label le at a_sum, got '1'"),
        ("# TYPE a summary\na 1\n", 2, "expected a label quantile at a"),
        ("# TYPE a histogram\na_count -1\n", 2, "expected a count from 0 on at a_count, got '-1.0'"),
        ('# TYPE a histogram\na_bucket{le="1"} NaN\n', 2, "expected a count from 0 on at a_bucket, got 'nan'"),
    ],
)
def test_what_is_not_of_the_format_is_named_with_its_line(text: str, line: int, message: str) -> None:
    """What was expected, and what stands there."""
    with pytest.raises(TextError) as error:
        parse(text.encode())
    assert error.value.line == line
    assert str(error.value).startswith(message)


def test_bytes_that_are_no_text_are_named_with_their_line() -> None:
    """The line is that of the first such byte."""
    with pytest.raises(TextError, match=r"expected UTF-8, got b'\\xff'") as error:
        parse(b'a 1\nb{c="\xff"} 1\n')
    assert (error.value.line, error.value.reason) == (2, "encoding")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"),
        (0.5, "0.5"),
        (999999.0, "999999"),
        (1638400.0, "1.6384e+06"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (-0.0, "-0"),
        (5e-324, "5e-324"),
        (-5.960464477539063e-08, "-5.960464477539063e-08"),
        (1e22, "1e+22"),
        (1.2e300, "1.2e+300"),
        (0.0, "0"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_bounds_are_spelt_as_go_spells_numbers(value: float, text: str) -> None:
    """So that a bucket is the same series whichever exporter publishes it."""
    assert shortest(value) == text


@given(st.floats(allow_nan=False))
def test_a_bound_keeps_its_value(value: float) -> None:
    """However it is spelt, and spelling it again changes nothing."""
    assert float(shortest(value)) == value
    assert shortest(float(shortest(value))) == shortest(value)


metric_names = st.from_regex(r"\A[a-zA-Z_:][a-zA-Z0-9_:]{0,5}\Z")
label_names = st.from_regex(r"\A[a-z][a-z0-9_]{0,3}\Z").filter(lambda name: name not in ("le", "quantile"))
blanks = st.sampled_from(["", " ", "\t", " \t "])
gaps = st.sampled_from([" ", "\t", "  "])
numbers = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["+Inf", "-inf", "NaN", "nan", "infinity", "1.", ".5", "+0", "1E5", "1e-400"]),
)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
junk = st.sampled_from([*'{}="\\,# \t\r\n1ax.+_', "le", "quantile", "# TYPE ", "# HELP ", "histogram", "_sum"])


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line that is nearly always of the format."""
    name, gap, blank = draw(metric_names), draw(gaps), draw(blanks)
    kind = draw(st.sampled_from(["sample", "sample", "sample", "type", "help", "comment", "junk"]))
    if kind == "type":
        # no counter: the other reader gives those that lack it a `_total`
        return f"# TYPE {name} {draw(st.sampled_from(['gauge', 'untyped', 'summary', 'histogram']))}"
    if kind == "help":
        return f"#{blank}HELP{gap}{name}{gap}{escaped(draw(values))}"
    if kind == "comment":
        return f"# {escaped(draw(values))}"
    if kind == "junk":
        return "".join(draw(st.lists(junk, max_size=8)))
    labels = draw(st.dictionaries(label_names, values, max_size=3))
    pairs = f"{blank},".join(f'{blank}{label}{blank}={blank}"{escaped(value)}"' for label, value in labels.items())
    return f"{blank}{name}{f'{blank}{{{pairs}{blank}}}' if pairs or blank else ''}{gap}{draw(numbers)}{blank}"


@st.composite
def distributions(draw: st.DrawFn) -> str:
    """The lines of a histogram or summary, in any order."""
    name, kind = draw(metric_names), draw(st.sampled_from(["histogram", "summary"]))
    part, label = ("_bucket", "le") if kind == "histogram" else ("", "quantile")
    bounds = draw(st.sets(st.floats(allow_nan=False), max_size=4))
    counts = st.one_of(st.integers(0, 10**30).map(str), st.sampled_from(["0", "1e6", "+Inf"]))
    values = counts if kind == "histogram" else numbers
    samples = [f'{name}{part}{{a="b",{label}="{bound}"}} {draw(values)}' for bound in bounds]
    samples += [f'{name}_sum{{a="b"}} {draw(numbers)}'] if draw(st.booleans()) else []
    samples += [f'{name}_count{{a="b"}} {draw(counts)}'] if draw(st.booleans()) else []
    return "\n".join([f"# TYPE {name} {kind}", *draw(st.permutations(samples))])


texts = st.lists(st.one_of(lines(), distributions()), max_size=8).map(
    lambda chosen: "".join(f"{line}\n" for line in chosen)
)


@given(st.one_of(st.binary(), texts.map(str.encode), st.text().map(lambda text: text.encode(errors="replace"))))
@example(b"\x00\n")
@example(b"a 1\xc2\x85\n")
@example(b"a \xe2\x80\xa81\n")
def test_nothing_but_its_own_error_comes_out(content: bytes) -> None:
    """Whatever the bytes are; the line that is named is one of the text."""
    line = 1
    try:
        parse(content)
    except TextError as error:
        line = error.line
    assert 1 <= line <= content.count(b"\n") + 1


@given(texts)
def test_what_is_taken_is_published_as_another_reader_reads_it(text: str) -> None:
    """Prometheus' parser for Python finds in our exposition the samples that stand in the text, and beside them at
    most the parts of histograms and summaries that the text lacks.
    """
    try:
        families = parse(text.encode())
    except TextError:
        return
    meant: dict[Series, float] = {}
    for family in families:
        for sample in family.samples:
            bound = [("le" if family.kind == "histogram" else "quantile", sample.bound)] if sample.bound else []
            labels = frozenset([*((name, value) for name, value in sample.labels.items() if value), *bound])
            meant.setdefault((family.name + sample.part, labels), sample.value)  # of a series twice, the first counts
    merger = Merger()
    merger.merge({"x.prom": families}, {})
    read = series_in(text_of(merger.families))
    assert {series: read.get(series) for series in meant} == pytest.approx(meant, rel=0, abs=0, nan_ok=True)
    made_up = {name for name, _ in read.keys() - meant.keys()}
    parts = {name for family in families if family.kind in ("histogram", "summary") for name in family.names}
    assert made_up <= parts


@given(texts)
def test_what_was_published_is_taken_and_published_the_same(text: str) -> None:
    """Our own exposition is of the format, and reading it changes nothing."""
    try:
        merger = Merger()
        merger.merge({"x.prom": parse(text.encode())}, {})
    except TextError:
        return
    once = text_of(merger.families)
    assert published(parse(once.encode())) == once


@pytest.mark.parametrize(
    "path", sorted((FIXTURES / "node" / "textfile").glob("*/*.prom")), ids=lambda path: path.parent.name
)
def test_openmetrics_has_histograms_and_summaries_too(path: Path) -> None:
    """Its parser for Python, the stricter one, reads the samples that the text format has."""
    try:
        families = parse(path.read_bytes())
    except TextError:
        return
    read = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_openmetrics(published(families, Format.OPENMETRICS))  # type: ignore[no-untyped-call]
        for sample in family.samples
    }
    assert len(read) == len(series_in(published(families)))
