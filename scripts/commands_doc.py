"""Writes docs/commands.md from the commands themselves, so that the page can't drift.

`python scripts/commands_doc.py` writes it; `make check` fails when the committed page differs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fenghuo.cli import command

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Written by `make generate` from the commands themselves. Each `fenghuo NAME` is also `python -m PACKAGE`.
"""


def sections(entry: click.Command, road: str) -> Iterator[str]:
    """One section a command, its sub-commands after it."""
    context = click.Context(entry, info_name=road)
    usage = " ".join([road, *entry.collect_usage_pieces(context)])
    yield f"## {road}\n\n{(entry.help or '').strip()}\n\n    {usage}\n\n{table(entry)}".rstrip() + "\n"
    if isinstance(entry, click.Group):
        for name in entry.list_commands(context):
            below = entry.get_command(context, name)
            if below is not None and not below.hidden:
                yield from sections(below, f"{road} {name}")


def table(entry: click.Command) -> str:
    """The options of one command as a table; nothing when it has none."""
    rows = [
        f"| `{' / '.join([*option.opts, *option.secondary_opts])}` | {cell(option)} |"
        for option in entry.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    return "\n".join(["| option | meaning |", "| --- | --- |", *rows]) if rows else ""


def cell(option: click.Option) -> str:
    """The option's help and its default, in one table cell."""
    text = (option.help or "").replace("\n", " ").replace("|", "\\|")
    shown = isinstance(option.default, str | int | float) and not isinstance(option.default, bool)
    return f"{text} Default: `{option.default}`." if shown and option.default != "" else text


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *sections(command, "fenghuo")])


def main() -> None:
    """Write the page, or with --check say whether it is as it should be."""
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            sys.exit("docs/commands.md is not what the commands say: run `make generate`")
        return
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
