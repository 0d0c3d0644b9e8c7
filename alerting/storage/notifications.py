"""The notification log and the outbox in SQLite, with a copy in memory for reading."""

import json
import sqlite3
from collections.abc import Sequence

from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification
from alerting.notify.ports import Failure, Pending, Slot
from alerting.storage.codec import decode_notification, encode_notification
from alerting.storage.database import Database, Migration
from alerting.storage.group_commit import GroupCommit

NOTIFICATION_MIGRATIONS = (
    Migration(
        "notifications",
        1,
        """
        CREATE TABLE notification_log (
            group_key TEXT NOT NULL, integration TEXT NOT NULL, firing TEXT NOT NULL, resolved TEXT NOT NULL,
            at REAL NOT NULL, expires_at REAL NOT NULL, refused INTEGER NOT NULL,
            PRIMARY KEY (group_key, integration)
        ) WITHOUT ROWID;
        CREATE TABLE outbox (
            serial INTEGER PRIMARY KEY AUTOINCREMENT, group_key TEXT NOT NULL, integration TEXT NOT NULL,
            body TEXT NOT NULL, UNIQUE (group_key, integration)
        );
        CREATE TABLE notification_failures (
            serial INTEGER PRIMARY KEY, group_key TEXT NOT NULL, integration TEXT NOT NULL,
            at REAL NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL
        );
        """,
    ),
)

FAILURES_KEPT = 10_000
"""Refused notifications that are remembered."""


class SqliteNotifications:
    """Implements `NotificationStore`."""

    def __init__(self, database: Database, log: dict[Slot, LogEntry], outbox: dict[Slot, Pending]) -> None:
        self._database = database
        self._commits = GroupCommit(database)
        self._log = log
        self._outbox = outbox

    @classmethod
    async def open(cls, database: Database) -> "SqliteNotifications":
        """Load the log and the outbox. Raises StorageError."""
        log, outbox = await database.run(_load)
        return cls(database, log, outbox)

    def entry(self, slot: Slot) -> LogEntry | None:
        return self._log.get(slot)

    def pending(self, slot: Slot) -> Pending | None:
        return self._outbox.get(slot)

    def all_pending(self) -> Sequence[Pending]:
        return sorted(self._outbox.values(), key=lambda pending: pending.serial)

    def told_over(self) -> frozenset[str]:
        """Fingerprints of the alerts of which somebody was told, or is about to be, that they are over."""
        logged = (entry.resolved for entry in self._log.values())
        waiting = ((alert.fingerprint for alert in one.notification.resolved) for one in self._outbox.values())
        return frozenset().union(*logged, *waiting)

    async def put(self, slot: Slot, notification: Notification) -> Pending:
        body = encode_notification(notification)
        stored: list[Pending] = []

        def insert(connection: sqlite3.Connection) -> None:
            stored.append(Pending(_insert(connection, slot, body), slot, notification))

        def remember() -> None:
            self._outbox[slot] = stored[-1]

        await self._commits.write(insert, remember)
        return stored[-1]

    async def settle(self, slot: Slot, entry: LogEntry, serial: int, failure: Failure | None = None) -> None:
        def remember() -> None:
            self._log[slot] = entry
            pending = self._outbox.get(slot)
            if pending is not None and pending.serial <= serial:
                del self._outbox[slot]

        await self._commits.write(lambda connection: _settle(connection, slot, entry, serial, failure), remember)

    async def collect(self, now: float) -> int:
        gone = [slot for slot, entry in self._log.items() if entry.expires_at <= now]
        if gone:
            await self._commits.write(lambda connection: _expire(connection, now))
        for slot in gone:
            if self._log[slot].expires_at <= now:
                del self._log[slot]
        return len(gone)

    async def failures(self, limit: int = 100) -> list[Failure]:
        """The last refused notifications, newest first."""
        rows = await self._database.run(
            lambda connection: connection.execute(
                "SELECT * FROM notification_failures ORDER BY serial DESC LIMIT ?", (limit,)
            ).fetchall()
        )
        return [
            Failure(row["serial"], Slot(row["group_key"], row["integration"]), row["at"], row["reason"], row["detail"])
            for row in rows
        ]


def _load(connection: sqlite3.Connection) -> tuple[dict[Slot, LogEntry], dict[Slot, Pending]]:
    log = {
        Slot(row["group_key"], row["integration"]): LogEntry(
            firing=frozenset(json.loads(row["firing"])),
            resolved=frozenset(json.loads(row["resolved"])),
            at=row["at"],
            expires_at=row["expires_at"],
            refused=bool(row["refused"]),
        )
        for row in connection.execute("SELECT * FROM notification_log")
    }
    outbox = {}
    for row in connection.execute("SELECT * FROM outbox"):
        slot = Slot(row["group_key"], row["integration"])
        outbox[slot] = Pending(row["serial"], slot, decode_notification(row["body"]))
    return log, outbox


def _insert(connection: sqlite3.Connection, slot: Slot, body: str) -> int:
    connection.execute("DELETE FROM outbox WHERE group_key = ? AND integration = ?", slot)
    done = connection.execute("INSERT INTO outbox (group_key, integration, body) VALUES (?, ?, ?)", (*slot, body))
    return int(done.lastrowid or 0)


def _settle(connection: sqlite3.Connection, slot: Slot, entry: LogEntry, serial: int, failure: Failure | None) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO notification_log VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *slot,
            json.dumps(sorted(entry.firing)),
            json.dumps(sorted(entry.resolved)),
            entry.at,
            entry.expires_at,
            entry.refused,
        ),
    )
    connection.execute("DELETE FROM outbox WHERE group_key = ? AND integration = ? AND serial <= ?", (*slot, serial))
    if failure is not None:
        connection.execute(
            "INSERT OR REPLACE INTO notification_failures VALUES (?, ?, ?, ?, ?, ?)",
            (failure.serial, *failure.slot, failure.at, failure.reason, failure.detail),
        )
        connection.execute("DELETE FROM notification_failures WHERE serial <= ?", (failure.serial - FAILURES_KEPT,))


def _expire(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM notification_log WHERE expires_at <= ?", (now,))
