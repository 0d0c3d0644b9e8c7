"""Container metrics, by cAdvisor's names."""

from dashboards.queries.scope import CONTAINER, ON_HOST, RANGE

BY_CONTAINER = "by (namespace, pod, container)"

COUNT = f"count(count {BY_CONTAINER} (container_memory_working_set_bytes{{{CONTAINER}}}))"

CPU = f"topk(15, sum {BY_CONTAINER} (rate(container_cpu_usage_seconds_total{{{CONTAINER}}}{RANGE})))"

MEMORY = f"topk(15, sum {BY_CONTAINER} (container_memory_working_set_bytes{{{CONTAINER}}}))"
# No limit is 0 in cAdvisor's language; such containers have no share.
MEMORY_OF_LIMIT = (
    f"topk(15, sum {BY_CONTAINER} (container_memory_working_set_bytes{{{CONTAINER}}})"
    f" / sum {BY_CONTAINER} (container_spec_memory_limit_bytes{{{CONTAINER}}} > 0))"
)

THROTTLED = (
    f"topk(15, sum {BY_CONTAINER} (rate(container_cpu_cfs_throttled_periods_total{{{CONTAINER}}}{RANGE}))"
    f" / sum {BY_CONTAINER} (rate(container_cpu_cfs_periods_total{{{CONTAINER}}}{RANGE})))"
)

# The pod's own counter outlives the container that was killed.
_POD = f'job="cgroup",{ON_HOST},namespace=~"$namespace",pod=~"$pod",pod!=""'
OOM_KILLS = f"max by (namespace, pod) (increase(container_oom_events_total{{{_POD}}}{RANGE}))"
