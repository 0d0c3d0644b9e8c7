"""What every test may rely on: a test leaves no logging behind for the next one."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that a test runs in this process sets up logging for good; the next test starts afresh."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
