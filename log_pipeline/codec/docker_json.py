r"""Docker's json-file format: `{"log":"text\n","stream":"stdout","time":"2026-11-21T09:30:00.123456789Z"}`.

Docker cuts lines at 16 KiB; a piece is partial when its `log` has no final line feed. Source: moby,
daemon/logger/jsonfilelog. Other JSON (a program's own log file) is not this format. Pure.
"""

import msgspec

from log_pipeline.codec.rfc3339 import to_nanoseconds
from log_pipeline.codec.runtime_line import RuntimeLine


class _Line(msgspec.Struct):
    log: str
    time: str
    stream: str = ""


_decoder = msgspec.json.Decoder(_Line)


def parse_docker_json(raw: bytes) -> RuntimeLine | None:
    """The parts of a json-file line without its line feed; None when it is not one."""
    try:
        line = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if to_nanoseconds(line.time) is None:
        return None
    content = line.log.removesuffix("\n")
    partial = content == line.log
    return RuntimeLine(line.time, line.stream, partial, (content if partial else content.removesuffix("\r")).encode())
