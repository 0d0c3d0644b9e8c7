"""The servers as fixtures. Each is started once a run, in parallel, and only when a chosen test asks for it.

Everything in this folder carries the mark `stack`. These tests run when they are asked for, by `-m stack` or by
a path in here; a plain `pytest` leaves them out. A server that can't be started fails the tests that need it:
nothing is ever skipped in silence.
"""

from pathlib import Path
from typing import cast

import pytest

from tests.stack.servers.catalog import SERVERS
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.fleet import Fleet
from tests.stack.servers.kafka import Kafka

HERE = Path(__file__).parent
FLEET = pytest.StashKey[Fleet]()
KEPT = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and leave it out where nobody asked for it."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker("stack")
    if not _asked_for(config):
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in set(ours)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the chosen tests ask for, before the first test runs."""
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ()) if name in SERVERS}
    if wanted and not session.config.option.collectonly:
        session.config.stash[FLEET] = Fleet()
        session.config.stash[FLEET].begin(sorted(wanted))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop all; after a failure keep the folder with the logs."""
    fleet = session.config.stash.get(FLEET, None)
    if fleet is None:
        return
    failures = fleet.stop(keep_folder=bool(session.testsfailed))
    kept = [f"the servers' folders and logs are kept in {fleet.folder}"] if session.testsfailed else []
    session.config.stash[KEPT] = "\n".join([*map(str, failures), *kept])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where a failure can be looked into."""
    if text := config.stash.get(KEPT, ""):
        terminalreporter.write_line(text, red=True)


@pytest.fixture(scope="session")
def fleet(pytestconfig: pytest.Config) -> Fleet:
    """The servers of this run."""
    return pytestconfig.stash[FLEET]


@pytest.fixture(scope="session")
def kafka(fleet: Fleet) -> Kafka:
    """A Kafka broker; create topics of your own, the broker is everybody's."""
    return cast("Kafka", fleet.get("kafka"))


@pytest.fixture(scope="session")
def elasticsearch(fleet: Fleet) -> Elasticsearch:
    """An Elasticsearch node; use indices of your own, the node is everybody's."""
    return cast("Elasticsearch", fleet.get("elasticsearch"))


def _asked_for(config: pytest.Config) -> bool:
    paths = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return bool(config.option.markexpr) or any(path.is_relative_to(HERE) for path in paths)
