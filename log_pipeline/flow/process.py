"""What the stages make of one record, before it goes into a batch. Pure but for the events, which stages fill in."""

from collections.abc import Mapping

from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.outcome import Dropped, Rejected
from log_pipeline.stages.stage import Stage


def process(record: Event | Malformed, stages: Mapping[str, Stage]) -> Dropped | Rejected | None:
    """Run the stages in their order. None: the event goes to the sink.

    A record that is no event, and an event on which a stage fails, are rejected; their neighbours go on.
    """
    if isinstance(record, Malformed):
        return Rejected(record.reason, record.detail)
    for name, stage in stages.items():
        try:
            dropped = stage(record)
        except Exception as error:  # noqa: BLE001 - one event's fault must not stop its neighbours
            return Rejected(f"stage_{name}", f"{type(error).__name__}: {error}")
        if dropped is not None:
            return dropped
    return None
