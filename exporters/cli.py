"""`fenghuo exporter`: flags to settings, and nothing else.

Flags have node_exporter's names where the thing is the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from exporters import catalog
from exporters.app import Settings, run
from exporters.host import Roots
from exporters.log import LEVELS, Log
from exporters.options import Flag, Pattern, flags_of
from fenghuo.errors import ConfigError, Problem

SWITCHES = {name: entry.default for table in (catalog.NODE, catalog.CGROUP) for name, entry in table.items()}
"""Each collector, and whether it runs without being asked for."""

OPTIONS = {name: entry.options for name, entry in catalog.NODE.items() if entry.options is not None}


def regexp(text: str) -> Pattern:
    """A regular expression, as Python writes them."""
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"expected a regular expression, got {text!r}: {error}") from error


TYPES: Mapping[object, type] = {str: str, int: int, float: float, tuple[str, ...]: str}
"""Kinds of values other than regular expressions and switches."""


def _collector_flags(function: Callable[..., None]) -> Callable[..., None]:
    """`--collector.NAME/--no-collector.NAME` for each line of the catalog, and the flags of its options."""
    for name in reversed(SWITCHES):
        for flag in reversed(list(flags_of(name, OPTIONS[name])) if name in OPTIONS else []):
            function = _option_flag(name, flag)(function)
        state = "on" if SWITCHES[name] else "off"
        switch = click.option(
            f"--collector.{name}/--no-collector.{name}",
            _parameter(name),
            default=None,
            help=f"The collector {name}, by default {state}.",
        )
        function = switch(function)
    return function


def _option_flag(collector: str, flag: Flag) -> Callable[[Callable[..., None]], Callable[..., None]]:
    parameter = _parameter(f"{collector}.{flag.field}")
    if flag.kind is bool:
        state = "on" if flag.default else "off"
        return click.option(
            f"--{flag.name}/--no-{flag.name}", parameter, default=None, help=f"{flag.help} By default {state}."
        )
    default = flag.default.pattern if isinstance(flag.default, re.Pattern) else flag.default
    return click.option(
        f"--{flag.name}",
        parameter,
        type=TYPES.get(flag.kind, regexp),
        default=None,
        multiple=flag.kind == tuple[str, ...],
        help=f"{flag.help} By default {default}." if default else flag.help,
    )


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
@click.option("--collector.disable-defaults", "disable_defaults", is_flag=True, help="Run only collectors asked for.")
@_collector_flags
def command(**flags: Any) -> None:
    """Serve node and cgroup metrics of this machine to a scraper."""
    settings = Settings(
        groups=_groups(flags["collect"]),
        listen_address=flags["address"],
        telemetry_path=_telemetry_path(flags["telemetry_path"]),
        roots=Roots(*(flags[name] for name in ("procfs", "sysfs", "rootfs", "cgroupfs", "udev"))),
        collectors=_switches(flags),
        options=dict(_options(flags)),
    )
    run(settings, Log(flags["level"], flags["style"]))


def _switches(flags: Mapping[str, Any]) -> dict[str, bool]:
    """The collectors that are switched on or off against their default."""
    given = {name: flags[_parameter(name)] for name in SWITCHES if flags[_parameter(name)] is not None}
    return {**dict.fromkeys(SWITCHES, False), **given} if flags["disable_defaults"] else given


def _options(flags: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The options of each collector of which at least one was set. Raises ConfigError naming all wrong ones."""
    problems: list[Problem] = []
    for name, options in OPTIONS.items():
        given = {flag.field: flags[_parameter(f"{name}.{flag.field}")] for flag in flags_of(name, options)}
        chosen = {field: value for field, value in given.items() if value is not None and value != ()}
        try:
            if chosen:
                yield name, options(**chosen)
        except ValueError as error:
            problems.append(Problem(f"--collector.{name}", str(error)))
    if problems:
        raise ConfigError("command line", problems)


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
