"""A query as a WHERE clause for the SQLite sink's tables. Pure; values travel as bound parameters only.

`lines` has the lines, `origins` where they came from (a row a log file, so that its names are stored and
compared once), `lines_text` the full-text index over `index_text(message)`. A word or phrase, and one with a
wildcard at its end, ask the index; wildcards elsewhere in the message, and texts without a letter or digit,
read the messages one by one.
"""

from dataclasses import dataclass, field

from log_pipeline.search.query import AllOf, AnyOf, Not, Query, Term
from log_pipeline.search.text import has_words, index_text, is_word_character

_LEVELS = {"warning": "warn", "err": "error", "critical": "fatal", "crit": "fatal", "panic": "fatal"}


@dataclass(frozen=True, slots=True)
class Where:
    """A condition over `lines`, and the parameters that it binds, in order.

    `words` is what the full-text index is asked for, when every line found must answer to it.
    """

    sql: str
    parameters: list[str] = field(default_factory=list)
    words: str | None = None


def where(query: Query) -> Where:
    """The condition that holds for exactly the lines that the query finds."""
    match = _match(query)
    if match is not None:
        return Where("lines.rowid IN (SELECT rowid FROM lines_text WHERE lines_text MATCH ?)", [match], match)
    if isinstance(query, Term):
        return _term(query)
    if isinstance(query, Not):
        inner = where(query.query)
        return Where(f"NOT {inner.sql}", inner.parameters)
    if isinstance(query, AnyOf):
        return _joined(" OR ", query.queries)
    # The words of a conjunction go to the index in one question: it intersects faster than SQL does.
    words = tuple(each for each in query.queries if _match(each) is not None)
    others = tuple(each for each in query.queries if _match(each) is None)
    joined = _joined(" AND ", (AllOf(words), *others) if len(words) > 1 else query.queries)
    return Where(joined.sql, joined.parameters, _match(AllOf(words)))


def _joined(operator: str, queries: tuple[Query, ...]) -> Where:
    parts = [where(query) for query in queries]
    if not parts:
        return Where("TRUE")
    return Where(
        "(" + operator.join(part.sql for part in parts) + ")", [value for part in parts for value in part.parameters]
    )


def _match(query: Query) -> str | None:
    """The query in FTS5's own language, or None when it asks for more than words of the message."""
    if isinstance(query, Term):
        return _match_term(query)
    if isinstance(query, Not) or not query.queries:
        return None
    parts = [_match(each) for each in query.queries]
    known = [part for part in parts if part is not None]
    operator = " OR " if isinstance(query, AnyOf) else " AND "
    return "(" + operator.join(known) + ")" if len(known) == len(parts) else None


def _match_term(term: Term) -> str | None:
    first, rest = term.pieces[0], term.pieces[1:]
    if term.field != "message" or not has_words(first):
        return None
    if rest and (rest != ("",) or not is_word_character(first[-1])):
        return None
    phrase = index_text(first).replace("\0", " ").replace('"', '""').rstrip()
    return f'"{phrase}" *' if rest else f'"{phrase}"'


def _term(term: Term) -> Where:
    if term.field in ("message", "level", "stream"):
        return _comparison(f"lines.{term.field}", term)
    inner = _comparison(f"origins.{term.field}", term)
    return Where(f"lines.origin IN (SELECT origins.rowid FROM origins WHERE {inner.sql})", inner.parameters)  # noqa: S608 - field names of ours


def _comparison(column: str, term: Term) -> Where:
    if not any(term.pieces) and len(term.pieces) > 1:
        return Where(f"{column} <> ''")
    if term.field == "message":
        return Where(f"{column} LIKE ? ESCAPE '\\'", ["%" + "%".join(map(_like, term.pieces)) + "%"])
    pieces = [_level(piece) for piece in term.pieces] if term.field == "level" else list(term.pieces)
    if len(pieces) == 1:
        return Where(f"{column} = ?", pieces)
    return Where(f"{column} GLOB ?", ["*".join(map(_glob, pieces))])


def _level(text: str) -> str:
    """A level in the words that the pipeline stores."""
    return _LEVELS.get(text.lower(), text.lower())


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _glob(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)
