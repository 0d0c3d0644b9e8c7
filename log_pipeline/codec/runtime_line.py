"""What a container runtime writes about one piece of output, whatever its file format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuntimeLine:
    """One line of a container's log file.

    `timestamp` is the runtime's RFC 3339 text, empty when the line has none; `stream` is "stdout", "stderr" or
    "" (unknown); `partial` says that the next line of the same stream goes on with this one.
    """

    timestamp: str
    stream: str
    partial: bool
    content: bytes
