"""`fenghuo alerting`: run the engine, check its files, list its rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from alerting.config import Flags, load_setup
from alerting.rules.rule import AlertingRule, Group
from fenghuo.durations import format_duration
from fenghuo.lifecycle import Lifecycle, run
from fenghuo.logs import FORMATS, LEVELS, set_up_logs

_CONFIG = click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The configuration file (YAML).",
)
_RULES = click.option(
    "--rules", multiple=True, metavar="GLOB", help="Rule files besides those of the configuration; may be repeated."
)


def _run_options(function: Callable[..., None]) -> Callable[..., None]:
    options = (
        _CONFIG,
        _RULES,
        click.option("--storage.path", "storage_path", default="", metavar="DIR", help="The folder of the state."),
        click.option(
            "--web.listen-address", "listen_address", default="", metavar="HOST:PORT", help="Where to listen."
        ),
        click.option("--web.external-url", "external_url", default="", metavar="URL", help="Where people reach us."),
        click.option("--log.level", "level", type=click.Choice(LEVELS), default="info", show_default=True),
        click.option("--log.format", "style", type=click.Choice(FORMATS), default="logfmt", show_default=True),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group("alerting", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Evaluate rules, route and deliver alerts."""


@command.command("run")
@_run_options
def run_(level: str, style: Any, **given: Any) -> None:
    """Run the alert engine in the foreground; SIGHUP reads the configuration again."""
    from alerting.app import serve  # the web server is not needed to check a file

    set_up_logs(level, style)
    flags = Flags(**given)

    async def main(life: Lifecycle) -> None:
        await serve(life, flags)

    run("alerting", main)


@command.command()
@_CONFIG
@_RULES
def check(config_file: Path, rules: tuple[str, ...]) -> None:
    """Read the configuration and all rule files; print every mistake with its file and line."""
    setup = load_setup(Flags(config_file, rules))
    count = sum(len(group.rules) for group in setup.groups)
    click.echo(
        f"{config_file}: good: {len(setup.config.receivers)} receivers, {len(setup.config.sources)} sources, "
        f"{len(setup.groups)} groups with {count} rules"
    )
    if setup.recording_rules:
        click.echo(f"note: {setup.recording_rules} recording rules are shown and left to the metrics store to evaluate")


@command.command("rules")
@_CONFIG
@_RULES
def rules_(config_file: Path, rules: tuple[str, ...]) -> None:
    """List the rules that are loaded, with their group, interval and `for`."""
    for group in load_setup(Flags(config_file, rules)).groups:
        click.echo(f"{group.file}: {group.name} (every {format_duration(group.interval)})")
        for line in _lines(group):
            click.echo(f"  {line}")


def _lines(group: Group) -> list[str]:
    return [
        f"alert   {rule.name}, for {format_duration(rule.hold)}"
        if isinstance(rule, AlertingRule)
        else f"record  {rule.name} (not evaluated)"
        for rule in group.rules
    ]
