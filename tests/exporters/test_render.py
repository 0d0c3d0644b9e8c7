"""The text that scrapers read: two formats, escaping, odd names, and what is kept between scrapes."""

import gzip
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.collector import PAIRS, Family, Kind, Metric, Sample, counter, gauge, untyped
from exporters.render import SPARE, SWEEP, Format, Renderer, gzipped, negotiate, wants_gzip

REQUESTS = counter("app_requests_total", 'Requests by "path"\nand code \\ method.', "path", "code")
ODD = counter("container_memory_failcnt", "A counter without the usual ending.")
GAUGE_TOTAL = gauge("container_network_tcp_usage_total", "A gauge with a counter's ending.", "tcp_state")
UNTYPED = untyped("node_netstat_Tcp_InSegs", "Of no type.")


def text(*families: Family, style: Format = Format.TEXT) -> str:
    return b"".join(Renderer().render(families, style)).decode()


def test_text_escapes_labels_and_help() -> None:
    """Quotes, backslashes and line ends are escaped as the format demands; in help, quotes stay."""
    assert text(REQUESTS.family([(('/a"b\\c\nd', "200"), 3)])) == (
        '# HELP app_requests_total Requests by "path"\\nand code \\\\ method.\n'
        "# TYPE app_requests_total counter\n"
        'app_requests_total{path="/a\\"b\\\\c\\nd",code="200"} 3\n'
    )


def test_numbers_are_written_as_prometheus_reads_them() -> None:
    """Whole numbers stay whole however large; the infinities and NaN have their own spelling."""
    values = [1, 1.5, 2**64, math.inf, -math.inf, math.nan, 1e-300]
    lines = text(gauge("g", "G.", "n").family([((str(n),), value) for n, value in enumerate(values)])).splitlines()[2:]
    assert [line.split(" ")[1] for line in lines] == [
        *("1", "1.5", "18446744073709551616"),
        *("+Inf", "-Inf", "NaN", "1e-300"),
    ]


def test_openmetrics_names_counters_its_own_way() -> None:
    """A counter's family loses `_total`, its samples keep it; what OpenMetrics has no name for is `unknown`."""
    out = text(
        REQUESTS.family([(("/", "200"), 1)]),
        ODD.single(2),
        UNTYPED.single(3),
        GAUGE_TOTAL.family([(("listen",), 4)]),
        style=Format.OPENMETRICS,
    )
    lines = [line for line in out.splitlines() if not line.startswith("# HELP")]
    assert lines == [
        "# TYPE app_requests counter",
        'app_requests_total{path="/",code="200"} 1',
        "# TYPE container_memory_failcnt unknown",
        "container_memory_failcnt 2",
        "# TYPE node_netstat_Tcp_InSegs unknown",
        "node_netstat_Tcp_InSegs 3",
        "# TYPE container_network_tcp_usage_total gauge",
        'container_network_tcp_usage_total{tcp_state="listen"} 4',
        "# EOF",
    ]


def test_text_keeps_odd_names_and_types() -> None:
    """A counter without `_total` and a gauge with it are published as the peers publish them."""
    out = text(ODD.single(2), GAUGE_TOTAL.family([(("listen",), 4)]))
    assert "# TYPE container_memory_failcnt counter\ncontainer_memory_failcnt 2\n" in out
    assert "# TYPE container_network_tcp_usage_total gauge\n" in out


def test_a_family_without_samples_leaves_no_trace() -> None:
    """No head without a sample below it."""
    assert text(REQUESTS.family([])) == ""


def test_the_same_renderer_says_the_same_again() -> None:
    """What is kept between scrapes changes nothing but the time."""
    renderer = Renderer()
    families = [REQUESTS.family([(("/", str(code)), code) for code in range(100)]), ODD.single(1)]
    first = renderer.render(families, Format.TEXT)
    assert renderer.render(families, Format.TEXT) == first
    assert renderer.render(families[1:], Format.TEXT) == [text(families[1]).encode()]


def test_a_list_that_its_owner_changes_is_rendered_anew() -> None:
    """Text is kept while numbers stay, and a collector may fill the same list at each scrape."""
    renderer = Renderer()
    samples: list[Sample] = [((), 1.0)]
    renderer.render([ODD.family(samples)], Format.TEXT)
    samples[0] = ((), 2.0)
    assert renderer.render([ODD.family(samples)], Format.TEXT) == [text(ODD.single(2.0)).encode()]


def test_series_that_are_gone_are_forgotten() -> None:
    """Churn of labels does not grow the renderer: what it keeps is bounded by what it published last."""
    renderer = Renderer()
    for generation in range(200):
        renderer.render([REQUESTS.family([((f"/{generation}/{n}", "200"), 1) for n in range(20)])], Format.TEXT)
    (parts,) = renderer._stores[Format.TEXT]._parts.values()
    assert len(parts) + len(parts._old) <= 2 * (3 * 20 + SPARE)


def test_ready_made_pairs_and_labels_of_a_metric_stand_together() -> None:
    """Things with many metrics bring their labels as text; the text, or the rest, may be empty."""
    metric = gauge("of_things", "Of things.", PAIRS, "device")
    lines = text(metric.family([(('id="/a",name="b\\\\c"', "sda"), 1), (("", "sdb"), 2)])).splitlines()[2:]
    assert lines == ['of_things{id="/a",name="b\\\\c",device="sda"} 1', 'of_things{device="sdb"} 2']
    assert text(gauge("one", "One.", PAIRS).family([(("",), 1)])).splitlines()[2:] == ["one 1"]


def test_a_family_that_moved_after_it_stood_still_shows_it() -> None:
    """Text is kept for what does not change, and only so long."""
    renderer = Renderer()
    shown = [renderer.render([REQUESTS.family([(("/", "200"), n)])], Format.TEXT)[0][-4:] for n in (1, 1, 1, 2, 2, 1)]
    assert shown == [b"} 1\n"] * 3 + [b"} 2\n"] * 2 + [b"} 1\n"]


names = st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z").filter(lambda name: not name.startswith("__"))
values = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


@st.composite
def families(draw: st.DrawFn) -> Family:
    labels = tuple(sorted(draw(st.sets(names, max_size=3))))
    keys = draw(st.lists(st.tuples(*(texts for _ in labels)), unique=True, min_size=1, max_size=5))
    kind: Kind = draw(st.sampled_from(["gauge", "untyped"]))
    metric = Metric(kind, f"m_{draw(names)}_x", draw(texts), labels)
    return metric.family([(key, draw(values)) for key in keys])


@given(families())
def test_prometheus_parser_reads_back_what_was_meant(family: Family) -> None:
    """Whatever stands in labels and help, the text format brings labels and numbers across unharmed."""
    (parsed,) = parse_text(text(family))
    meant = {
        (tuple(sorted(zip(family.metric.labels, key, strict=True))), float(value)) for key, value in family.samples
    }
    assert {(tuple(sorted(sample.labels.items())), sample.value) for sample in parsed.samples} == meant


@given(families())
def test_openmetrics_parser_reads_back_what_was_meant(family: Family) -> None:
    """The same in OpenMetrics, whose parser is the stricter one."""
    (parsed,) = parse_openmetrics(  # type: ignore[no-untyped-call]
        text(family, style=Format.OPENMETRICS)
    )
    meant = {
        (tuple(sorted(zip(family.metric.labels, key, strict=True))), float(value)) for key, value in family.samples
    }
    assert {(tuple(sorted(sample.labels.items())), sample.value) for sample in parsed.samples} == meant


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        ("application/openmetrics-text;version=1.0.0", Format.OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; q=0.5, application/json", Format.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format.TEXT),
        ("application/openmetrics-text,*/*;q=0.1", Format.TEXT),
        ("application/openmetrics-text,text/plain;q=0", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=nonsense", Format.TEXT),
    ],
)
def test_the_client_chooses_the_format(accept: str, expected: Format) -> None:
    """OpenMetrics for those who take nothing else, text for everybody else."""
    assert negotiate(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"), [("", False), ("gzip", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False)]
)
def test_the_client_chooses_the_packing(accept: str, expected: bool) -> None:
    """Packed for those who say that they can unpack."""
    assert wants_gzip(accept) is expected


def test_packing_can_be_undone() -> None:
    """What goes through gzip comes out again."""
    assert gzip.decompress(gzipped([b"metric 1\n" * 1000, b"", b"metric 2\n"])) == b"metric 1\n" * 1000 + b"metric 2\n"


def test_a_label_that_is_no_unicode_costs_nobody_their_metrics() -> None:
    """A cgroup's name is bytes: what is no UTF-8 comes as lone surrogates, and two such names stay two."""
    family = REQUESTS.family([(("/\udcff", "200"), 1), (("/\udcfe", "200"), 2), (("/fine", "200"), 3)])
    paths = [sample.labels["path"] for metric in parse_text(text(family)) for sample in metric.samples]
    assert paths == ["/\\udcff", "/\\udcfe", "/fine"]


def test_metrics_that_come_and_go_are_forgotten() -> None:
    """Files of metrics may bring another one at every scrape; those of each scrape stay known."""
    renderer, stays = Renderer(), gauge("stays", "Stays.")
    for number in range(3 * SWEEP):
        renderer.render([stays.single(number), gauge(f"gone_{number}", "Gone.").single(1)], Format.TEXT)
    kept = renderer._stores[Format.TEXT]._blocks
    assert stays in kept
    assert len(kept) <= SWEEP + 2
