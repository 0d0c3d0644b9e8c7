"""Container logs: the data view `logs-*`, all lines, and the lines worth reading first."""

from collections.abc import Sequence

from dashboards.kibana.objects import SavedObject, data_view, discover_session

VIEW = "fenghuo-logs"
COLUMNS = ("kubernetes.namespace", "kubernetes.pod.name", "kubernetes.container.name", "log.level", "message")


def build() -> Sequence[SavedObject]:
    """The objects in the order in which they refer to each other."""
    return (
        data_view(VIEW, "logs-*", "Container logs"),
        discover_session(
            "fenghuo-log-lines",
            "Container logs: all lines",
            "Every line that the log pipeline indexed, newest first, with its pod.",
            view=VIEW,
            columns=COLUMNS,
        ),
        discover_session(
            "fenghuo-log-errors",
            "Container logs: errors",
            "Lines at level error or fatal.",
            view=VIEW,
            columns=COLUMNS,
            query="log.level : (error or fatal)",
        ),
    )
