"""Searching the Elasticsearch data stream that the pipeline wrote: the same queries, the same answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import elastic_transport
import elasticsearch

from fenghuo.errors import RemoteAnswer, RemoteRefused, RemoteTimeout
from fenghuo.httpcall import safe_url
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, new_client
from log_pipeline.search.find import COUNTED, Found, FoundLine, Search
from log_pipeline.search.query_dsl import to_query_dsl

_NEWEST_FIRST: Sequence[str | Mapping[str, Any]] = [
    {"@timestamp": "desc"},
    {"log.offset": {"order": "desc", "unmapped_type": "long"}},
]


class ElasticsearchSearcher:
    """A Searcher."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._index = config.index
        self._client = new_client(config)
        self._url = safe_url(config.url)

    async def search(self, search: Search) -> Found:
        try:
            answer = await self._client.search(
                index=self._index,
                query=_within(search),
                sort=_NEWEST_FIRST,
                size=search.limit,
                track_total_hits=COUNTED,
                ignore_unavailable=True,
            )
        except elasticsearch.ApiError as error:
            raise RemoteAnswer(self._url, error.status_code, str(error.body)) from error
        except elastic_transport.ConnectionTimeout as error:
            raise RemoteTimeout(self._url, "no answer in time") from error
        except elastic_transport.TransportError as error:
            raise RemoteRefused(self._url, error.message) from error
        hits = answer["hits"]
        lines = tuple(line_of(hit["_source"]) for hit in hits["hits"])
        return Found(lines, hits["total"]["value"], hits["total"]["relation"] == "eq")

    async def close(self) -> None:
        await self._client.close()


def _within(search: Search) -> dict[str, Any]:
    bounds: dict[str, Any] = {"format": "epoch_millis"}
    if search.since is not None:
        bounds["gte"] = round(search.since * 1000)
    if search.until is not None:
        bounds["lt"] = round(search.until * 1000)
    return {"bool": {"filter": [{"range": {"@timestamp": bounds}}, to_query_dsl(search.query)]}}


def line_of(document: dict[str, Any]) -> FoundLine:
    """A document as a line, whether its fields are nested, dotted or both."""

    def get(name: str) -> str:
        value = _value(document, name)
        return "" if value is None else str(value)

    offset = _value(document, "log.offset")
    return FoundLine(
        timestamp=get("@timestamp"),
        message=get("message"),
        namespace=get("kubernetes.namespace"),
        pod=get("kubernetes.pod.name"),
        container=get("kubernetes.container.name"),
        node=get("kubernetes.node.name") or get("host.name"),
        stream=get("stream"),
        level=get("log.level"),
        path=get("log.file.path"),
        offset=offset if isinstance(offset, int) else None,
    )


def _value(document: object, name: str) -> object:
    """`log.file.path` in `{"log": {"file.path": …}}` and in every other way to write it."""
    if not isinstance(document, dict):
        return None
    if name in document:
        return document[name]
    cut = name.find(".")
    while cut > 0:
        found = _value(document.get(name[:cut]), name[cut + 1 :])
        if found is not None:
            return found
        cut = name.find(".", cut + 1)
    return None
