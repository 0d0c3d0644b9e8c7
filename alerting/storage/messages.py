"""The messages that the console receiver has shown, the last thousand of them."""

import sqlite3
from collections import deque
from dataclasses import replace

from alerting.notify.ports import KeptMessage
from alerting.storage.codec import decode_notification, encode_notification
from alerting.storage.database import Database, Migration
from alerting.storage.group_commit import GroupCommit

MESSAGE_MIGRATIONS = (
    Migration(
        "messages",
        1,
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, serial INTEGER NOT NULL UNIQUE, sent_at REAL NOT NULL,
            receiver TEXT NOT NULL, status TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
            notification TEXT NOT NULL
        );
        """,
    ),
)

MESSAGES_KEPT = 1000


class SqliteMessages:
    """Implements `MessageStore`."""

    def __init__(self, database: Database, newest: deque[KeptMessage]) -> None:
        self._commits = GroupCommit(database)
        self._newest = newest

    @classmethod
    async def open(cls, database: Database) -> "SqliteMessages":
        """Load what is kept. Raises StorageError."""
        rows = await database.run(
            lambda connection: connection.execute(
                "SELECT * FROM messages ORDER BY id DESC LIMIT ?", (MESSAGES_KEPT,)
            ).fetchall()
        )
        return cls(database, deque(_message(row) for row in rows))

    async def keep(self, message: KeptMessage) -> bool:
        ids: list[int] = []

        def remember() -> None:
            if ids:
                self._newest.appendleft(replace(message, id=ids[-1]))
            if len(self._newest) > MESSAGES_KEPT:
                self._newest.pop()

        await self._commits.write(lambda connection: ids.extend(_insert(connection, message)), remember)
        return bool(ids)

    def newest(self, limit: int) -> list[KeptMessage]:
        return [message for _, message in zip(range(limit), self._newest, strict=False)]


def _insert(connection: sqlite3.Connection, message: KeptMessage) -> list[int]:
    """The new row's id, or nothing when the serial is there already."""
    done = connection.execute(
        "INSERT OR IGNORE INTO messages (serial, sent_at, receiver, status, title, text, notification)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            message.serial,
            message.sent_at,
            message.receiver,
            message.status,
            message.title,
            message.text,
            encode_notification(message.notification),
        ),
    )
    if not done.rowcount:
        return []
    last = int(done.lastrowid or 0)
    connection.execute("DELETE FROM messages WHERE id <= ?", (last - MESSAGES_KEPT,))
    return [last]


def _message(row: sqlite3.Row) -> KeptMessage:
    return KeptMessage(
        sent_at=row["sent_at"],
        receiver=row["receiver"],
        status=row["status"],
        title=row["title"],
        text=row["text"],
        notification=decode_notification(row["notification"]),
        serial=row["serial"],
        id=row["id"],
    )
