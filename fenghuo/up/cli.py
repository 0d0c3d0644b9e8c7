"""The command `fenghuo up` and its `status` and `stop`."""

import asyncio
import json
import os
import signal
from pathlib import Path

import click

from fenghuo.clock import SystemClock
from fenghuo.httpcall import AiohttpCaller
from fenghuo.lifecycle import Lifecycle, run
from fenghuo.logs import set_up_logs
from fenghuo.up.app import Settings, up
from fenghuo.up.control import ask_status, stop
from fenghuo.up.plan import Options
from fenghuo.up.progress import PatientConsole
from fenghuo.up.state import StateFolder, default_folder
from fenghuo.up.status import StackStatus, exit_code, not_running, table

STATE_HELP = "Where everything is kept; default $XDG_STATE_HOME/fenghuo."
state_option = click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=STATE_HELP)


@click.group(invoke_without_command=True)
@state_option
@click.option("--demo", is_flag=True, help="Add three small pods and a load that makes a rule fire and resolve.")
@click.option("--logs", "log_globs", multiple=True, metavar="GLOB", help="Read these container log files too.")
@click.option("--prometheus-url", default="", metavar="URL", help="Use this Prometheus instead of starting one.")
@click.option("--prometheus", "binary", default="", metavar="PATH", help="The prometheus binary to start.")
@click.option("--web.listen-address", "address", default="", metavar="HOST:PORT", help="The page; default port 8600.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    context: click.Context,
    state: Path | None,
    demo: bool,
    log_globs: tuple[str, ...],
    prometheus_url: str,
    binary: str,
    address: str,
) -> None:
    """Run the whole chain on this machine: exporters, Prometheus, alert engine, log pipeline and a page.

    Ctrl-C stops everything; the next start goes on from the same state folder.
    """
    context.obj = folder_of(state)
    if context.invoked_subcommand is not None:
        return
    if prometheus_url and binary:
        raise click.UsageError("--prometheus-url and --prometheus exclude one another")
    set_up_logs("warning")
    globs = tuple(str(Path(glob).absolute()) for glob in log_globs)
    settings = Settings(context.obj, Options(demo, globs, prometheus_url, binary), address)

    outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # started with nohup

    async def main(life: Lifecycle) -> None:
        # There is nothing to reload; a hang-up says that the terminal is gone.
        on_hang_up = (lambda: None) if outlives_terminal else life.stop
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_hang_up)
        await up(life, settings, PatientConsole(highlight=False))

    run("up", main)


@command.command("status")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole status as JSON.")
@click.pass_obj
def status_command(parent: StateFolder, state: Path | None, as_json: bool) -> None:
    """Tell what runs, where and how well: exit code 0 all well, 1 something is not, 3 not running."""
    folder = folder_of(state) if state else parent
    status = asyncio.run(_ask(folder))
    for line in status_lines(folder, status, as_json):
        click.echo(line)
    raise SystemExit(exit_code(status))


@command.command("stop")
@state_option
@click.pass_obj
def stop_command(parent: StateFolder, state: Path | None) -> None:
    """Stop it and wait until it has."""
    folder = folder_of(state) if state else parent
    stopped = asyncio.run(stop(folder, SystemClock()))
    click.echo("stopped" if stopped else f"nothing runs on the state folder {folder.root}")


def folder_of(state: Path | None) -> StateFolder:
    """The state folder that was named, or the usual one."""
    return StateFolder((state or default_folder(os.environ)).absolute())


def status_lines(folder: StateFolder, status: StackStatus | None, as_json: bool) -> list[str]:
    """What `fenghuo up status` prints."""
    if as_json:
        document = not_running(folder.root) if status is None else status.document()
        return [json.dumps(document, indent=2)]
    if status is None:
        return [f"nothing runs on the state folder {folder.root}; start it with `fenghuo up`"]
    return table(status)


async def _ask(folder: StateFolder) -> StackStatus | None:
    async with AiohttpCaller() as caller:
        return await ask_status(folder, caller)
