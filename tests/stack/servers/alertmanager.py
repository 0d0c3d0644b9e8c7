"""Alertmanager, and amtool beside it: Debian's package `prometheus-alertmanager`."""

from collections.abc import Sequence
from pathlib import Path

from tests.stack.servers.over_http import ConfiguredServer
from tests.stack.servers.programs import find_program


class Alertmanager(ConfiguredServer):
    """An Alertmanager of one at `url`; until it is given a configuration it tells nobody.

    It writes silences and its notification log down at an orderly stop and every 15 minutes: `kill` loses
    what is younger.
    """

    name = "alertmanager"
    ready_path = "/-/ready"
    default_config = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"

    @property
    def amtool(self) -> Path:
        """The checker of configurations. Raises StartError when it is not installed."""
        return find_program("amtool")

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("prometheus-alertmanager", "alertmanager"),  # Debian's name, and everybody else's
            f"--config.file={self.config_file}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",  # no cluster, no second port
        ]
