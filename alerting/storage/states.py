"""Rule state in SQLite: one row a rule, one row an alert. Implements `StateStore`.

Values are stored as texts: SQLite would turn NaN into NULL.
"""

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from alerting.engine.ports import Change
from alerting.engine.state import AlertState, RuleState, State
from alerting.storage.database import Database, Migration
from alerting.storage.group_commit import GroupCommit

STATE_MIGRATIONS = (
    Migration(
        "states",
        1,
        """
        CREATE TABLE rule_states (rule_id TEXT PRIMARY KEY, evaluated_at REAL) WITHOUT ROWID;
        CREATE TABLE alert_states (
            rule_id TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            labels TEXT NOT NULL,
            annotations TEXT NOT NULL,
            state TEXT NOT NULL,
            value TEXT NOT NULL,
            active_at REAL NOT NULL,
            fired_at REAL,
            keeping_since REAL,
            resolved_at REAL,
            unseen REAL NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (rule_id, fingerprint)
        ) WITHOUT ROWID;
        """,
    ),
)


class SqliteStates:
    """The real store. Changes that are asked for at one time share a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = GroupCommit(database)

    async def load(self) -> Mapping[str, RuleState]:
        return await self._database.run(_read)

    async def save(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._commits.write(lambda connection: _write(connection, changes))


def _read(connection: sqlite3.Connection) -> dict[str, RuleState]:
    alerts: dict[str, dict[str, AlertState]] = {}
    for row in connection.execute("SELECT * FROM alert_states"):
        alerts.setdefault(row["rule_id"], {})[row["fingerprint"]] = AlertState(
            fingerprint=row["fingerprint"],
            labels=msgspec.json.decode(row["labels"]),
            annotations=msgspec.json.decode(row["annotations"]),
            state=State(row["state"]),
            value=float(row["value"]),
            active_at=row["active_at"],
            fired_at=row["fired_at"],
            keeping_since=row["keeping_since"],
            resolved_at=row["resolved_at"],
            unseen=row["unseen"],
            reason=row["reason"],
        )
    return {
        row["rule_id"]: RuleState(row["evaluated_at"], alerts.get(row["rule_id"], {}))
        for row in connection.execute("SELECT rule_id, evaluated_at FROM rule_states")
    }


def _write(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    for change in changes:
        if change.anew:
            connection.execute("DELETE FROM alert_states WHERE rule_id = ?", (change.rule_id,))
            connection.execute("DELETE FROM rule_states WHERE rule_id = ?", (change.rule_id,))
        if change.evaluated_at is not None or change.put:
            connection.execute(
                "INSERT OR REPLACE INTO rule_states VALUES (?, ?)", (change.rule_id, change.evaluated_at)
            )
        connection.executemany(
            "DELETE FROM alert_states WHERE rule_id = ? AND fingerprint = ?",
            [(change.rule_id, fingerprint) for fingerprint in change.drop],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO alert_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(change.rule_id, alert) for alert in change.put],
        )


def _row(rule_id: str, alert: AlertState) -> tuple[object, ...]:
    return (
        rule_id,
        alert.fingerprint,
        msgspec.json.encode(alert.labels).decode(),
        msgspec.json.encode(alert.annotations).decode(),
        alert.state.value,
        repr(alert.value),
        alert.active_at,
        alert.fired_at,
        alert.keeping_since,
        alert.resolved_at,
        alert.unseen,
        alert.reason,
    )
