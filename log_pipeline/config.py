"""The configuration file of `fenghuo logs`: from where, to where, and where to keep what.

Relative paths are relative to the working directory.
"""

from pathlib import Path

from fenghuo.config import Config
from log_pipeline.adapters.catalog import SinkConfig, SourceConfig
from log_pipeline.adapters.deadletter import DeadLettersConfig


class StateConfig(Config):
    """The folder in which the positions of files are kept."""

    path: Path = Path("state")


class WebConfig(Config):
    """Where metrics, health, ledger and search are served."""

    listen_address: str = "127.0.0.1:9600"


class LogsConfig(Config):
    """The whole file."""

    source: SourceConfig
    sink: SinkConfig
    dead_letters: DeadLettersConfig = DeadLettersConfig()
    state: StateConfig = StateConfig()
    web: WebConfig = WebConfig()
