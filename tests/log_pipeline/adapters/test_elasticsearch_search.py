"""A document of Elasticsearch as a found line, however its fields are nested. The search itself: tests/stack."""

from typing import Any

import pytest

from log_pipeline.adapters.elasticsearch_search import line_of
from log_pipeline.search.find import FoundLine

FULL = FoundLine("2026-11-21T09:30:00.000Z", "no", "shop", "web", "app", "n1", "stderr", "error", "/x.log", 7)

DOCUMENTS: dict[str, tuple[dict[str, Any], FoundLine]] = {
    "as Filebeat writes it": (
        {
            "@timestamp": "2026-11-21T09:30:00.000Z",
            "message": "no",
            "stream": "stderr",
            "log": {"level": "error", "offset": 7, "file": {"path": "/x.log"}},
            "kubernetes": {
                "namespace": "shop",
                "pod": {"name": "web"},
                "container": {"name": "app"},
                "node": {"name": "n1"},
            },
        },
        FULL,
    ),
    "with dotted keys, whole and in part": (
        {
            "@timestamp": "2026-11-21T09:30:00.000Z",
            "message": "no",
            "stream": "stderr",
            "log.level": "error",
            "log": {"offset": 7, "file.path": "/x.log"},
            "kubernetes.namespace": "shop",
            "kubernetes": {"pod.name": "web", "container": {"name": "app"}},
            "host.name": "n1",
        },
        FULL,
    ),
    "bare": (
        {"@timestamp": "2026-11-21T09:30:00.000Z", "log": "text"},
        FoundLine("2026-11-21T09:30:00.000Z", ""),
    ),
}


@pytest.mark.parametrize(("document", "line"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_document_is_read_however_its_fields_are_nested(document: dict[str, Any], line: FoundLine) -> None:
    assert line_of(document) == line
