"""From what a user typed, on the command line or in a URL, to a Search. Pure."""

from fenghuo.errors import FenghuoError
from log_pipeline.search.find import MOST_LINES, Search
from log_pipeline.search.query import parse
from log_pipeline.search.timerange import parse_moment


class BadSearch(FenghuoError):
    """A part of the search can't be read; says which and what was expected."""


def new_search(query: str, since: str, until: str, limit: str, now: float) -> Search:
    """The search for these texts, empty ones meaning no bound and 100 lines. `now` is Unix seconds.

    Raises QueryError and BadSearch.
    """
    bounds = (_moment("since", since, now), _moment("until", until, now))
    if None not in bounds and float(bounds[0] or 0) >= float(bounds[1] or 0):
        raise BadSearch(f"since ({since}) is not before until ({until})")
    return Search(parse(query), *bounds, _limit(limit))


def _moment(name: str, text: str, now: float) -> float | None:
    try:
        return parse_moment(text, now) if text else None
    except ValueError as error:
        raise BadSearch(f"{name}: {error}") from error


def _limit(text: str) -> int:
    if not text:
        return 100
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MOST_LINES:
        raise BadSearch(f"limit: expected a number from 1 to {MOST_LINES}, got {text!r}")
    return int(text)
