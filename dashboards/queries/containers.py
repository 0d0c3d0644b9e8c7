"""Container metrics, by cAdvisor's names. `title` is `namespace/pod/container`, or the name that Docker knows."""

from dashboards.queries.scope import CONTAINER, IN_POD, ON_HOST, RANGE


def _by_container(expr: str) -> str:
    """Sum by container. In a pod `name` is an id that changes with every restart, so it is left out there."""
    without_id = f'label_replace({expr}, "name", "", "pod", ".+")'
    return f"sum by (namespace, pod, container, name) ({without_id})"


def _largest(expr: str) -> str:
    """The largest, each with its title: what is empty leaves no slash behind, an id is cut to twelve digits."""
    joined = f'label_join({expr}, "title", "/", "namespace", "pod", "container", "name")'
    trimmed = f'label_replace({joined}, "title", "$1$2", "title", "/*([0-9a-f]{{12}})[0-9a-f]{{52}}|/*(.*?)/*")'
    return f"topk(15, {trimmed})"


_WORKING_SET = _by_container(f"container_memory_working_set_bytes{{{CONTAINER}}}")
# No limit is 0 in cAdvisor's language; such containers have no share.
_LIMIT = _by_container(f"container_spec_memory_limit_bytes{{{CONTAINER}}} > 0")
_PERIODS = _by_container(f"rate(container_cpu_cfs_periods_total{{{CONTAINER}}}{RANGE})")
_THROTTLED_PERIODS = _by_container(f"rate(container_cpu_cfs_throttled_periods_total{{{CONTAINER}}}{RANGE})")

# None is 0 only while the exporter answers.
COUNT = f'count({_WORKING_SET}) or 0 * count(up{{job="cgroup",{ON_HOST}}} == 1)'
CPU = _largest(_by_container(f"rate(container_cpu_usage_seconds_total{{{CONTAINER}}}{RANGE})"))
MEMORY = _largest(_WORKING_SET)
MEMORY_OF_LIMIT = _largest(f"{_WORKING_SET} / {_LIMIT}")
THROTTLED = _largest(f"{_THROTTLED_PERIODS} / {_PERIODS}")

# A pod's own counter outlives the container that was killed; without pods there is only the container's.
OOM_KILLS_OF_PODS = f'max by (namespace, pod) (increase(container_oom_events_total{{{IN_POD},pod!=""}}{RANGE}))'
OOM_KILLS_WITHOUT_POD = f'max by (name) (increase(container_oom_events_total{{{CONTAINER},pod=""}}{RANGE}))'
