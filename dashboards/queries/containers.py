"""Container metrics, by cAdvisor's names. `title` is `namespace/pod/container`, or the name that Docker knows."""

from dashboards.queries.scope import CONTAINER, IN_POD, RANGE

_BY = "by (namespace, pod, container, name)"


def _titled(expr: str) -> str:
    """Join what names a container into one label; what is empty leaves no slash behind."""
    joined = f'label_join({expr}, "title", "/", "namespace", "pod", "container", "name")'
    return f'label_replace({joined}, "title", "$1", "title", "/*(.*?)/*")'


def _largest(expr: str) -> str:
    return f"topk(15, {_titled(expr)})"


_WORKING_SET = f"sum {_BY} (container_memory_working_set_bytes{{{CONTAINER}}})"
# No limit is 0 in cAdvisor's language; such containers have no share.
_LIMIT = f"sum {_BY} (container_spec_memory_limit_bytes{{{CONTAINER}}} > 0)"
_PERIODS = f"sum {_BY} (rate(container_cpu_cfs_periods_total{{{CONTAINER}}}{RANGE}))"
_THROTTLED_PERIODS = f"sum {_BY} (rate(container_cpu_cfs_throttled_periods_total{{{CONTAINER}}}{RANGE}))"

COUNT = f"count({_WORKING_SET})"
CPU = _largest(f"sum {_BY} (rate(container_cpu_usage_seconds_total{{{CONTAINER}}}{RANGE}))")
MEMORY = _largest(_WORKING_SET)
MEMORY_OF_LIMIT = _largest(f"{_WORKING_SET} / {_LIMIT}")
THROTTLED = _largest(f"{_THROTTLED_PERIODS} / {_PERIODS}")

# A pod's own counter outlives the container that was killed; without pods there is only the container's.
OOM_KILLS_OF_PODS = f'max by (namespace, pod) (increase(container_oom_events_total{{{IN_POD},pod!=""}}{RANGE}))'
OOM_KILLS_WITHOUT_POD = f'max by (name) (increase(container_oom_events_total{{{CONTAINER},pod=""}}{RANGE}))'
