"""PostgreSQL: Debian's package `postgresql`. Its programs refuse to run as root and become `postgres` then."""

import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from fenghuo.errors import StartError
from tests.stack.servers.base import HOST, Server
from tests.stack.servers.programs import INSTALL, run

USER = "postgres"


class Postgresql(Server):
    """A server at `dsn`, with trust in everybody on loopback."""

    name = "postgresql"
    stop_signal = signal.SIGINT  # SIGTERM would wait for every client to go first

    @property
    def dsn(self) -> str:
        """The connection string of the database `postgres`."""
        return self._dsn("postgres")

    def create_database(self, name: str) -> str:
        """An empty database of one's own; returns its connection string. Raises psycopg.Error when it exists."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._dsn(name)

    def prepare(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, *_account())
        become = ["setpriv", *self.as_user(), "--"]
        options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        run([*become, _program("initdb"), *options, f"--pgdata={data}"])

    def as_user(self) -> Sequence[str]:
        if os.geteuid() != 0:
            return ()
        user, group = _account()
        return (f"--reuid={user}", f"--regid={group}", "--init-groups")

    def command(self) -> Sequence[str | Path]:
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",  # TCP is enough, and a socket's path may be too long for the kernel
            "fsync": "off",  # a killed process loses nothing by it, only a machine without power would
        }
        return [
            _program("postgres"),
            "-D",
            self.folder / "data",
            *(f"--{key}={value}" for key, value in settings.items()),
        ]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _dsn(self, database: str) -> str:
        return f"postgresql://{USER}@{self.address}/{database}"


def _program(name: str) -> Path:
    """Debian keeps the programs of each version in a folder of their own, outside of PATH; the newest is taken."""
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    found = newest or shutil.which(name)
    if found is None:
        raise StartError(f"not installed: PostgreSQL's {name}", INSTALL)
    return Path(found)


def _account() -> tuple[int, int]:
    """The ids of Debian's account for the server and of its group."""
    try:
        account = pwd.getpwnam(USER)
    except KeyError as error:
        raise StartError(f"PostgreSQL refuses to run as root and there is no user {USER}", INSTALL) from error
    return account.pw_uid, account.pw_gid
