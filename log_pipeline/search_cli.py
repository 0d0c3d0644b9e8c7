"""`fenghuo logs search`: find stored lines from a terminal, whether the pipeline runs or not."""

import asyncio
import json
from pathlib import Path

import click

from fenghuo.clock import SystemClock
from log_pipeline.adapters.sqlite_search import SqliteSearcher
from log_pipeline.search.find import Found, Search, Searcher
from log_pipeline.search.output import as_json, as_text
from log_pipeline.search.request import new_search

_FILE = click.Path(path_type=Path)


@click.command("search")
@click.argument("query", nargs=-1)
@click.option("--since", default="", help="Lines from then on: 10m (ago), a time, or now.")
@click.option("--until", default="", help="Lines before then.")
@click.option("--limit", default="100", show_default=True, help="How many of the newest lines.")
@click.option("--json", "as_objects", is_flag=True, help="One JSON object a line.")
@click.option("--db", type=_FILE, help="The SQLite file to search.")
@click.option("--state", type=_FILE, help="The state folder of `fenghuo up` to search.")
@click.option("--config.file", "config_file", type=_FILE, help="Search where this configuration writes to.")
@click.option("--state-home", envvar="XDG_STATE_HOME", type=_FILE, hidden=True)
def command(
    query: tuple[str, ...],
    since: str,
    until: str,
    limit: str,
    as_objects: bool,
    **where: Path | None,
) -> None:
    r"""Find log lines, printed from the oldest to the newest.

    Words are looked for in the message, all of them; fields are level, namespace, pod, container, stream, node,
    message and path:

    \b
      fenghuo logs search 'level:error payment' --since 10m
      fenghuo logs search 'namespace:shop and not pod:web-*'
      fenghuo logs search '"connection refused" or timeout'
    """
    search = new_search(" ".join(query), since, until, limit, SystemClock().now())
    found = asyncio.run(_search(_searcher(**where), search))
    for line in reversed(found.lines):
        click.echo(json.dumps(as_json(line), ensure_ascii=False) if as_objects else as_text(line))
    if found.total > len(found.lines):
        count = f"{found.total}" if found.exact else f"{found.total} or more"
        click.echo(f"the newest {len(found.lines)} of {count} lines; --limit shows more", err=True)
    if not found.total:
        click.echo("no line found", err=True)


async def _search(searcher: Searcher, search: Search) -> Found:
    try:
        return await searcher.search(search)
    finally:
        await searcher.close()


def _searcher(db: Path | None, state: Path | None, config_file: Path | None, state_home: Path | None) -> Searcher:
    """The store to search: the one that is named, else that of `fenghuo up`."""
    if sum(given is not None for given in (db, state, config_file)) > 1:
        raise click.UsageError("give one of --db, --state and --config.file")
    if config_file is not None:
        # A search of SQLite, the usual one, need not wait for the clients of Kafka and Elasticsearch to load.
        from fenghuo.config import load_config
        from log_pipeline.adapters.catalog import SEARCHERS
        from log_pipeline.config import LogsConfig

        config = load_config(config_file, LogsConfig)
        return SEARCHERS[config.sink.type](config.sink)
    if db is None:
        # The XDG base directory specification: a relative path is to be ignored.
        home = state_home if state_home and state_home.is_absolute() else Path.home() / ".local" / "state"
        db = (state or home / "fenghuo") / "logs" / "logs.sqlite"
    return SqliteSearcher(db)
