r"""The query language: the part of Kibana's KQL that people type to find log lines.

    level:error payment                  both: the field and the word in the message
    namespace:shop and not pod:web-*     and, or, not; `*` stands for any text
    "connection refused" or timeout      an exact phrase
    level:(error or fatal)               one field, several values
    message:\"quoted\"                     a backslash takes the meaning from the next character

Words side by side must all be there. `parse` turns a text into a small tree of `Term`, `Not`, `AllOf` and
`AnyOf`, which `search.sql` and `search.query_dsl` translate. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from fenghuo.errors import FenghuoError

Field: TypeAlias = Literal["level", "namespace", "pod", "container", "stream", "node", "message", "path"]

FIELDS: dict[str, Field] = {
    "level": "level",
    "log.level": "level",
    "namespace": "namespace",
    "kubernetes.namespace": "namespace",
    "pod": "pod",
    "kubernetes.pod.name": "pod",
    "container": "container",
    "kubernetes.container.name": "container",
    "stream": "stream",
    "node": "node",
    "kubernetes.node.name": "node",
    "message": "message",
    "path": "path",
    "log.file.path": "path",
}
"""The fields by the names that a query may use: ours, and those that Filebeat's events have in Kibana."""

LONGEST_QUERY = 4096
MOST_TERMS = 100
DEEPEST_NESTING = 40


class QueryError(FenghuoError):
    """A query that can't be read: `column` is 1-based, `expected` says what should stand there."""

    def __init__(self, text: str, column: int, expected: str) -> None:
        self.text = text
        self.column = column
        self.expected = expected
        super().__init__(f"the query {_shortened(text)!r}, column {column}: {expected}")


@dataclass(frozen=True, slots=True)
class Term:
    """A field holds a text. `pieces` are the literal parts between wildcards: `web-*` is ("web-", "")."""

    field: Field
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a query."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these hold; with none, everything is found."""

    queries: tuple["Query", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    queries: tuple["Query", ...]


Query: TypeAlias = Term | Not | AllOf | AnyOf


def parse(text: str) -> Query:
    """The tree of a query; an empty text finds everything. Raises QueryError."""
    if len(text) > LONGEST_QUERY:
        raise QueryError(text, LONGEST_QUERY + 1, f"expected at most {LONGEST_QUERY} characters")
    unpaired = next((at for at, character in enumerate(text) if "\ud800" <= character <= "\udfff"), None)
    if unpaired is not None:  # how bytes of a command line that are no UTF-8 arrive
        raise QueryError(text, unpaired + 1, "expected UTF-8")
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind` is "word", "quoted", one of `( ) :`, "and", "or", "not", or "end"."""

    kind: str
    column: int
    text: str = ""
    pieces: tuple[str, ...] = ()


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
        elif character in "():":
            yield _Token(character, position + 1, character)
            position += 1
        else:
            read = _quoted if character == '"' else _word
            token, position = read(text, position)
            yield token
    yield _Token("end", len(text) + 1, "the end of the query")


def _quoted(text: str, start: int) -> tuple[_Token, int]:
    position, content = start + 1, ""
    while position < len(text):
        if text[position] == '"':
            return _Token("quoted", start + 1, text[start : position + 1], (content,)), position + 1
        position += text[position] == "\\" and position + 1 < len(text)
        content += text[position]
        position += 1
    raise QueryError(text, start + 1, 'expected a closing " for this one')


def _word(text: str, start: int) -> tuple[_Token, int]:
    position, pieces = start, [""]
    while position < len(text) and not text[position].isspace() and text[position] not in '():"':
        if text[position] == "*":
            pieces.append("")
        else:
            position += text[position] == "\\" and position + 1 < len(text)
            pieces[-1] += text[position]
        position += 1
    raw = text[start:position]
    kind = raw.lower() if raw.lower() in ("and", "or", "not") else "word"
    return _Token(kind, start + 1, raw, _merged(pieces)), position


def _merged(pieces: list[str]) -> tuple[str, ...]:
    """Without the empty pieces in the middle: `a**b` means what `a*b` means."""
    if len(pieces) == 1:
        return tuple(pieces)
    return (pieces[0], *(piece for piece in pieces[1:-1] if piece), pieces[-1])


class _Parser:
    """Recursive descent; each method reads one rule of the grammar:

    either  = both { "or" both }
    both    = single { [ "and" ] single }
    single  = "not" single | "(" either ")" | field ":" value | value
    value   = word | quoted | "(" either ")"
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._position = 0
        self._terms = 0

    def whole(self) -> Query:
        if self._next.kind == "end":
            return AllOf()
        query = self._either(None, 0)
        if self._next.kind != "end":
            self._fail("expected and, or, a term or the end of the query")
        return query

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        self._position += 1
        return self._tokens[self._position - 1]

    def _fail(self, expected: str) -> NoReturn:
        raise QueryError(self._text, self._next.column, f"{expected}, got {self._next.text}")

    def _either(self, field: Field | None, depth: int) -> Query:
        queries = [self._both(field, depth)]
        while self._next.kind == "or":
            self._take()
            queries.append(self._both(field, depth))
        return queries[0] if len(queries) == 1 else AnyOf(tuple(queries))

    def _both(self, field: Field | None, depth: int) -> Query:
        queries = [self._single(field, depth)]
        while self._next.kind in ("and", "not", "(", "word", "quoted"):
            if self._next.kind == "and":
                self._take()
            queries.append(self._single(field, depth))
        return queries[0] if len(queries) == 1 else AllOf(tuple(queries))

    def _single(self, field: Field | None, depth: int) -> Query:
        if depth > DEEPEST_NESTING:
            self._fail(f"expected at most {DEEPEST_NESTING} levels of nesting")
        if self._next.kind == "not":
            self._take()
            return Not(self._single(field, depth + 1))
        if self._next.kind == "word" and self._tokens[self._position + 1].kind == ":":
            return self._named(field, depth)
        return self._value(field, depth, "expected a word, a phrase, a field or (")

    def _named(self, outer: Field | None, depth: int) -> Query:
        name = self._next.text
        if outer is not None:
            self._fail(f"expected only values inside {outer}:(…); put a text with a colon in quotes")
        if name not in FIELDS:
            known = ", ".join(sorted(set(FIELDS.values())))
            self._fail(f"expected one of the fields {known}; put a text with a colon in quotes")
        self._take()
        self._take()
        return self._value(FIELDS[name], depth, f"expected a value after {name}:")

    def _value(self, field: Field | None, depth: int, expected: str) -> Query:
        if self._next.kind == "(":
            opening = self._take()
            query = self._either(field, depth + 1)
            if self._next.kind != ")":
                self._fail(f"expected ) for the ( in column {opening.column}")
            self._take()
            return query
        if self._next.kind not in ("word", "quoted"):
            self._fail(expected)
        self._terms += 1
        if self._terms > MOST_TERMS:
            self._fail(f"expected at most {MOST_TERMS} terms")
        return Term(field or "message", self._take().pieces)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
