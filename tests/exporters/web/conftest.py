"""One set of certificates for all tests of a run."""

from pathlib import Path

import pytest

from tests.exporters.web.certificates import Pair, self_signed


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The server's certificate and key, `server.crt` and `server.key`."""
    return self_signed(tmp_path_factory.mktemp("server"), "server", "DNS:localhost", "IP:127.0.0.1")


@pytest.fixture
def folder(tmp_path: Path, server: Pair) -> Path:
    """A folder that has the server's certificate and key."""
    for path in (server.certificate, server.key):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path
