"""Label sets, their fingerprints and the matchers that choose among them.

Formats: Prometheus `model.LabelSet.Fingerprint` (common/model/signature.go) and Alertmanager's matcher
syntax (pkg/labels/parse.go). Pure functions; no clock, no input or output.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Labels = Mapping[str, str]

Op = Literal["=", "!=", "=~", "!~"]
OPS: tuple[Op, ...] = get_args(Op)

_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(
    rf"""\s*(?P<name>{_QUOTED}|[^\s{{}}!=~,\\"'`]+)\s*(?P<op>=~|!~|!=|=)\s*(?P<value>.*?)\s*""", re.DOTALL
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def fingerprint(labels: Labels) -> str:
    """The identity of a label set: 16 hex digits, FNV-1a 64 over `name 0xFF value 0xFF`, names sorted."""
    total = _OFFSET
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            total = ((total ^ byte) * _PRIME) & _MASK
    return f"{total:016x}"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A regular expression must match the whole value; a missing label is "".

    Raises ValueError when the expression of `=~` or `!~` can't be compiled.
    """

    name: str
    op: Op
    value: str
    _regex: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.op not in ("=~", "!~"):
            return
        try:
            object.__setattr__(self, "_regex", re.compile(self.value))
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"expected a regular expression, got {self.value!r} ({error})") from error

    def matches(self, labels: Labels) -> bool:
        """Whether the label set fulfils this condition."""
        value = labels.get(self.name, "")
        if self._regex is not None:
            return (self._regex.fullmatch(value) is not None) == (self.op == "=~")
        return (value == self.value) == (self.op == "=")

    def __str__(self) -> str:
        name = self.name if _PLAIN_NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.op}{_quote(self.value)}"


def parse_matcher(text: str) -> Matcher:
    """Read `name="value"`, `name!=value`, `name=~"a|b"` or `name!~"a|b"`; the quotes may be left out.

    Raises ValueError saying what was expected.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f'expected a matcher such as severity="page" or team=~"a|b", got {text!r}')
    name, value = found["name"], found["value"]
    op = next(known for known in OPS if known == found["op"])
    return Matcher(_unquote(name, text), op, _unquote(value, text))


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `{a="b", c=~"d"}` or the same without braces; a comma at the end is allowed, "" is no matcher.

    Raises ValueError saying what was expected.
    """
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise ValueError(f"expected both braces around matchers or none, got {text!r}")
    parts = _split(inner.removeprefix("{").removesuffix("}"))
    if parts and not parts[-1].strip():
        parts.pop()
    return tuple(parse_matcher(part) for part in parts)


def _split(text: str) -> list[str]:
    """Cut at the commas that stand outside quotes."""
    parts, current, quoted, escaped = [], "", False, False
    for char in text:
        if char == "," and not quoted:
            parts.append(current)
            current = ""
            continue
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        current += char
    return [*parts, current]


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _unquote(text: str, whole: str) -> str:
    """Take off quotes and escapes. A backslash before any other character stays, for expressions have many."""
    if re.fullmatch(_QUOTED, text, re.DOTALL):
        text = text[1:-1]
    elif re.search(r'(?<!\\)"', text):
        raise ValueError(f'expected quotes around the whole value and \\" inside it, got {whole!r}')
    return re.sub(r'\\([n"\\])', lambda match: _ESCAPES[match[1]], text)
