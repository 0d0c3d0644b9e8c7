"""The texts of the generated configuration files, as pure functions of what they depend on.

They speak the public formats of the children: Prometheus' own, and the configuration files of
`fenghuo alerting` and `fenghuo logs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HEADER = "# Written by `fenghuo up` at each start; changes are lost.\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things happen. Seconds as Prometheus durations."""

    scrape: str = "15s"
    evaluation: str = "15s"
    group_wait: str = "5s"
    group_interval: str = "1m"
    repeat_interval: str = "4h"


CALM = Pace()
DEMO = Pace(scrape="5s", evaluation="5s", group_wait="1s", group_interval="5s")
"""Fast enough that a newcomer sees a message arrive and be resolved within two minutes."""


def scrape_jobs(targets: Mapping[str, str], pace: Pace) -> list[dict[str, Any]]:
    """Prometheus' scrape jobs for the parts: `targets` is part name to `host:port`."""
    own = [{"targets": [target], "labels": {"part": name}} for name, target in targets.items() if name in _OWN]
    common = {"scrape_interval": pace.scrape, "scrape_timeout": "5s"}
    return [
        {"job_name": "node", **common, "static_configs": [{"targets": [targets["node"]]}]},
        # honor_labels: the exporter's labels namespace, pod and container win over the target's
        {"job_name": "cgroup", **common, "honor_labels": True, "static_configs": [{"targets": [targets["cgroup"]]}]},
        {"job_name": "fenghuo", **common, "static_configs": own},
    ]


_OWN = ("alerting", "logs", "page", "demo")


def prometheus_yml(targets: Mapping[str, str], pace: Pace) -> str:
    """The configuration of the Prometheus child."""
    return _yaml({"global": {"scrape_interval": pace.scrape}, "scrape_configs": scrape_jobs(targets, pace)})


def scrape_snippet(targets: Mapping[str, str], pace: Pace) -> str:
    """What to add to the configuration of a Prometheus that somebody else runs."""
    text = "# Add this to the configuration of your Prometheus and reload it.\n"
    return text + yaml.safe_dump({"scrape_configs": scrape_jobs(targets, pace)}, sort_keys=False)


def alerting_yml(url: str, address: str, rule_files: Sequence[str], storage: Path, pace: Pace) -> str:
    """The configuration of the alert engine: rules over the Prometheus at `url`, one route to the console."""
    route = {
        "receiver": "console",
        "group_by": ["alertname", "namespace"],
        "group_wait": pace.group_wait,
        "group_interval": pace.group_interval,
        "repeat_interval": pace.repeat_interval,
    }
    return _yaml(
        {
            "sources": [{"name": "prometheus", "type": "prometheus", "url": url}],
            "rule_files": list(rule_files),
            "evaluation_interval": pace.evaluation,
            "external_url": f"http://{address}",
            "storage": {"path": str(storage)},
            "web": {"listen_address": address},
            "route": route,
            "receivers": [{"name": "console", "console_configs": [{}]}],
        }
    )


def logs_yml(paths: Sequence[str], folder: Path, address: str) -> str:
    """The configuration of the log pipeline: files in, SQLite out."""
    return _yaml(
        {
            "source": {"type": "files", "paths": list(paths)},
            "sink": {"type": "sqlite", "path": str(folder / "logs.sqlite")},
            "dead_letters": {"path": str(folder / "dead-letters.ndjson")},
            "state": {"path": str(folder)},
            "web": {"listen_address": address},
        }
    )


def _yaml(content: Mapping[str, Any]) -> str:
    return HEADER + yaml.safe_dump(dict(content), sort_keys=False)
