"""The one command `fenghuo`: its sub-commands are named here and imported only when they are called.

The kit may not import the products; a name in a table is not an import, and a node agent that has only
the exporters installed never pays for, or trips over, the rest.
"""

import importlib
import io
import sys
from typing import Any

import click

from fenghuo import __version__
from fenghuo.errors import FenghuoError

COMMANDS: dict[str, tuple[str, str, str]] = {
    "exporter": ("exporters.cli", "", "Serve node and cgroup metrics of this machine."),
    "alerting": ("alerting.cli", "alerting", "Evaluate rules, route and deliver alerts."),
    "logs": ("log_pipeline.cli", "logs", "Ship, search and account for container logs."),
    "dashboards": ("dashboards.cli", "dashboards", "Generate and check the Grafana boards."),
    "up": ("fenghuo.up.cli", "up", "Run the whole chain on this machine."),
}
"""Sub-command: the module that has `command`, the extra that it needs, one line of help."""


class _Lazy(click.Group):
    """A group that knows its commands' names and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, "version"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, extra, _ = COMMANDS[cmd_name]
        try:
            loaded: click.Command = importlib.import_module(module).command
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] == module.split(".")[0]:
                raise
            raise click.ClickException(
                f"`fenghuo {cmd_name}` needs the package {error.name!r}: pip install 'fenghuo[{extra}]'"
            ) from error
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [(name, text) for name, (_, _, text) in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*rows, ("version", "Print the version.")])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Fenghuo: see, judge, tell the right person, keep the evidence."""


@command.command()
def version() -> None:
    """Print the version."""
    click.echo(f"fenghuo {__version__}")


def main(arguments: list[str] | None = None) -> None:
    """The entry point of the console script."""
    run_command(command, arguments)


def run_command(entry: click.Command, arguments: list[str] | None = None, name: str = "fenghuo") -> None:
    """Run a click command the way every `__main__` of this product does.

    An expected error is printed as it is, without a traceback, and ends with exit code 1; a wrong usage
    with 2, as click does.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a message in Chinese must not end a command on a terminal that knows no Chinese
            stream.reconfigure(errors="backslashreplace")
    options: dict[str, Any] = {"prog_name": name}
    try:
        entry.main(args=arguments, **options)
    except FenghuoError as error:
        click.echo(f"{name}: {error}", err=True)
        sys.exit(1)
