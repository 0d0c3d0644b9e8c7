"""What to run, decided before anything is started: from options, paths and ports to parts and files. Pure."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from fenghuo.up import configs
from fenghuo.up.ports import LOOPBACK
from fenghuo.up.state import StateFolder

CONTAINER_LOGS = "/var/log/containers/*.log"
RETENTION = ("--storage.tsdb.retention.time=7d", "--storage.tsdb.retention.size=1GB")


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One part. `url` is its base; an empty `command` means that somebody else runs it."""

    name: str
    title: str
    url: str
    command: tuple[str, ...] = ()
    ready_path: str = "/-/ready"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. `prometheus_url` and `prometheus` (a binary) exclude one another."""

    demo: bool = False
    log_globs: tuple[str, ...] = ()
    prometheus_url: str = ""
    prometheus: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the plan depends on of this machine: whether it has a folder of container logs, and the path of the
    rules that the alert engine ships for a first start.
    """

    has_container_logs: bool
    starter_rules: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Parts in the order of their start, and the files that must stand before: path to text."""

    parts: tuple[PartSpec, ...]
    files: Mapping[Path, str]
    log_paths: tuple[str, ...]
    pace: configs.Pace = field(default=configs.CALM)

    def url(self, name: str) -> str:
        """The base URL of a part."""
        return next(part.url for part in self.parts if part.name == name)


def make_plan(options: Options, folder: StateFolder, ports: Mapping[str, int], machine: Machine) -> Plan:
    """The whole plan."""
    pace = configs.DEMO if options.demo else configs.CALM
    targets = {name: f"{LOOPBACK}:{port}" for name, port in ports.items()}
    if not options.demo:
        targets.pop("demo", None)
    log_paths = log_paths_of(options, folder, machine.has_container_logs)
    parts = [_exporter("node", targets["node"]), _exporter("cgroup", targets["cgroup"])]
    parts.append(_logs(folder, targets["logs"]))
    parts.append(_prometheus(options, folder, targets["prometheus"]))
    parts.append(_alerting(folder, targets["alerting"]))
    if options.demo:
        parts.append(_demo(folder, targets["demo"]))
    files = {
        **_prometheus_files(options, folder, targets, pace),
        folder.config / "alerting.yml": _alerting_text(options, folder, targets, machine.starter_rules),
        folder.config / "logs.yml": configs.logs_yml(log_paths, folder.logs, targets["logs"]),
    }
    return Plan(tuple(parts), files, log_paths, pace)


def log_paths_of(options: Options, folder: StateFolder, host_logs: bool) -> tuple[str, ...]:
    """The globs that the log pipeline reads: this machine's containers, the user's, the demo's."""
    usual = (CONTAINER_LOGS,) if host_logs or not (options.log_globs or options.demo) else ()
    demo = (below(folder.demo, "*.log"),) if options.demo else ()
    return tuple(dict.fromkeys((*usual, *options.log_globs, *demo)))


def below(folder: Path, pattern: str) -> str:
    """A glob below a folder whose own name is taken as it is, whatever is in it."""
    return str(Path(escape(str(folder))) / pattern)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """A command of ours. `-P` keeps the working folder off the import path: it may hold an `alerting/`."""
    return (sys.executable, "-P", "-m", module, *arguments)


def _exporter(kind: str, address: str) -> PartSpec:
    """A node or a cgroup exporter."""
    command = python("exporters", f"--collect={kind}", f"--web.listen-address={address}")
    return PartSpec(kind, f"{kind} exporter", f"http://{address}", command)


def _logs(folder: StateFolder, address: str) -> PartSpec:
    command = python("log_pipeline", "run", f"--config.file={folder.config / 'logs.yml'}")
    return PartSpec("logs", "log pipeline", f"http://{address}", command)


def _prometheus(options: Options, folder: StateFolder, address: str) -> PartSpec:
    if options.prometheus_url:
        return PartSpec("prometheus", "Prometheus (yours)", options.prometheus_url.rstrip("/"))
    command = (
        options.prometheus or "prometheus",
        f"--config.file={folder.config / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder.prometheus}",
        *RETENTION,
        f"--web.listen-address={address}",
    )
    return PartSpec("prometheus", "Prometheus", f"http://{address}", command)


def _alerting(folder: StateFolder, address: str) -> PartSpec:
    command = python("alerting", "run", f"--config.file={folder.config / 'alerting.yml'}")
    return PartSpec("alerting", "alert engine", f"http://{address}", command)


def _demo(folder: StateFolder, address: str) -> PartSpec:
    command = python("fenghuo.up.demo", f"--folder={folder.demo}", f"--web.listen-address={address}")
    return PartSpec("demo", "demo traffic", f"http://{address}", command)


def _prometheus_files(
    options: Options, folder: StateFolder, targets: Mapping[str, str], pace: configs.Pace
) -> dict[Path, str]:
    if options.prometheus_url:
        return {folder.config / "scrape-snippet.yml": configs.scrape_snippet(targets, pace)}
    return {folder.config / "prometheus.yml": configs.prometheus_yml(targets, pace)}


def _alerting_text(options: Options, folder: StateFolder, targets: Mapping[str, str], starter: Path) -> str:
    pace = configs.DEMO if options.demo else configs.CALM
    url = options.prometheus_url or f"http://{targets['prometheus']}"
    rule_files = (escape(str(starter)), below(folder.rules, "*.yml"))
    return configs.alerting_yml(url, targets["alerting"], rule_files, folder.alerting, pace)
