"""`GET /api/v1/search?q=level:error+payment&since=10m&until=…&limit=100`: stored lines, newest first.

A query that can't be read is answered 400 with what was expected and where; a store that can't be read now, or
not in time, 503. Searching takes nothing from the pipeline: the store has its own connections.
"""

from aiohttp import web

from fenghuo.clock import Clock
from fenghuo.errors import FenghuoError
from log_pipeline.search.find import Searcher
from log_pipeline.search.output import found_as_json
from log_pipeline.search.query import QueryError
from log_pipeline.search.request import BadSearch, new_search


def add_search_route(application: web.Application, searcher: Searcher, clock: Clock) -> None:
    """Serve searches of one store."""

    async def search(request: web.Request) -> web.Response:
        begun = clock.monotonic()
        given = request.query
        texts = (given.get("q", ""), given.get("since", ""), given.get("until", ""), given.get("limit", ""))
        try:
            found = await searcher.search(new_search(*texts, now=clock.now()))
        except (QueryError, BadSearch) as error:
            return web.json_response({"error": str(error)}, status=400)
        except FenghuoError as error:
            return web.json_response({"error": str(error)}, status=503)
        return web.json_response(found_as_json(found, clock.monotonic() - begun))

    application.router.add_get("/api/v1/search", search)
