"""Prometheus' text format 0.0.4 read strictly: families with their samples, or the line that is wrong. Pure.

What node_exporter's parser takes is taken here, less what it silently drops: parts of a histogram or summary without
their label, and quoted names, which the format does not have. A last line without its end is an error, for it may be
half of a number: a writer that is not done.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from exporters.collector import BOUNDS, KINDS, Kind

PARTS: dict[Kind, tuple[str, ...]] = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
"""The kinds whose samples have several names, and what these add to the metric's."""

SHORTEN = 60
"""Characters of what is wrong that a message shows."""

_EXACT_DIGITS = 15
"""Whole numbers up to this long are the same as floats, and are kept as they are written."""

_COMMENT = re.compile(r"[ \t]*#[ \t]*(HELP|TYPE)[ \t]+(?P<rest>.*)", re.DOTALL)
_NAME = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*")
_AFTER_NAME = (" ", "\t", "{")
_CLOSE = re.compile(r"[ \t]*\}")
_LABEL = re.compile(
    r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\\n]*(?:\\.[^"\\\n]*)*)"[ \t]*(?:,[ \t]*|(?=\}))'
)
_VALUE = re.compile(r"[ \t]*([^ \t]+)(?:[ \t]+([^ \t]+))?[ \t]*")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII
)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"\\": "\\", "n": "\n", '"': '"'}


class Reason(StrEnum):
    """Why a text is refused, in a word for a label."""

    SYNTAX = "syntax"
    TIMESTAMP = "timestamp"
    ENCODING = "encoding"


class TextError(Exception):
    """A text that is not of this format: the line, and what was expected there."""

    def __init__(self, line: int, expected: str, got: str | None = None, reason: Reason = Reason.SYNTAX) -> None:
        shown = "" if got is None else f", got {got[:SHORTEN]!r}"
        super().__init__(f"expected {expected}{shown}")
        self.line = line
        self.reason = reason


class TextSample(NamedTuple):
    """One sample: what its name adds to its family's, its labels, the bound of a bucket or quantile, its value."""

    part: str
    labels: dict[str, str]
    bound: str
    value: float
    line: int


@dataclass(slots=True)
class TextFamily:
    """A metric as a text has it; `line` is where it begins. Without a HELP of any text, `help` is empty."""

    name: str
    line: int
    kind: Kind = "untyped"
    help: str = ""
    typed: bool = False
    samples: list[TextSample] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that samples of this family may have, and its own."""
        return (self.name, *(self.name + part for part in PARTS.get(self.kind, ()) if part))


def parse(content: bytes) -> list[TextFamily]:
    """The families of a text that have samples, in the order in which they begin. Raises TextError, nothing else."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        broken = content.count(b"\n", 0, error.start) + 1
        raise TextError(broken, f"UTF-8, got {content[error.start : error.end]!r}", None, Reason.ENCODING) from error
    lines = text.split("\n")
    if lines.pop().strip(" \t"):
        raise TextError(len(lines) + 1, "an end of the last line: the file was cut, or is still being written")
    parser = _Parser()
    for number, line in enumerate(lines, 1):
        parser.take(number, line)
    return [family for family in parser.families.values() if family.samples]


class _Parser:
    """Takes one line after the other."""

    def __init__(self) -> None:
        self.families: dict[str, TextFamily] = {}
        self._owners: dict[str, tuple[TextFamily, str]] = {}
        """The name of a sample → its family, and what the name adds to the family's."""

    def take(self, number: int, line: str) -> None:
        """A line of any sort. Raises TextError."""
        start = line.lstrip(" \t")
        if start and start[0] != "#":
            self._sample(number, line)
        elif comment := _COMMENT.match(start):
            self._comment(number, comment[1], comment["rest"])

    def _comment(self, number: int, keyword: str, rest: str) -> None:
        matched = _NAME.match(rest)
        if matched is None or (matched.end(1) != len(rest) and rest[matched.end(1)] not in " \t"):
            raise TextError(number, f"the name of a metric after {keyword}", rest)
        family, part = self._owner(matched[1], number)
        said = rest[matched.end() :]
        if part:
            raise TextError(number, f"no {keyword} of {matched[1]}, which belongs to {family.kind} {family.name}")
        if said and keyword == "HELP":
            if family.help:
                raise TextError(number, f"one HELP of {family.name}", said)
            family.help = _unescaped(said, number)
        elif said:
            self._type(family, said.rstrip(" \t"), number)

    def _type(self, family: TextFamily, said: str, number: int) -> None:
        kind = KINDS.get(said.lower())
        if kind is None:
            raise TextError(number, f"one of the types {', '.join(KINDS)}", said)
        if family.typed or family.samples:
            raise TextError(number, f"one TYPE of {family.name}, before its samples", said)
        family.kind, family.typed = kind, True
        for part in PARTS.get(kind, ()):
            name = family.name + part
            if part and name in self._owners:
                raise TextError(number, f"the TYPE of {family.name} before {name}", said)
            self._owners[name] = family, part

    def _owner(self, name: str, number: int) -> tuple[TextFamily, str]:
        owner = self._owners.get(name)
        if owner is None:
            family = self.families[name] = TextFamily(name, number)
            owner = self._owners[name] = family, ""
        return owner

    def _sample(self, number: int, line: str) -> None:
        named = _NAME.match(line)
        if named is None or line[named.end(1) : named.end(1) + 1] not in _AFTER_NAME:
            raise TextError(number, "the name of a metric, then labels or a number", line)
        labels, end = _labels(line, named.end(), number)
        value = _value(line, end, number)
        family, part = self._owner(named[1], number)
        bound = _bound(family, part, labels, number) if family.kind in PARTS else ""
        if part in ("_bucket", "_count") and not value >= 0:
            raise TextError(number, f"a count from 0 on at {named[1]}", str(value))
        family.samples.append(TextSample(part, labels, bound, value, number))


def _labels(line: str, start: int, number: int) -> tuple[dict[str, str], int]:
    """The labels that begin at `start`, if there are any, and where they end."""
    labels: dict[str, str] = {}
    if not line.startswith("{", start):
        return labels, start
    at = start + 1
    while label := _LABEL.match(line, at):
        name, value = label.groups()
        if name in labels or name == "__name__":
            raise TextError(number, "each label once, and none called __name__", name)
        labels[name] = _unescaped(value, number) if "\\" in value else value
        at = label.end()
    end = _CLOSE.match(line, at)
    if end is None:
        raise TextError(number, 'a label such as name="value", then a comma or }', line[at:])
    return labels, end.end()


def _value(line: str, start: int, number: int) -> float:
    matched = _VALUE.fullmatch(line, start)
    if matched is None or not _NUMBER.fullmatch(matched[1]):
        raise TextError(number, "a number after the name" + _hint(line), line[start:].strip(" \t"))
    if matched[2] is not None:
        if not _INTEGER.fullmatch(matched[2]):
            raise TextError(number, "the end of the line after the number", matched[2])
        expected = "no timestamp: the time of a sample is that of the scrape"
        raise TextError(number, expected, matched[2], Reason.TIMESTAMP)
    return _number(matched[1], number)


def _hint(line: str) -> str:
    return ", and lines that end in LF rather than CR LF" if line.endswith("\r") else ""


def _number(text: str, number: int) -> float:
    if text.isdigit() and len(text) <= _EXACT_DIGITS:
        return int(text)
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise TextError(number, "a number that a float of 64 bits can hold", text)
    return value


def _bound(family: TextFamily, part: str, labels: dict[str, str], number: int) -> str:
    """Take the label of a bucket or quantile away from the others; empty for a sum or count."""
    label, whole = BOUNDS[family.kind], part not in ("_sum", "_count")
    if part not in PARTS[family.kind]:
        raise TextError(number, f"{family.name} followed by _bucket, _sum or _count, for it is a {family.kind}")
    text = labels.pop(label, None)
    if (text is not None) is not whole:
        raise TextError(number, f"{'a' if whole else 'no'} label {label} at {family.name}{part}", text)
    if text is None:
        return ""
    if not _NUMBER.fullmatch(text) or text.lower() == "nan":
        raise TextError(number, f"a number as {label}", text)
    return shortest(float(text))


def _unescaped(text: str, number: int) -> str:
    if "\\" not in text:
        return text
    for matched in _ESCAPE.finditer(text):
        if matched[1] not in _ESCAPED:
            raise TextError(number, r"one of \\, \n and \" after a backslash", matched[0])
    return _ESCAPE.sub(lambda matched: _ESCAPED[matched[1]], text)


def shortest(value: float) -> str:
    """A number as Go writes it, and so every `le` and `quantile` of node_exporter: 100, 0.5, 1.6384e+06, +Inf."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    number, _, power = text.lstrip("-").partition("e")
    whole, _, fraction = number.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(digits) - len(fraction) - 1 if digits else 0
    if -4 <= exponent < 6:  # as strconv.FormatFloat has it with 'g' and -1
        return text.removesuffix(".0")
    digits = digits.rstrip("0")
    point = "." if len(digits) > 1 else ""
    return f"{'-' if value < 0 else ''}{digits[0]}{point}{digits[1:]}e{exponent:+03d}"
