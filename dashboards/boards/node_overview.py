"""Host and containers: is the machine well, what runs on it, who was told, did every log line arrive."""

from dashboards.boards.rows import alerting, containers, glance, host, logs
from dashboards.grafana.board import Board
from dashboards.grafana.variables import datasource, label
from dashboards.queries.scope import ON_HOST

_WITHOUT_PORT = "/^(.+?)(?::[0-9]+)?$/"
_OF_HOST = f'container_memory_working_set_bytes{{job="cgroup",{ON_HOST}}}'
_OF_NAMESPACE = f'container_memory_working_set_bytes{{job="cgroup",{ON_HOST},namespace=~"$namespace"}}'


def build() -> Board:
    """The board; read it from the top."""
    return Board(
        uid="fenghuo-node-overview",
        title="fenghuo / Host and containers",
        description="A machine and everything on it: host, containers, alert engine, log pipeline.",
        tags=("host", "containers"),
        variables=(
            datasource(),
            label("instance", "Host", 'up{job=~"node|cgroup"}', regex=_WITHOUT_PORT),
            label("namespace", "Namespace", _OF_HOST),
            label("pod", "Pod", _OF_NAMESPACE),
        ),
        rows=(
            glance.at_a_glance(),
            host.cpu(),
            host.memory(),
            host.disk(),
            host.network(),
            containers.usage_and_limits(),
            alerting.evaluation(),
            alerting.notification(),
            logs.lines(),
            logs.pipeline(),
        ),
    )
