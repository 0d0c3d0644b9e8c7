"""The index template of our data stream, as a value."""

from typing import Any

VERSION = 1

_KEYWORD = {"type": "keyword", "ignore_above": 1024}
# free-form labels as one field each: they can't explode the mapping, and `app` beside `app.kubernetes.io/name`
# is no conflict
_LABELS = {"type": "flattened", "ignore_above": 1024}

_KUBERNETES = {
    "namespace": _KEYWORD,
    "pod": {"properties": {"name": _KEYWORD, "uid": _KEYWORD, "ip": {"type": "ip", "ignore_malformed": True}}},
    "container": {"properties": {"name": _KEYWORD}},
    "labels": _LABELS,
    "annotations": _LABELS,
    "namespace_labels": _LABELS,
    "namespace_annotations": _LABELS,
    "node": {"properties": {"name": _KEYWORD, "labels": _LABELS, "annotations": _LABELS}},
}

_LOG = {
    # applications write ERROR, Error and error
    "level": {**_KEYWORD, "normalizer": "lowercase"},
    "offset": {"type": "long"},
    "file": {"properties": {"path": _KEYWORD}},
}


def index_template(stream: str) -> dict[str, Any]:
    """The template for the data stream of this name, for `PUT _index_template`."""
    properties = {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
        "stream": _KEYWORD,
        "log": {"properties": _LOG},
        "kubernetes": {"properties": _KUBERNETES},
        "container": {"properties": {"id": _KEYWORD, "runtime": _KEYWORD, "image": {"properties": {"name": _KEYWORD}}}},
        "host": {"properties": {"name": _KEYWORD}},
    }
    strings = {"strings": {"match_mapping_type": "string", "mapping": _KEYWORD}}
    return {
        "index_patterns": [stream],
        "priority": 500,
        "version": VERSION,
        "data_stream": {},
        "_meta": {"description": "container logs, written by fenghuo"},
        "template": {
            "settings": {
                "index.auto_expand_replicas": "0-1",
                "index.codec": "best_compression",
                # surplus fields stay in the document and are not indexed, rather than refusing the document
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
            },
            "mappings": {"dynamic_templates": [strings], "properties": properties},
        },
    }
