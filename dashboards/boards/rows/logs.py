"""The log pipeline: what is written, what became of every line, how far behind."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, graph
from dashboards.queries import logs


def lines() -> Row:
    """What the containers say."""
    levels = graph(
        "Log lines by level",
        "Of all containers in the chosen namespaces, by the level that a line states.",
        "cps",
        Query(logs.LINES_BY_LEVEL, "{{level}}"),
        stacked=True,
    )
    errors = graph(
        "Error lines by namespace", "At level error or fatal.", "cps", Query(logs.ERROR_LINES, "{{namespace}}")
    )
    return Row("Log lines", [Cell(levels, width=12), Cell(errors, width=12)])


def pipeline() -> Row:
    """Whether every line that was read arrived."""
    outcomes = graph(
        "Log events by outcome",
        "Every event that was read has one outcome, or waits for it.",
        "eps",
        Query(logs.READ, "read"),
        Query(logs.OUTCOMES, "{{outcome}}"),
    )
    flight = graph(
        "Log events in flight",
        "Read and not settled yet. Lost: neither of the two, always 0.",
        "none",
        Query(logs.PENDING, "pending"),
        Query(logs.UNACCOUNTED, "lost"),
    )
    lag = graph("Log lag in files", "Written and not read yet.", "bytes", Query(logs.LAG_BYTES, "files"))
    kafka = graph("Log lag in Kafka", "Messages not read yet.", "none", Query(logs.LAG_MESSAGES, "Kafka"))
    retries = graph(
        "Log retries",
        "Events that the store was asked again to take, by reason.",
        "eps",
        Query(logs.RETRIES, "{{reason}}"),
    )
    behind = [Cell(panel, width=8) for panel in (lag, kafka, retries)]
    return Row("Log pipeline", [Cell(outcomes, width=12), Cell(flight, width=12), *behind])
