"""The servers as fixtures. Each is started once a run, in parallel, and only when a chosen test asks for it.

Everything in this folder carries the mark `stack`. These tests run when they are asked for, by `-m stack` or by
a path in here (a long one, marked `soak`, by -m alone); a plain `pytest` leaves them out. A server that can't be
started fails the tests that need it: nothing is ever skipped in silence.
"""

from pathlib import Path
from typing import cast

import pytest

from tests.stack.servers.alertmanager import Alertmanager
from tests.stack.servers.catalog import SERVERS
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.fleet import Fleet
from tests.stack.servers.kafka import Kafka
from tests.stack.servers.postgresql import Postgresql
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.victoriametrics import VictoriaMetrics

HERE = Path(__file__).parent
FLEET = pytest.StashKey[Fleet]()
KEPT = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and leave it out where nobody asked for it."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker("stack")
    left_out = {item for item in ours if not _asked_for(config, item)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the chosen tests ask for, before the first test runs."""
    ours = [item for item in session.items if item.path.is_relative_to(HERE)]
    wanted = {name for item in ours for name in getattr(item, "fixturenames", ()) if name in SERVERS}
    if wanted and not session.config.option.collectonly:
        _fleet(session.config).begin(sorted(wanted))


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
    return _fleet(pytestconfig)


@pytest.fixture(scope="session")
def alertmanager(fleet: Fleet) -> Alertmanager:
    """An Alertmanager, and `amtool` beside it; leave its configuration as you found it."""
    return cast("Alertmanager", fleet.get("alertmanager"))


@pytest.fixture(scope="session")
def elasticsearch(fleet: Fleet) -> Elasticsearch:
    """An Elasticsearch node; use indices of your own, the node is everybody's."""
    return cast("Elasticsearch", fleet.get("elasticsearch"))


@pytest.fixture(scope="session")
def kafka(fleet: Fleet) -> Kafka:
    """A Kafka broker; create topics of your own, the broker is everybody's."""
    return cast("Kafka", fleet.get("kafka"))


@pytest.fixture(scope="session")
def postgresql(fleet: Fleet) -> Postgresql:
    """A PostgreSQL; create a database of your own."""
    return cast("Postgresql", fleet.get("postgresql"))


@pytest.fixture(scope="session")
def prometheus(fleet: Fleet) -> Prometheus:
    """A Prometheus; give it your configuration at the start of a test, the next one gives it its own."""
    return cast("Prometheus", fleet.get("prometheus"))


@pytest.fixture(scope="session")
def victoriametrics(fleet: Fleet) -> VictoriaMetrics:
    """A VictoriaMetrics; use metric names of your own."""
    return cast("VictoriaMetrics", fleet.get("victoriametrics"))


def _fleet(config: pytest.Config) -> Fleet:
    if FLEET not in config.stash:
        config.stash[FLEET] = Fleet()
    return config.stash[FLEET]


def _asked_for(config: pytest.Config, item: pytest.Item) -> bool:
    if config.option.markexpr:
        return True  # -m decides
    paths = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    by_path = any(path.is_relative_to(HERE) for path in paths)
    return by_path and item.get_closest_marker("soak") is None
