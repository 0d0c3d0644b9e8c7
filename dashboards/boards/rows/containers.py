"""Containers: what they use, what their limits do to them."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, graph, share
from dashboards.queries import containers

_NAME = "{{title}}"


def usage_and_limits() -> Row:
    """Use above, the effect of limits below."""
    cpu = graph(
        "Container CPU", "Processors in use. The fifteen largest.", "suffix:cores", Query(containers.CPU, _NAME)
    )
    memory = graph(
        "Container memory",
        "Working set: what counts towards the limit and can't be given back at once. The fifteen largest.",
        "bytes",
        Query(containers.MEMORY, _NAME),
    )
    of_limit = share(
        "Container memory of its limit",
        "At 100 % the kernel kills. A container without a limit has no line.",
        Query(containers.MEMORY_OF_LIMIT, _NAME),
    )
    throttled = share(
        "Container CPU throttled",
        "Share of scheduling periods that the CPU limit cut short: felt as latency.",
        Query(containers.THROTTLED, _NAME),
    )
    kills = graph(
        "Out-of-memory kills",
        "By pod, whose count stays when the killed container's goes. Outside of pods by container.",
        "none",
        Query(containers.OOM_KILLS_OF_PODS, "{{namespace}}/{{pod}}"),
        Query(containers.OOM_KILLS_WITHOUT_POD, "{{name}}"),
    )
    wide = [Cell(cpu, width=12), Cell(memory, width=12)]
    return Row("Containers", [*wide, Cell(of_limit), Cell(throttled), Cell(kills)])
