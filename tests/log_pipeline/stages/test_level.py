"""The level is what the line states, in our words; prose states none."""

import pytest

from log_pipeline.model.event import LEVELS
from log_pipeline.stages.level import detect_level, level_of
from log_pipeline.testing import new_event

LINES = [
    ('{"level":"error","msg":"payment refused"}', "error"),
    ('{"severity": "WARNING", "message": "slow"}', "warn"),
    ('{"level":30,"msg":"pino"}', "info"),
    ('{"time":"x","lvl":"crit"}', "fatal"),
    ("time=2026-11-21 level=warn msg=slow", "warn"),
    ("ts=1 caller=main.go:1 level=debug msg=x", "debug"),
    ("2026-11-21 09:30:00,123 ERROR [main] com.example.Service - refused", "error"),
    ("2026-11-21 09:30:00.123  INFO 1 --- [main] o.s.b.Application", "info"),
    ("[2026-11-21 09:30:00] [warn] slow", "warn"),
    ("2026/11/21 09:30:00 [error] 29#29: *1 open() failed", "error"),
    ("[INFO] ready", "info"),
    ("INFO:root:ready", "info"),
    ("E1121 09:30:00.000000       1 reflector.go:138] failed to list", "error"),
    ("I1121 09:30:00.000000       1 main.go:1] started", "info"),
    ("panic: runtime error: index out of range", "fatal"),
    ("Traceback (most recent call last):", "error"),
    ("error: could not open", "error"),
    ("CRITICAL out of memory", "fatal"),
    ("NOTICE: relation exists", "info"),
    ("GET /error HTTP/1.1 200", ""),
    ("an error is mentioned in prose", ""),
    ("no information here", ""),
    ("MYERROR_CODE=5", ""),
    ("DEBUGGING a little", ""),
    ("x" * 300 + " ERROR too far on", ""),
    ("", ""),
]


@pytest.mark.parametrize(("message", "level"), LINES)
def test_the_level_of_a_line(message: str, level: str) -> None:
    assert level_of(message) == level


def test_a_level_that_was_found_is_added_to_the_document() -> None:
    event = new_event(message="ERROR refused")
    detect_level(event)
    assert (event.level, event.added) == ("error", {"log.level": "error"})


@pytest.mark.parametrize(("own", "level"), [("WARNING", "warn"), ("50", "error"), ("odd", "")])
def test_the_events_own_level_goes_before_the_message(own: str, level: str) -> None:
    """The document keeps the application's word; ours is for counting and for the search."""
    event = new_event(message="INFO fine", level=own)
    detect_level(event)
    assert (event.level, event.added) == (level, {})


def test_there_are_six_levels() -> None:
    assert {level for _, level in LINES if level} | {"trace"} == set(LEVELS)
