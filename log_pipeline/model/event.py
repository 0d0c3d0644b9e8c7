"""One log event on its way from a source to a sink, in one form whatever the source.

A source makes it, the stages fill in what they find, the sink reads it. It belongs to one of them at a time
and is not shared, so it is mutable: a copy a stage would cost more than all stages do.
"""

from dataclasses import dataclass, field

from log_pipeline.model.position import Position

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
"""How bad a line is, in our words."""


@dataclass(frozen=True, slots=True)
class Pod:
    """Who wrote the line. A field that is not known is empty."""

    namespace: str = ""
    name: str = ""
    container: str = ""
    uid: str = ""
    container_id: str = ""


@dataclass(slots=True)
class Event:
    """A log line with what is known about it.

    `id` is the same for each delivery of the same line; `timestamp` RFC 3339 text as the source wrote it;
    `message` the text without its line end; `path` and `offset` the log file and the byte where the line
    begins (None when the source does not say); `stream` stdout, stderr or empty; `host` the node's name.

    `raw` is what the source read, as it came, for dead letters. `body` is the JSON object that the document
    is made from, on one line or not, or empty when the source read bare lines; then the document is built from
    the fields. `metadata` is the JSON text of the body's `@metadata`, which is not for the sink; `added` is
    what stages add to the document, by dotted path.
    """

    position: Position
    id: str
    timestamp: str
    message: str
    stream: str = ""
    path: str = ""
    offset: int | None = None
    host: str = ""
    pod: Pod | None = None
    level: str = ""
    raw: bytes = b""
    body: bytes = b""
    metadata: bytes = b""
    added: dict[str, object] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes the event takes, for batches and budgets."""
        return len(self.body) or len(self.message) + 400


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that is no event: its bytes as they came, a short reason (a metric's label) and the detail."""

    position: Position
    raw: bytes
    reason: str
    detail: str = ""

    @property
    def size(self) -> int:
        return len(self.raw)
