"""What a search asks for and what it finds, and the port that a store of lines implements."""

from dataclasses import dataclass
from typing import Protocol

from fenghuo.errors import FenghuoError
from log_pipeline.search.query import Query

MOST_LINES = 1000
"""Lines that one search may return."""

COUNTED = 10_000
"""Matches are counted up to here; a count beyond would cost more than the search (Elasticsearch's own bound)."""


class SearchTooSlow(FenghuoError):
    """The search was given up after its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the search took more than {seconds:g} s; ask for a shorter time or fewer wildcards")


@dataclass(frozen=True, slots=True)
class Search:
    """The newest `limit` lines that the query finds, from `since` on and before `until` (Unix seconds)."""

    query: Query
    since: float | None = None
    until: float | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A stored line. `timestamp` is RFC 3339; what is not known is empty, `offset` None."""

    timestamp: str
    message: str
    namespace: str = ""
    pod: str = ""
    container: str = ""
    node: str = ""
    stream: str = ""
    level: str = ""
    path: str = ""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Lines, newest first. `total` counts all matches, and is a lower bound when `exact` is false."""

    lines: tuple[FoundLine, ...]
    total: int
    exact: bool = True


class Searcher(Protocol):
    """A store that can be searched."""

    async def search(self, search: Search) -> Found:
        """Find lines.

        Raises SearchTooSlow, and StorageError or RemoteError when the store can't be read now.
        """
        ...

    async def close(self) -> None: ...
