"""A log line names its component, is one line, and passes the level."""

import io
import json

import structlog

from fenghuo.logs import get_logger, set_up_logs


def lines(style: str, level: str) -> list[str]:
    output = io.StringIO()
    set_up_logs(level, "json" if style == "json" else "logfmt", output)
    try:
        log = get_logger("engine")
        log.debug("hidden")
        log.info("rule loaded", rule="HostDown", path="a b", active=True, reason=None)
        log.error("broken", error="line one\nline two")
    finally:
        structlog.reset_defaults()
    return output.getvalue().splitlines()


def test_logfmt_is_one_line_an_event() -> None:
    loaded, broken = lines("logfmt", "info")
    assert 'level=info event="rule loaded"' in loaded
    assert "component=engine" in loaded
    assert 'path="a b"' in loaded
    assert 'error="line one\\nline two"' in broken


def test_json_is_one_object_an_event() -> None:
    loaded, broken = (json.loads(line) for line in lines("json", "info"))
    assert (loaded["event"], loaded["component"], loaded["level"]) == ("rule loaded", "engine", "info")
    assert broken["error"] == "line one\nline two"


def test_the_level_hides_what_is_below() -> None:
    (only,) = lines("logfmt", "error")
    assert "broken" in only
