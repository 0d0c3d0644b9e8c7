"""A query as Elasticsearch's Query DSL, over the field names that Filebeat and ECS use. Pure.

Same meaning as `search.sql` but for one thing: a wildcard in the message matches inside one word, because
Elasticsearch keeps words and not the text (https://www.elastic.co/docs/reference/query-languages/query-dsl).
"""

import re
from typing import Any

from log_pipeline.search.query import AnyOf, Field, Not, Query, Term

NAMES: dict[Field, str] = {
    "level": "log.level",
    "namespace": "kubernetes.namespace",
    "pod": "kubernetes.pod.name",
    "container": "kubernetes.container.name",
    "stream": "stream",
    "node": "kubernetes.node.name",
    "message": "message",
    "path": "log.file.path",
}
"""Where each field stands in an indexed document."""

_NODE_TOO = "host.name"
"""Where Filebeat without Kubernetes metadata, and our own file source, name the node."""


def to_query_dsl(query: Query) -> dict[str, Any]:
    """The `query` part of a search request."""
    if isinstance(query, Term):
        if query.field == "node":
            places = [_term(query, NAMES["node"]), _term(query, _NODE_TOO)]
            return {"bool": {"should": places, "minimum_should_match": 1}}
        return _term(query, NAMES[query.field])
    if isinstance(query, Not):
        return {"bool": {"must_not": [to_query_dsl(query.query)]}}
    parts = [to_query_dsl(each) for each in query.queries]
    if isinstance(query, AnyOf):
        return {"bool": {"should": parts, "minimum_should_match": 1}}
    return {"bool": {"filter": parts}} if parts else {"match_all": {}}


def _term(term: Term, name: str) -> dict[str, Any]:
    if not any(term.pieces) and len(term.pieces) > 1:
        return {"exists": {"field": name}}
    if len(term.pieces) == 1:
        literal = term.pieces[0]
        if term.field == "message":
            return {"match_phrase": {name: literal}}
        return {"term": {name: {"value": literal, "case_insensitive": True} if term.field == "level" else literal}}
    pattern = "*".join(re.sub(r"([*?\\])", r"\\\1", piece) for piece in term.pieces)
    folded = term.field in ("message", "level")
    return {"wildcard": {name: {"value": pattern, "case_insensitive": folded}}}
