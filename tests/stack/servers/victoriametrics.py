"""VictoriaMetrics: Debian's package `victoria-metrics`. PromQL, remote write and Influx lines in one process."""

from collections.abc import Sequence
from pathlib import Path

from tests.stack.servers.over_http import PromqlServer
from tests.stack.servers.programs import find_program


class VictoriaMetrics(PromqlServer):
    """A single node at `url`. What was written is found by queries a second or two later: wait for it."""

    name = "victoriametrics"
    ready_path = "/health"

    def prepare(self) -> None:
        """It makes its folder itself."""

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("victoria-metrics", "victoria-metrics-prod"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={self.address}",
            "-retentionPeriod=100y",  # a test may write samples of any day
            "-search.latencyOffset=0s",  # answer with the newest samples too, which production holds back 30 s
        ]

    def persist(self) -> None:
        """Write all that queries find to disk, by way of a snapshot; `kill` loses the last seconds otherwise."""
        self.call("POST", "/snapshot/create")
