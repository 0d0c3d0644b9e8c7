"""Found lines as text for a terminal and as JSON. Pure."""

from dataclasses import asdict
from typing import Any

import click

from log_pipeline.search.find import Found, FoundLine

_COLOURS = {"fatal": "red", "error": "red", "warn": "yellow", "debug": "bright_black", "trace": "bright_black"}


def as_text(line: FoundLine) -> str:
    """`timestamp namespace/pod[container] level message`, with colours that click leaves out of a file.

    Control characters are shown and not sent: a log line must not steer the reader's terminal.
    """
    origin = f"{line.namespace}/{line.pod}[{line.container}]" if line.pod else line.path
    level = click.style(line.level, fg=_COLOURS[line.level]) if line.level in _COLOURS else line.level
    head = (click.style(line.timestamp, dim=True), click.style(_visible(origin), fg="cyan"), level)
    return " ".join([*(part for part in head if part), _visible(line.message)])


def as_json(line: FoundLine) -> dict[str, Any]:
    """The line as JSON values, in the order in which people read them."""
    values = asdict(line)
    message = values.pop("message")
    return {"timestamp": values.pop("timestamp"), "message": message, **values}


def found_as_json(found: Found, took: float) -> dict[str, Any]:
    """The answer of the HTTP route; `took` is in seconds. `total` is a lower bound when `total_is_exact` is false."""
    return {
        "took_ms": round(took * 1000, 1),
        "total": found.total,
        "total_is_exact": found.exact,
        "lines": [as_json(line) for line in found.lines],
    }


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == "\t"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
