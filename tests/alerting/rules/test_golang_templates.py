"""Go templates: what Prometheus writes for a template is what we write.

Many cases are those of Prometheus' own template_test.go (Apache-2.0), as facts.
"""

import math
from collections.abc import Sequence

import pytest

from alerting.rules.golang_templates import Struct, TemplateData, TemplateError, compile_template

LABELS = {"instance": "web-1:9100", "job": "node", "empty": ""}


def query(expression: str) -> Sequence[Struct]:
    if expression == "fails":
        raise TemplateError("the source is away")
    series = {"metric": [("b", 21.0), ("a", 11.0)], "one": [("a", 1.5)]}.get(expression, [])
    return [Struct(Labels={"instance": name}, Value=value) for name, value in series]


def render(text: str, value: float = 0.5) -> str:
    return compile_template(text).render(TemplateData(LABELS, value, {"dc": "eu"}, "http://here", query))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("{{ 1 }}", "1"),
        ("{{ $labels.instance }} of {{ .Labels.job }}", "web-1:9100 of node"),
        ("[{{ $labels.missing }}]", "[]"),
        ("{{ $value }} {{ .Value }}", "0.5 0.5"),
        ("{{ $externalLabels.dc }} {{ .ExternalLabels.dc }} {{ $externalURL }}", "eu eu http://here"),
        ('{{ "a}}b" }} {{ `raw "x"` }} {{ "tab\\t" }}', 'a}}b raw "x" tab\t'),
        ("{{ 'a' }}", "97"),
        ("{{/* nothing */}}x", "x"),
        ("a  {{- /* nothing */ -}}  b", "ab"),
        ("a {{- 1 -}} b", "a1b"),
        ("a {{ 1 -}}  b", "a 1b"),
        ("{{ nil }}", "<no value>"),
        ("{{ true }} {{ 0x1F }} {{ 1e3 }} {{ -2 }} {{ .5 }}", "true 31 1000 -2 0.5"),
        ("{{ $labels }}", "map[empty: instance:web-1:9100 job:node]"),
    ],
)
def test_values_are_written_as_go_writes_them(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ if $labels.job }}yes{{ end }}{{ if $labels.empty }}no{{ end }}", "yes"),
        ('{{ if eq $labels.job "x" }}1{{ else if eq $labels.job "node" }}2{{ else }}3{{ end }}', "2"),
        ("{{ if 0 }}1{{ else if false }}2{{ else }}3{{ end }}", "3"),
        ("{{ with $labels.cluster }}on {{ . }}{{ else }}nowhere{{ end }}", "nowhere"),
        ("{{ with $labels.job -}} job {{ . }} {{- end }}!", "job node!"),
        (
            "{{ range $name, $value := $labels }}{{ $name }}={{ $value }};{{ end }}",
            "empty=;instance=web-1:9100;job=node;",
        ),
        ("{{ range $labels }}<{{ . }}>{{ end }}", "<><web-1:9100><node>"),
        ('{{ range $x := query "metric" }}{{ $x.Value }} {{ end }}', "21 11 "),
        ('{{ range query "none" }}x{{ else }}nothing{{ end }}', "nothing"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", "2"),
        ('{{ with $x := "a" }}{{ $x }}{{ end }}', "a"),
        ('{{ range $i, $s := query "metric" }}{{ $i }}{{ $s.Labels.instance }}{{ end }}', "0b1a"),
        ("{{ if and $labels.job (gt $value 0.1) }}both{{ end }}", "both"),
    ],
)
def test_control_structures(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ eq 1 1 }} {{ eq 1 2 3 1 }} {{ ne 1 2 }}", "true true true"),
        ("{{ lt 1 2 }} {{ le 2 2 }} {{ gt 1.5 1 }} {{ ge 1 2 }}", "true true true false"),
        ('{{ lt "a" "b" }} {{ not true }} {{ not "" }}', "true false true"),
        ("{{ and 1 0 2 }} {{ and 1 2 }} {{ or 0 false 3 }} {{ or 0 false }}", "0 2 3 false"),
        ('{{ or 1 (query "fails") }}', "1"),
        ('{{ len "abc" }} {{ len $labels }} {{ index $labels "job" }} [{{ index $labels "x" }}]', "3 3 node []"),
        ('{{ print "a" 1 2 "b" }} {{ println "a" 1 }}', "a1 2b a 1\n"),
        ('{{ "<b>&" | html }} {{ "a b&c" | urlquery }}', "&lt;b&gt;&amp; a+b%26c"),
        ('{{ "aa bb CC" | title }} {{ "aB" | toUpper }} {{ "aB" | toLower }}', "Aa Bb CC AB ab"),
        ('{{ match "a+" "baa" }} {{ match "a+" "b" }}', "true false"),
        ('{{ reReplaceAll "(a)b" "x$1" "ab ab" }} {{ reReplaceAll "(?P<n>a)" "${n}\\\\" "a" }}', "xa xa a\\"),
        ('{{ graphLink "up" }} {{ tableLink "a b" }}', "/graph?g0.expr=up&g0.tab=0 /graph?g0.expr=a+b&g0.tab=1"),
        ('{{ printf "%0.2f" (parseDuration "1h2m10ms") }}', "3720.01"),
        ('{{ query "one" | first | value }} {{ query "one" | first | label "instance" }}', "1.5 a"),
        ('{{ (query "one" | first).Labels.instance }}', "a"),
        (
            '{{ range query "metric" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}',
            "a:11 b:21 ",
        ),
    ],
)
def test_functions(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("address", "host", "short"),
    [
        ("foo.example.com", "foo.example.com", "foo"),
        ("foo.example.com:12345", "foo.example.com", "foo:12345"),
        ("192.0.2.1:12345", "192.0.2.1", "192.0.2.1:12345"),
        ("2001:0DB8::1", "2001:0DB8::1", "2001:0DB8::1"),
        ("[2001:0DB8::1]:12345", "2001:0DB8::1", "[2001:0DB8::1]:12345"),
        ("[2001:0DB8::1]::12345", "[2001:0DB8::1]::12345", "[2001:0DB8::1]::12345"),
    ],
)
def test_ports_and_domains_are_stripped(address: str, host: str, short: str) -> None:
    assert render(f'{{{{ "{address}" | stripPort }}}} {{{{ "{address}" | stripDomain }}}}') == f"{host} {short}"


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("humanize", 0.0, "0"),
        ("humanize", 1.0, "1"),
        ("humanize", 1234567.0, "1.235M"),
        ("humanize", 0.12, "120m"),
        ("humanize", -1e-9, "-1n"),
        ("humanize", 1e30, "1e+06Y"),
        ("humanize", math.inf, "+Inf"),
        ("humanize", math.nan, "NaN"),
        ("humanize1024", 0.12, "0.12"),
        ("humanize1024", 1048576.0, "1Mi"),
        ("humanize1024", -1234567.0, "-1.177Mi"),
        ("humanize1024", -math.inf, "-Inf"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 60.0, "1m 0s"),
        ("humanizeDuration", 3600.0, "1h 0m 0s"),
        ("humanizeDuration", 90000.0, "1d 1h 0m 0s"),
        ("humanizeDuration", -183845.0, "-2d 3h 4m 5s"),
        ("humanizeDuration", 899.99, "14m 59s"),
        ("humanizeDuration", 0.0001, "100us"),
        ("humanizeDuration", 0.12345, "123.5ms"),
        ("humanizeDuration", 12.345, "12.35s"),
        ("humanizePercentage", -0.22222, "-22.22%"),
        ("humanizePercentage", 1.23456, "123.5%"),
        ("humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("humanizeTimestamp", -1.0, "1969-12-31 23:59:59 +0000 UTC"),
        ("humanizeTimestamp", math.nan, "NaN"),
    ],
)
def test_numbers_for_people(function: str, value: float, expected: str) -> None:
    assert render(f"{{{{ $value | {function} }}}}", value) == expected
    if math.isfinite(value):
        assert render(f'{{{{ "{value!r}" | {function} }}}}') == expected, "a text that is a number is one"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('"%.2f" 1.005', "1.00"),
        ('"%0.0f" $value', "0"),
        ('"%5d|%-5d|%05d|%+d" 42 42 42 42', "   42|42   |00042|+42"),
        ('"%s %q %v" "a" "b" "c"', 'a "b" c'),
        ('"%v %v %t" 1.5 nil true', "1.5 <nil> true"),
        ('"%x %X %c %b" 255 255 65 5', "ff FF A 101"),
        ('"%g %e %.4g" 1234567.0 1234.5 1234567.0', "1.234567e+06 1.234500e+03 1.235e+06"),
        ('"%d%%" 5', "5%"),
        ('"%d" 1.5', "%!d(float64=1.5)"),
        ('"%s" 1', "%!s(int=1)"),
        ('"%d"', "%!d(MISSING)"),
        ('"x" 1', "x%!(EXTRA int=1)"),
        ('"%"', "%!(NOVERB)"),
        ('"%.3s" "abcdef"', "abc"),
    ],
)
def test_printf(arguments: str, expected: str) -> None:
    assert render(f"{{{{ printf {arguments} }}}}") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "1"),
        (100000.0, "100000"),
        (1000000.0, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.0, "-0"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_value_is_written_with_its_shortest_digits(value: float, expected: str) -> None:
    assert render("{{ $value }}", value) == expected


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{{ nope 1 }}", "line 1: unknown function nope"),
        ("\n{{ $nope }}", "line 2: undefined variable $nope"),
        ("{{ $x }}{{ $x := 1 }}", "undefined variable $x"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "undefined variable $x"),
        ("{{", "unclosed action"),
        ("{{ 1", "unclosed action"),
        ('{{ "a }}', "unexpected"),
        ("{{ }}", "missing value"),
        ("{{\u00a0}}", "missing value"),
        ("{{ if 1 }}", "if without"),
        ("{{ if 1 }}{{ else }}", "if without"),
        ("{{ end }}", "no if, with or range is open"),
        ("{{ 1 2 }}", "no function"),
        ("{{ 1 | }}", "missing value"),
        ("{{ (1 }}", "expected |"),
        ("{{ $labels.a.b)}}", "expected |"),
        ('{{ define "x" }}{{ end }}', "define is not supported"),
        ("{{ 1(2) }}", "no function"),
        ('{{ len "a"1 }}', "expected a space"),
        ("{{ if 1 }}" * 60 + "{{ end }}" * 60, "nested more than"),
        ("{{ " + "(" * 100 + "1" + ")" * 100 + " }}", "nested more than"),
    ],
)
def test_what_cannot_run_is_refused_when_it_is_read(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=r"is open|line") as caught:
        compile_template(text)
    assert cause in str(caught.value)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{{ .Foo }}", "can't evaluate field Foo"),
        ("{{ $value.x }}", "can't evaluate field x in 0.5"),
        ('{{ humanize "one" }}', "error calling humanize"),
        ("{{ toUpper 1 }}", "expected a text, got 1"),
        ("{{ title }}", "wrong number of arguments for title"),
        ('{{ eq 1 "a" }}', "incompatible types"),
        ('{{ query "none" | first }}', "first() called on vector with no elements"),
        ('{{ query "fails" }}', "the source is away"),
        ('{{ match "(" "x" }}', "error calling match"),
        ("{{ range 1 }}{{ end }}", "can't iterate"),
        ("{{ 1 | 2 }}", "no function"),
        ('{{ printf "%999999999d" 1 | len | printf "%0999d" | len | eq "x" }}', "incompatible"),
        ("{{ humanizeTimestamp 1e300 }}", "error calling humanizeTimestamp"),
        ("{{ and }}", "wrong number of arguments"),
    ],
)
def test_a_failure_is_told_in_the_place_of_the_text_and_never_raised(text: str, cause: str) -> None:
    shown = render(f"before {text}")
    assert shown.startswith("<error expanding template: ")
    assert cause in shown


def test_a_template_cannot_write_without_end() -> None:
    thousand = '{{ $x := printf "%1000d" 1 }}' + "{{ range $labels }}" * 10 + "{{ $x }}" + "{{ end }}" * 10
    assert "longer than" in render(thousand)


def test_a_template_reaches_data_and_no_python_object() -> None:
    for text in ("{{ $labels.__class__ }}", "{{ $labels.items }}", '{{ index $labels "__class__" }}'):
        assert render(text) == ""
    assert "can't evaluate field __class__" in render("{{ $value.__class__ }}")


def test_variables_of_a_range_are_known_in_its_else() -> None:
    assert render('{{ range $v := query "none" }}a{{ else }}[{{ $v }}]{{ end }}') == "[<no value>]"


def test_a_replacement_may_name_a_group_that_is_not_there() -> None:
    assert render('{{ reReplaceAll "a(b)?(c)" "${port}<$1|$2>$2x$$" "ac" }}') == "<|c>$"


def test_what_a_template_writes_can_always_be_stored() -> None:
    for text in ('{{ "\\ud800" }}', '{{ printf "%c" 55296 }}'):
        assert render(text) == "?"


@pytest.mark.parametrize(
    "text",
    [
        '{{ range query "many" }}{{ range query "many" }}{{ range query "many" }}{{ end }}{{ end }}{{ end }}',
        '{{ $x := printf "%1000d" 1 }}' + "{{ $x = print $x $x $x $x }}" * 12 + "{{ len $x }}",
        '{{ $x := printf "%1000d" 1 }}{{ $x = print $x $x $x $x }}{{ reReplaceAll "" (print $x $x) $x | len }}',
    ],
)
def test_a_template_cannot_take_time_or_memory_without_end(text: str) -> None:
    many = [Struct(Labels={}, Value=1.0)] * 1000
    shown = compile_template(text).render(TemplateData({}, 1.0, query=lambda _: many))
    assert shown.startswith("<error expanding template: ")
