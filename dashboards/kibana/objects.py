"""Builders for the saved objects in use: data view and Discover session.

Format: what Kibana's own export writes, at the migration versions of 8.8, which every later version lifts to
its own on import. Some fields hold JSON as text; they are dumped last, keys in order.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

SavedObject = Mapping[str, Any]

_INDEX_REFERENCE = "kibanaSavedObjectMeta.searchSourceJSON.index"


def data_view(identity: str, pattern: str, name: str) -> SavedObject:
    """A name for all indices and data streams that match `pattern`, with `@timestamp` as their time."""
    return _saved(
        "index-pattern",
        identity,
        {"title": pattern, "name": name, "timeFieldName": "@timestamp", "allowNoIndex": True},
        [],
    )


def discover_session(
    identity: str, title: str, description: str, *, view: str, columns: Sequence[str], query: str = ""
) -> SavedObject:
    """A saved search over the data view `view`: its columns, newest first, with a KQL `query`."""
    source = {
        "query": {"language": "kuery", "query": query},
        "filter": [],
        "highlightAll": True,
        "version": True,
        "indexRefName": _INDEX_REFERENCE,
    }
    attributes = {
        "title": title,
        "description": description,
        "columns": list(columns),
        "sort": [["@timestamp", "desc"]],
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _compact(source)},
    }
    return _saved("search", identity, attributes, [{"id": view, "name": _INDEX_REFERENCE, "type": "index-pattern"}])


def render(objects: Sequence[SavedObject]) -> str:
    """One object a line, keys in order: the form of Kibana's export and import."""
    return "".join(_compact(item) + "\n" for item in objects)


def _saved(
    kind: str, identity: str, attributes: Mapping[str, Any], references: Sequence[Mapping[str, str]]
) -> SavedObject:
    return {
        "type": kind,
        "id": identity,
        "attributes": attributes,
        "references": list(references),
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": "8.0.0",
        "managed": False,
    }


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
