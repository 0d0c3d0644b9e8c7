"""The contract of a stage."""

from collections.abc import Callable

from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Dropped

Stage = Callable[[Event], Dropped | None]
"""Fills in what it knows about the event, in place, and returns None; or says that nobody wants it.

It decides from the event alone, without waiting and without I/O. What it raises ends this one event, as a dead
letter that names the stage.
"""
