"""The command `fenghuo logs`: run the pipeline, check its configuration, search what it stored.

The pipeline and its configuration are imported by the commands that need them: they load the clients of Kafka and
Elasticsearch, which takes longer than a whole search.
"""

from pathlib import Path

import click

from fenghuo.lifecycle import Lifecycle, run
from fenghuo.logs import FORMATS, LEVELS, Format, set_up_logs
from log_pipeline.search_cli import command as search

_CONFIG_FILE = click.option(
    "--config.file", "config_file", type=click.Path(path_type=Path), required=True, help="The configuration file."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Ship, search and account for container logs."""


@command.command("run")
@_CONFIG_FILE
@click.option("--log.level", "level", type=click.Choice(LEVELS), default="info", show_default=True)
@click.option("--log.format", "style", type=click.Choice(FORMATS), default="logfmt", show_default=True)
def run_(config_file: Path, level: str, style: Format) -> None:
    """Run the pipeline until it is told to stop."""
    from fenghuo.config import load_config
    from log_pipeline.app import serve
    from log_pipeline.config import LogsConfig

    config = load_config(config_file, LogsConfig)
    set_up_logs(level, style)

    async def main(life: Lifecycle) -> None:
        await serve(life, config)

    run("logs", main)


@command.command()
@_CONFIG_FILE
def check(config_file: Path) -> None:
    """Say whether the configuration can be used; all its problems at once."""
    from fenghuo.config import load_config
    from log_pipeline.config import LogsConfig

    config = load_config(config_file, LogsConfig)
    click.echo(f"{config_file}: valid, from {config.source.type} to {config.sink.type}")


command.add_command(search)
