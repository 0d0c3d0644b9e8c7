"""One line an event to standard error, logfmt or JSON.

The kit's logs stand on structlog, which loads rich wherever that is installed: more than all the
rest of a node agent. The lines look the same.
"""

import json
import sys
from collections.abc import Callable
from typing import Literal, TextIO

from fenghuo.clock import SystemClock, rfc3339

LEVELS = ("debug", "info", "warning", "error")


class Log:
    """Writes what is at or above `level`; `now` gives Unix seconds, the machine's clock by default."""

    def __init__(
        self,
        level: str = "info",
        style: Literal["logfmt", "json"] = "logfmt",
        stream: TextIO | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._least = LEVELS.index(level)
        self._style = style
        self._stream = stream
        self._now = now if now is not None else SystemClock().now

    def debug(self, event: str, **fields: object) -> None:
        """What only a developer wants to read."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """What an operator likes to know."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """What works, but not as it should."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """What does not work."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        if LEVELS.index(level) < self._least:
            return
        record = {"ts": rfc3339(self._now()), "level": level, "event": event, "component": "exporter", **fields}
        line = json.dumps(record, ensure_ascii=False, default=str) if self._style == "json" else _logfmt(record)
        stream = self._stream if self._stream is not None else sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except OSError:
            pass  # whoever read the log is gone; the metrics are wanted all the same


def _logfmt(record: dict[str, object]) -> str:
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in record.items())


def _quoted(text: str) -> str:
    plain = text and not any(character in text for character in ' "=\n\t\\')
    return text if plain else json.dumps(text, ensure_ascii=False)
