"""What the page asks Prometheus, and how its answers are read. Metric names are node_exporter's and cAdvisor's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

HISTORY = 15 * 60.0
STEP = 15.0
"""Seconds that a sparkline covers, and between its points."""

CPU = '1 - avg(rate(node_cpu_seconds_total{job="node",mode="idle"}[1m]))'
MEMORY = '1 - sum(node_memory_MemAvailable_bytes{job="node"}) / sum(node_memory_MemTotal_bytes{job="node"})'
LOAD = 'max(node_load1{job="node"})'
_REAL = 'job="node",fstype!~"tmpfs|ramfs|squashfs|iso9660"'
DISK = f"max(1 - node_filesystem_avail_bytes{{{_REAL}}} / node_filesystem_size_bytes{{{_REAL}}})"
RANGES = {"cpu": CPU, "memory": MEMORY, "disk": DISK, "load": LOAD}

_BY = "sum by (namespace, pod, container, name, id)"
INSTANTS = {
    "cpus": 'count(node_cpu_seconds_total{job="node",mode="idle"})',
    "memory_total": 'sum(node_memory_MemTotal_bytes{job="node"})',
    "filesystems": f"1 - node_filesystem_avail_bytes{{{_REAL}}} / node_filesystem_size_bytes{{{_REAL}}}",
    "free": f"node_filesystem_avail_bytes{{{_REAL}}}",
    "container_cpu": f'{_BY} (rate(container_cpu_usage_seconds_total{{job="cgroup"}}[1m]))',
    "container_memory": f'{_BY} (container_memory_working_set_bytes{{job="cgroup"}})',
    "container_limit": f'{_BY} (container_spec_memory_limit_bytes{{job="cgroup"}}) > 0',
    "container_throttled": (
        f'{_BY} (rate(container_cpu_cfs_throttled_periods_total{{job="cgroup"}}[5m]))'
        f' / {_BY} (rate(container_cpu_cfs_periods_total{{job="cgroup"}}[5m]))'
    ),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One result: its labels, and its values oldest first (one for an instant query)."""

    labels: Mapping[str, str]
    values: tuple[float, ...]


def instant_url(base: str, query: str) -> str:
    """The address that answers `query` as of now."""
    return f"{base}/api/v1/query?{urlencode({'query': query, 'timeout': '3s'})}"


def range_url(base: str, query: str, now: float) -> str:
    """Aligned to the step, so that a refresh moves the line on rather than redrawing it."""
    end = now - now % STEP
    asked = {"query": query, "start": end - HISTORY, "end": end, "step": STEP, "timeout": "3s"}
    return f"{base}/api/v1/query_range?{urlencode(asked)}"


def read_result(content: Any) -> list[Series]:
    """The series of an answer; values that are no numbers (NaN, Inf) are left out.

    Raises ValueError when the answer is no Prometheus answer.
    """
    try:
        rows = content["data"]["result"]
        return [Series(row["metric"], _values(row)) for row in rows]
    except (KeyError, TypeError) as error:
        raise ValueError("expected a Prometheus answer") from error


def _values(row: Mapping[str, Any]) -> tuple[float, ...]:
    pairs = row["values"] if "values" in row else [row["value"]]
    return tuple(value for _, text in pairs if math.isfinite(value := float(text)))
