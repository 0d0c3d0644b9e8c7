"""Structured logs to standard error: logfmt by default, JSON on request; one event, one line."""

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

Format = Literal["logfmt", "json"]
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("logfmt", "json")


def set_up_logs(level: str = "info", style: Format = "logfmt", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (default standard error).

    Call it once, from a command's entry point; libraries and tests leave logging alone.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    output = stream if stream is not None else sys.stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            _renderer(style),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        stream=output,
        level=max(number, logging.WARNING),
        format="ts=%(asctime)s level=%(levelname)s logger=%(name)s msg=%(message)r",
    )


def _renderer(style: Format) -> structlog.typing.Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.LogfmtRenderer(
        key_order=["ts", "level", "event"], drop_missing=True, bool_as_flag=False
    )


def get_logger(component: str) -> Any:
    """A logger whose every line names its component."""
    return structlog.get_logger(component=component)
