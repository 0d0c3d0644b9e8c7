"""`fenghuo dashboards`: generate, list, push-kibana."""

import asyncio
from pathlib import Path

import click

from dashboards import app
from dashboards.catalog import GRAFANA, KIBANA
from dashboards.kibana.push import Kibana, push
from fenghuo.clock import SystemClock
from fenghuo.errors import ConfigError
from fenghuo.httpcall import AiohttpCaller
from fenghuo.secrets import Secret, read_secret


@click.group(name="dashboards", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Grafana boards and Kibana views as code."""


@command.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is not as generated.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=app.GENERATED, help="The folder.")
def generate(check: bool, output: Path) -> None:
    """Write every board and view to its file, after a lint."""
    if check:
        problems = app.differences(output)
        if problems:
            raise ConfigError(str(output), problems)
        click.echo(f"{output}: as generated")
        return
    changed = app.write(output)
    for name in changed:
        click.echo(f"changed {output / name}")
    click.echo(f"{output}: {len(changed)} changed")


@command.command(name="list")
def list_() -> None:
    """Name every board and view."""
    for name, build in GRAFANA.items():
        click.echo(f"grafana  {name:16} {build().title}")
    for name, objects in KIBANA.items():
        click.echo(f"kibana   {name:16} {', '.join(str(_title(item['attributes'])) for item in objects())}")


@command.command(name="push-kibana")
@click.option("--url", default="http://127.0.0.1:5601", show_default=True, help="The Kibana.")
@click.option("--user", default="elastic", show_default=True, help="As whom; used with a password only.")
@click.option("--password-file", type=click.Path(path_type=Path), help="The file that holds the user's password.")
@click.option("--wait", default=300.0, show_default=True, help="Seconds to wait for a Kibana that is starting.")
def push_kibana(url: str, user: str, password_file: Path | None, wait: float) -> None:
    """Import the views into a Kibana, over those of the same id."""
    try:
        password = read_secret(password_file) if password_file else Secret("")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--password-file") from error

    async def work() -> int:
        async with AiohttpCaller() as caller:
            return await push(Kibana(url, user, password), app.kibana_objects(), caller, SystemClock(), wait)

    click.echo(f"{asyncio.run(work())} objects imported")


def _title(attributes: dict[str, object]) -> object:
    return attributes.get("name") or attributes["title"]
