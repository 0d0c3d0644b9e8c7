"""`fenghuo exporter`: flags to settings, and nothing else.

Flags have node_exporter's names where the thing is the same.
"""

from collections.abc import Callable
from typing import Any

import click

from exporters import catalog
from exporters.app import Settings, run
from exporters.host import Roots
from exporters.log import LEVELS, Log
from fenghuo.errors import ConfigError, Problem

SWITCHES = {name: entry.default for table in (catalog.NODE, catalog.CGROUP) for name, entry in table.items()}
"""Each collector, and whether it runs without being asked for."""


def _collector_flags(function: Callable[..., None]) -> Callable[..., None]:
    """One `--collector.NAME/--no-collector.NAME` for each line of the catalog."""
    for name in reversed(SWITCHES):
        state = "on" if SWITCHES[name] else "off"
        flag = click.option(
            f"--collector.{name}/--no-collector.{name}",
            _parameter(name),
            default=None,
            help=f"The collector {name}, by default {state}.",
        )
        function = flag(function)
    return function


def _parameter(name: str) -> str:
    return f"collector_{name.replace('.', '_')}"


@click.command("exporter", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--collect", default=",".join(catalog.GROUPS), show_default=True, help="What to publish: node, cgroup, or both."
)
@click.option("--web.listen-address", "address", default="127.0.0.1:9100", show_default=True, help="HOST:PORT.")
@click.option("--web.telemetry-path", "telemetry_path", default="/metrics", show_default=True)
@click.option("--path.procfs", "procfs", default="/proc", show_default=True, help="Where the host's /proc is.")
@click.option("--path.sysfs", "sysfs", default="/sys", show_default=True, help="Where the host's /sys is.")
@click.option("--path.rootfs", "rootfs", default="/", show_default=True, help="Where the host's / is.")
@click.option("--path.cgroupfs", "cgroupfs", default="/sys/fs/cgroup", show_default=True)
@click.option("--path.udev.data", "udev", default="/run/udev/data", show_default=True)
@click.option("--log.level", "level", type=click.Choice(LEVELS), default="info", show_default=True)
@click.option("--log.format", "style", type=click.Choice(["logfmt", "json"]), default="logfmt", show_default=True)
@_collector_flags
def command(**flags: Any) -> None:
    """Serve node and cgroup metrics of this machine to a scraper."""
    settings = Settings(
        groups=_groups(flags["collect"]),
        listen_address=flags["address"],
        telemetry_path=_telemetry_path(flags["telemetry_path"]),
        roots=Roots(*(flags[name] for name in ("procfs", "sysfs", "rootfs", "cgroupfs", "udev"))),
        collectors={name: flags[_parameter(name)] for name in SWITCHES if flags[_parameter(name)] is not None},
    )
    run(settings, Log(flags["level"], flags["style"]))


def _groups(text: str) -> tuple[str, ...]:
    groups = tuple(part.strip() for part in text.split(","))
    problems = [
        Problem("--collect", f"expected one of {', '.join(catalog.GROUPS)}", group)
        for group in groups
        if group not in catalog.GROUPS
    ]
    if problems:
        raise ConfigError("command line", problems)
    return groups


def _telemetry_path(path: str) -> str:
    if not path.startswith("/") or path == "/":
        raise ConfigError("command line", [Problem("--web.telemetry-path", "expected a path such as /metrics", path)])
    return path
