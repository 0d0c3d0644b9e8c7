"""From text to tokens. Grammar: text/template/parse/lex.go of Go."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "open", "close", "number", "string", "char", "variable", "field", "dot", "word", "operator"]


class TemplateSyntaxError(ValueError):
    """A template that can't be read; the message names the line inside the template."""


@dataclass(frozen=True, slots=True)
class Token:
    """`glued` says that no space stands before it: `$x.y` is one operand, `$x .y` are two."""

    kind: Kind
    text: str
    line: int
    glued: bool = False


_COMMENT = re.compile(r"/\*.*?\*/(?P<trim>\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""
    (?P<space>\s+(?!-\}\}))
  | (?P<close>(?:\s+-)?\}\})
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.]))
  | (?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)
  | (?P<char>'(?:\\.[0-9a-fA-F]*|[^'\\\n])')
  | (?P<variable>\$\w*)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<word>[^\W\d]\w*)
  | (?P<operator>:=|=|\||\(|\)|,)
    """,
    re.VERBOSE,
)


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a template. Raises TemplateSyntaxError at the first that is none."""
    position, trim = 0, False
    while position < len(text):
        start = text.find("{{", position)
        plain = text[position : start if start >= 0 else len(text)]
        inside = start + 2
        left_trim = start >= 0 and text.startswith("-", inside) and text[inside + 1 : inside + 2].isspace()
        plain = plain.lstrip() if trim else plain
        plain = plain.rstrip() if left_trim else plain
        if plain:
            yield Token("text", plain, _line(text, position))
        if start < 0:
            return
        inside += 1 if left_trim else 0
        position, trim = yield from _action(text, start, inside)


def _action(text: str, start: int, position: int) -> Generator[Token, None, tuple[int, bool]]:
    """The tokens from `{{` to `}}`; returns where it ends and whether it eats the space behind it."""
    comment = _COMMENT.match(text, position + len(text[position:]) - len(text[position:].lstrip()))
    if comment:
        return comment.end(), bool(comment["trim"])
    yield Token("open", "{{", _line(text, start))
    glued = False
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise TemplateSyntaxError(f"line {_line(text, position)}: unexpected {text[position : position + 10]!r}")
        position = found.end()
        kind = found.lastgroup
        if kind == "space":
            glued = False
            continue
        yield Token(kind, found.group(), _line(text, found.start()), glued)  # type: ignore[arg-type]
        glued = True
        if kind == "close":
            return position, "-" in found.group()
    raise TemplateSyntaxError(f"line {_line(text, start)}: unclosed action, expected }}}}")


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
