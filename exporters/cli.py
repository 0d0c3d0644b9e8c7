"""`fenghuo exporter`: flags to settings, and nothing else.

Flags have node_exporter's names where the thing is the same, and a command line that starts node_exporter starts
this program: what has no meaning here is accepted, what can't be done is refused by name.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from exporters import catalog
from exporters.app import Settings, run
from exporters.cgroups.tree.choice import Choice
from exporters.host import Roots
from exporters.log import Log
from exporters.options import Flag, Pattern, flags_of
from fenghuo import __version__
from fenghuo.errors import ConfigError, Problem

SWITCHES = {name: entry.default for table in (catalog.NODE, catalog.CGROUP) for name, entry in table.items()}
"""Each collector, and whether it runs without being asked for."""

OPTIONS = {
    name: entry.options
    for table in (catalog.NODE, catalog.CGROUP)
    for name, entry in table.items()
    if entry.options is not None
}

DEFAULTS = Settings()
OptionsT = TypeVar("OptionsT")


def regexp(text: str) -> Pattern:
    """A regular expression, as Python writes them."""
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"expected a regular expression, got {text!r}: {error}") from error


TYPES: Mapping[object, type] = {str: str, int: int, float: float, tuple[str, ...]: str}
"""Kinds of values other than regular expressions and switches."""


LEVELS = {"debug": "debug", "info": "info", "warn": "warning", "warning": "warning", "error": "error"}
"""What `--log.level` takes; node_exporter says warn."""


RENAMED = {
    "--collector.diskstats.ignored-devices": "--collector.diskstats.device-exclude",
    "--collector.filesystem.ignored-fs-types": "--collector.filesystem.fs-types-exclude",
    "--collector.filesystem.ignored-mount-points": "--collector.filesystem.mount-points-exclude",
    "--collector.netdev.device-blacklist": "--collector.netdev.device-exclude",
    "--collector.netdev.device-whitelist": "--collector.netdev.device-include",
    "--collector.qdisk.device-exclude": "--collector.qdisc.device-exclude",
    "--collector.qdisk.device-include": "--collector.qdisc.device-include",
    "--collector.systemd.unit-blacklist": "--collector.systemd.unit-exclude",
    "--collector.systemd.unit-whitelist": "--collector.systemd.unit-include",
}
"""Names that flags had once, which node_exporter still takes without showing them."""


class _Command(click.Command):
    """Takes the old names of flags as well."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = [argument.partition("=") for argument in args]
        ctx.meta["renamed"] = [name for name, _, _ in named if name in RENAMED]
        return super().parse_args(ctx, [f"{RENAMED.get(name, name)}{sign}{value}" for name, sign, value in named])


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
    for name in sorted(catalog.NOT_BUILT):
        flag = f"--collector.{name}/--no-collector.{name}"
        function = click.option(flag, _parameter(name), default=None, hidden=True)(function)
    return function


def _cgroup_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Which cgroups, labels, families: what goes for all collectors of cgroups."""
    kinds = ", ".join(catalog.METRICS)
    for name, help in (
        ("metrics", f"Kinds of container metrics to publish as well, separated by commas: {kinds}."),
        ("disable_metrics", "Kinds of container metrics not to publish, by the same names."),
    ):
        function = click.option(f"--{name}", name, default="", help=help)(function)
    for flag in reversed(list(flags_of("cgroup", Choice))):
        function = _option_flag("cgroup", flag)(function)
    return function


def _option_flag(collector: str, flag: Flag) -> Callable[[Callable[..., None]], Callable[..., None]]:
    parameter = _parameter(f"{collector}.{flag.field}")
    if flag.kind is bool:
        state = "on" if flag.default else "off"
        return click.option(
            f"--{flag.name}/--no-{flag.name}", parameter, default=None, help=f"{flag.help} By default {state}."
        )
    default = flag.default.pattern if isinstance(flag.default, re.Pattern) else flag.default
    if isinstance(default, tuple):
        default = ", ".join(default)
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


def _print_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"fenghuo exporter, version {__version__}")
        click.echo(f"  python version:   {sys.version.partition(' ')[0]}")
        click.echo(f"  platform:         {sys.platform}/{os.uname().machine}")
        context.exit()


def _web_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Where and how it is reached."""
    flags = (
        click.option(
            *("--web.listen-address", "addresses"),
            multiple=True,
            default=DEFAULTS.listen_addresses,
            show_default=True,
            help="HOST:PORT, repeatable; :PORT is all interfaces.",
        ),
        click.option(
            *("--web.systemd-socket/--no-web.systemd-socket", "systemd_socket"),
            help="Listen on the sockets that systemd hands over instead.",
        ),
        click.option(
            *("--web.config.file", "web_config"),
            default="",
            help="A YAML file with TLS and users, in the form of the Prometheus exporters. Needs fenghuo[web].",
        ),
        click.option("--web.telemetry-path", "telemetry_path", default=DEFAULTS.telemetry_path, show_default=True),
        click.option(
            *("--web.max-requests", "most_scrapes"),
            type=click.IntRange(min=0),
            default=DEFAULTS.most_scrapes,
            show_default=True,
            help="Scrapes that are answered at once; more get 503. 0 is no limit.",
        ),
        click.option(
            *("--web.disable-exporter-metrics/--no-web.disable-exporter-metrics", "without_own"),
            help="Leave out the metrics of the exporter's own process.",
        ),
    )
    for flag in reversed(flags):
        function = flag(function)
    return function


@click.command("exporter", cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--collect", default=",".join(catalog.GROUPS), show_default=True, help="What to publish: node, cgroup, or both."
)
@_web_flags
@click.option("--path.procfs", "procfs", default="/proc", show_default=True, help="Where the host's /proc is.")
@click.option("--path.sysfs", "sysfs", default="/sys", show_default=True, help="Where the host's /sys is.")
@click.option("--path.rootfs", "rootfs", default="/", show_default=True, help="Where the host's / is.")
@click.option(
    "--path.cgroupfs", "cgroupfs", default="/sys/fs/cgroup", show_default=True, help="Where the host's cgroups are."
)
@click.option("--path.udev.data", "udev", default="/run/udev/data", show_default=True)
@click.option("--log.level", "level", type=click.Choice(list(LEVELS)), default="info", show_default=True)
@click.option("--log.format", "style", type=click.Choice(["logfmt", "json"]), default="logfmt", show_default=True)
@click.option("--runtime.gomaxprocs", "processors", type=int, hidden=True)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
@click.option(
    "--collector.disable-defaults/--no-collector.disable-defaults",
    "disable_defaults",
    help="Run only collectors asked for.",
)
@_cgroup_flags
@_collector_flags
def command(**flags: Any) -> None:
    """Serve node and cgroup metrics of this machine to a scraper."""
    log = Log(LEVELS[flags["level"]], flags["style"])
    if flags["processors"] is not None:
        log.debug("no effect: there is no Go here", flag="--runtime.gomaxprocs")
    for name in click.get_current_context().meta["renamed"]:
        log.warning("the flag has another name now", flag=name, name=RENAMED[name])
    run(settings_of(flags), log)


def settings_of(flags: Mapping[str, Any]) -> Settings:
    """What the flags ask for. Raises ConfigError naming all that are wrong."""
    problems = [*_wrong_groups(flags), *_wrong_path(flags), *_not_built(flags), *_wrong_metrics(flags)]
    options = dict(_options(flags, problems))
    choice = _made("cgroup", Choice, flags, problems)
    if problems:
        raise ConfigError("command line", problems)
    return Settings(
        groups=_groups(flags),
        listen_addresses=flags["addresses"],
        systemd_socket=flags["systemd_socket"],
        web_config=flags["web_config"],
        telemetry_path=flags["telemetry_path"],
        most_scrapes=flags["most_scrapes"],
        own_metrics=not flags["without_own"],
        roots=Roots(*(flags[name] for name in ("procfs", "sysfs", "rootfs", "cgroupfs", "udev"))),
        collectors=_switches(flags),
        options=options,
        choice=choice if choice is not None else Choice(),
    )


def _switches(flags: Mapping[str, Any]) -> dict[str, bool]:
    """The collectors that are switched on or off against their default; a collector's own flag comes last."""
    asked = [(kind, on) for flag, on in _METRICS_FLAGS for kind in _listed(flags[flag])]
    kinds = {name: on for kind, on in asked for name in catalog.METRICS.get(kind, ())}
    given = {name: flags[_parameter(name)] for name in SWITCHES if flags[_parameter(name)] is not None}
    return {**(dict.fromkeys(SWITCHES, False) if flags["disable_defaults"] else {}), **kinds, **given}


_METRICS_FLAGS = (("metrics", True), ("disable_metrics", False))


def _wrong_metrics(flags: Mapping[str, Any]) -> Iterator[Problem]:
    for flag, on in _METRICS_FLAGS:
        for kind in _listed(flags[flag]):
            if kind not in catalog.METRICS and (on or kind not in catalog.NEVER_PUBLISHED):
                yield Problem(f"--{flag}", f"expected one of {', '.join(catalog.METRICS)}", kind)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _options(flags: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, object]]:
    """The options of each collector of which at least one was set; wrong ones are added to `problems`."""
    for name, options in OPTIONS.items():
        made: object | None = _made(name, options, flags, problems)
        if made is not None:
            yield name, made


def _made(name: str, options: type[OptionsT], flags: Mapping[str, Any], problems: list[Problem]) -> OptionsT | None:
    """The options of which at least one was set; None when there is none, or a wrong one, which is a problem."""
    given = {flag.field: flags[_parameter(f"{name}.{flag.field}")] for flag in flags_of(name, options)}
    chosen = {field: value for field, value in given.items() if value is not None and value != ()}
    try:
        return options(**chosen) if chosen else None
    except ValueError as error:
        problems.append(Problem(f"--collector.{name}" if name in OPTIONS else "", str(error)))
        return None


def _not_built(flags: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(catalog.NOT_BUILT):
        if flags[_parameter(name)]:
            yield Problem(f"--collector.{name}", "expected a collector of this program, which has none of this name")


def _groups(flags: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(part.strip() for part in flags["collect"].split(","))


def _wrong_groups(flags: Mapping[str, Any]) -> Iterator[Problem]:
    for group in _groups(flags):
        if group not in catalog.GROUPS:
            yield Problem("--collect", f"expected one of {', '.join(catalog.GROUPS)}", group)


def _wrong_path(flags: Mapping[str, Any]) -> Iterator[Problem]:
    if not flags["telemetry_path"].startswith("/"):
        yield Problem("--web.telemetry-path", "expected a path such as /metrics", flags["telemetry_path"])
