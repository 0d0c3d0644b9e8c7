"""The alert engine as a process of its own, for the tests of its telling half: a route, receivers, no rules."""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.stack.servers.over_http import HttpServer

ROUTE = {
    "receiver": "hook",
    "group_by": ["alertname"],
    "group_wait": "0s",
    "group_interval": "1s",
    "repeat_interval": "1h",
    "routes": [{"matchers": ['severity="info"'], "receiver": "console"}],
}


class TellingEngine(HttpServer):
    """`python -m alerting run` with one webhook and the console."""

    name = "alerting"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, webhook: str) -> None:
        super().__init__(folder)
        self._webhook = webhook

    def prepare(self) -> None:
        config = {
            "storage": {"path": "state"},
            "web": {"listen_address": self.address},
            "route": ROUTE,
            "receivers": [
                {"name": "hook", "webhook_configs": [{"url": self._webhook}]},
                {"name": "console", "console_configs": [{}]},
            ],
        }
        (self.folder / "alerting.yml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "alerting", "run", f"--config.file={self.folder / 'alerting.yml'}"]
