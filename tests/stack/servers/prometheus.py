"""Prometheus, and promtool beside it: Debian's package `prometheus`."""

from collections.abc import Sequence
from pathlib import Path

from tests.stack.servers.over_http import ConfiguredServer, PromqlServer
from tests.stack.servers.programs import find_program


class Prometheus(ConfiguredServer, PromqlServer):
    """A Prometheus at `url`, which scrapes nothing until it is given a configuration, and takes remote writes."""

    name = "prometheus"
    ready_path = "/-/ready"
    default_config = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"

    @property
    def promtool(self) -> Path:
        """The checker of configurations and rules. Raises StartError when it is not installed."""
        return find_program("promtool")

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("prometheus"),
            f"--config.file={self.config_file}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--web.enable-lifecycle",
            "--web.enable-remote-write-receiver",
        ]
