"""A query in Elasticsearch's words."""

from typing import Any

import pytest

from log_pipeline.search.query import parse
from log_pipeline.search.query_dsl import to_query_dsl

TABLE: dict[str, dict[str, Any]] = {
    "": {"match_all": {}},
    "payment": {"match_phrase": {"message": "payment"}},
    '"connection refused"': {"match_phrase": {"message": "connection refused"}},
    "level:error": {"term": {"log.level": {"value": "error", "case_insensitive": True}}},
    "namespace:shop": {"term": {"kubernetes.namespace": "shop"}},
    "pod:web-*": {"wildcard": {"kubernetes.pod.name": {"value": "web-*", "case_insensitive": False}}},
    "tim*ut": {"wildcard": {"message": {"value": "tim*ut", "case_insensitive": True}}},
    r"path:/a\*b?*": {"wildcard": {"log.file.path": {"value": r"/a\*b\?*", "case_insensitive": False}}},
    "container:*": {"exists": {"field": "kubernetes.container.name"}},
    "node:n1": {
        "bool": {
            "should": [{"term": {"kubernetes.node.name": "n1"}}, {"term": {"host.name": "n1"}}],
            "minimum_should_match": 1,
        }
    },
    "not stream:stderr": {"bool": {"must_not": [{"term": {"stream": "stderr"}}]}},
    "container:(a or b)": {
        "bool": {
            "should": [{"term": {"kubernetes.container.name": "a"}}, {"term": {"kubernetes.container.name": "b"}}],
            "minimum_should_match": 1,
        }
    },
    "a b": {"bool": {"filter": [{"match_phrase": {"message": "a"}}, {"match_phrase": {"message": "b"}}]}},
}


@pytest.mark.parametrize(("text", "expected"), TABLE.items())
def test_a_query_in_elasticsearchs_words(text: str, expected: dict[str, Any]) -> None:
    assert to_query_dsl(parse(text)) == expected
