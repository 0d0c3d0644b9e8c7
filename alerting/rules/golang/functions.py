"""What a template may call: Go's own functions and those of Prometheus (template/template.go).

To add one, write it here and name it in `FUNCTIONS`. A function gets values and returns one; a ValueError or
TypeError it raises becomes the text of the annotation. The interpreter keeps for itself `and` and `or`, which stop
early, and `query`, whose answer comes from outside.
"""

import html
import ipaddress
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

from alerting.rules.golang.printing import four_digits, go_print, go_printf, go_text
from fenghuo.durations import parse_duration

_ABOVE_ONE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_BELOW_ONE = ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY = tuple(f"{prefix}i" for prefix in ("k", "M", "G", "T", "P", "E", "Z", "Y"))


_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+|\$))")
_LONGEST_REPLACED = 1 << 20


def number(value: object) -> float:
    """A number, or a text that is one. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"can't convert {go_text(value)} to a number")
    return float(value)


def text(value: object) -> str:
    """A text. Raises ValueError for anything else, as Go does."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, got {go_text(value)}")
    return value


def truth(value: object) -> bool:
    """Go's truth: false are false, 0, nil and whatever is empty."""
    return bool(value)


def _scaled(value: float, prefixes: Sequence[str], base: float) -> str:
    """The value under 1000 (or 1024) with its prefix; or above 1 when the value is small."""
    prefix = ""
    for candidate in prefixes:
        if abs(value) < base if base > 1 else abs(value) >= 1:
            break
        prefix = candidate
        value = value / base if base > 1 else value * 1000
    return four_digits(value) + prefix


def humanize(value: object) -> str:
    """`1234567` as `1.235M`: four digits and an SI prefix."""
    v = number(value)
    if v == 0 or not math.isfinite(v):
        return four_digits(v)
    return _scaled(v, _ABOVE_ONE, 1000) if abs(v) >= 1 else _scaled(v, _BELOW_ONE, 1)


def humanize_1024(value: object) -> str:
    """The same with powers of 1024: `1.5Gi`."""
    v = number(value)
    return four_digits(v) if abs(v) <= 1 or not math.isfinite(v) else _scaled(v, _BINARY, 1024)


def humanize_duration(value: object) -> str:
    """Seconds as `1d 2h 3m 4s`, below one as `250ms`."""
    v = number(value)
    if not math.isfinite(v):
        return four_digits(v)
    if v == 0:
        return "0s"
    if abs(v) < 1:
        return _scaled(v, _BELOW_ONE, 1) + "s"
    sign, seconds = ("-", -v) if v < 0 else ("", v)
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {rest}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {rest}s"
    return f"{sign}{minutes}m {rest}s" if minutes else f"{sign}{four_digits(seconds)}s"


def humanize_percentage(value: object) -> str:
    """A share as a percentage: 0.25 as `25%`."""
    return four_digits(number(value) * 100) + "%"


def humanize_timestamp(value: object) -> str:
    """Unix seconds as Go prints a time in UTC."""
    v = number(value)
    if not math.isfinite(v):
        return four_digits(v)
    milliseconds = int(v * 1000)
    try:
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ValueError(f"{go_text(v)} is no time that a calendar has") from error
    fraction = f".{milliseconds % 1000:03d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def title(value: object) -> str:
    """The first letter of each word in upper case, the others as they are."""
    return re.sub(r"(?<![\w'])[^\W\d_]", lambda match: match.group().upper(), text(value))


def _comparable(one: object, other: object) -> None:
    """A text and a number can't be compared, two numbers can; a map or a list can't at all."""
    kinds = {
        "bool" if isinstance(v, bool) else "number" if isinstance(v, int | float) else type(v).__name__
        for v in (one, other)
    }
    if len(kinds) > 1 or not kinds & {"bool", "number", "str", "NoneType"}:
        raise ValueError(f"incompatible types for comparison: {go_text(one)} and {go_text(other)}")


def equal(first: object, *others: object) -> bool:
    """Whether the first is equal to any other."""
    if not others:
        raise ValueError("missing argument for comparison")
    for other in others:
        _comparable(first, other)
    return first in others


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def function(one: object, other: object) -> bool:
        _comparable(one, other)
        return compare(one, other)

    return function


def length(value: object) -> int:
    """Bytes of a text, entries of a map or list."""
    if not isinstance(value, str | Mapping | Sequence):
        raise ValueError(f"len of {go_text(value)}, which has none")
    return len(value.encode()) if isinstance(value, str) else len(value)


def index(value: object, *keys: object) -> object:
    """`index labels "a"`: what stands at the key; a missing label is ""."""
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key, "")
        elif isinstance(value, Sequence) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise ValueError(f"no index {go_text(key)} in {go_text(value)}")
    return value


def replace_all(pattern: object, replacement: object, value: object) -> str:
    """Go's `$1`, `${name}` and `$$` in the replacement; a group that is not there is empty (regexp.Expand)."""
    template, written = text(replacement), 0

    def expand(found: re.Match[str]) -> str:
        nonlocal written
        expanded = _REFERENCE.sub(lambda reference: _group(found, reference[1] or reference[2]), template)
        written += len(expanded)
        if written > _LONGEST_REPLACED:
            raise ValueError(f"the text is longer than {_LONGEST_REPLACED} characters")
        return expanded

    return re.sub(text(pattern), expand, text(value))


def _group(found: re.Match[str], name: str) -> str:
    if name == "$":
        return "$"
    try:
        return found[int(name) if name.isdecimal() else name] or ""
    except (IndexError, ValueError):
        return ""


def strip_port(value: object) -> str:
    """`host:80` to `host`; what has no port stays."""
    address = text(value)
    split = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):(\d*)", address)
    return (split[1] or split[2] or "") if split else address


def strip_domain(value: object) -> str:
    """`host.example.org:80` to `host:80`; an IP address stays."""
    address = text(value)
    host = strip_port(address)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.split(".")[0] + address[len(host) :]
    return address


def graph_link(expression: object) -> str:
    """The path of the graph of an expression in Prometheus."""
    return f"/graph?g0.expr={quote_plus(text(expression))}&g0.tab=0"


def table_link(expression: object) -> str:
    """The path of the table of an expression in Prometheus."""
    return f"/graph?g0.expr={quote_plus(text(expression))}&g0.tab=1"


def first(samples: object) -> object:
    """The first of a query's samples."""
    if not isinstance(samples, Sequence) or isinstance(samples, str) or not samples:
        raise ValueError("first() called on vector with no elements")
    return samples[0]


def label(name: object, sample: object) -> str:
    """A label of a sample."""
    return str(_of_sample(sample, "Labels").get(text(name), ""))


def sort_by_label(name: object, samples: object) -> list[object]:
    """The samples in the order of one label's values."""
    if not isinstance(samples, Sequence):
        raise ValueError(f"expected the samples of a query, got {go_text(samples)}")
    return sorted(samples, key=lambda sample: label(name, sample))


def _of_sample(sample: object, field: str) -> Any:
    if not isinstance(sample, Mapping) or field not in sample:
        raise ValueError(f"expected a sample of a query, got {go_text(sample)}")
    return sample[field]


FUNCTIONS: dict[str, Callable[..., object]] = {
    "eq": equal,
    "ne": lambda one, other: not equal(one, other),
    "lt": _ordered(lambda one, other: one < other),
    "le": _ordered(lambda one, other: one <= other),
    "gt": _ordered(lambda one, other: one > other),
    "ge": _ordered(lambda one, other: one >= other),
    "not": lambda value: not truth(value),
    "len": length,
    "index": index,
    "print": lambda *values: go_print(values),
    "println": lambda *values: " ".join(go_text(value) for value in values) + "\n",
    "printf": lambda pattern, *values: go_printf(text(pattern), *values),
    "html": lambda value: html.escape(go_text(value)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "js": lambda value: json.dumps(go_text(value))[1:-1],
    "urlquery": lambda value: quote_plus(go_text(value)),
    "humanize": humanize,
    "humanize1024": humanize_1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
    "title": title,
    "toUpper": lambda value: text(value).upper(),
    "toLower": lambda value: text(value).lower(),
    "first": first,
    "label": label,
    "value": lambda sample: _of_sample(sample, "Value"),
    "strvalue": lambda sample: label("__value__", sample),
    "sortByLabel": sort_by_label,
    "match": lambda pattern, value: re.search(text(pattern), text(value)) is not None,
    "reReplaceAll": replace_all,
    "stripPort": strip_port,
    "stripDomain": strip_domain,
    "parseDuration": lambda value: parse_duration(text(value)),
    "graphLink": graph_link,
    "tableLink": table_link,
    "safeHtml": text,
    "urlQueryEscape": lambda value: quote(text(value), safe=""),
}
LAZY = frozenset({"and", "or"})
QUERY = "query"
NAMES = FUNCTIONS.keys() | LAZY | {QUERY}
