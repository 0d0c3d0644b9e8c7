"""The alert store: what fires now, in memory for reading and in SQLite for the next start.

It takes alerts from the engine and from the API, joins reports of one alert, and tells its listener once they
are on the disk. It does not know what becomes of them.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from alerting.model.alert import Alert, merge
from alerting.storage.codec import decode_alert, encode_alert
from alerting.storage.database import Database, Migration
from alerting.storage.group_commit import GroupCommit
from fenghuo.clock import Clock

ALERT_MIGRATIONS = (
    Migration(
        "alerts",
        1,
        "CREATE TABLE alerts (fingerprint TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;",
    ),
)

RESOLVE_TIMEOUT = 300.0
"""Seconds after which an alert that nobody repeats is over (`resolve_timeout`)."""

KEPT_AFTER_END = 900.0
"""Seconds that an alert is kept after its end, once it was told."""

Listener = Callable[[Sequence[Alert]], None]


class AlertStore:
    """Alerts by fingerprint. Implements `AlertSink`."""

    def __init__(self, database: Database, clock: Clock, alerts: Iterable[Alert] = ()) -> None:
        self._commits = GroupCommit(database)
        self._clock = clock
        self._alerts = {alert.fingerprint: alert for alert in alerts}
        self._listener: Listener | None = None

    @classmethod
    async def open(cls, database: Database, clock: Clock, told_over: Collection[str] = frozenset()) -> "AlertStore":
        """Load what the database holds.

        An alert whose time ran out while nobody was here to hear it repeated gets `RESOLVE_TIMEOUT` once more,
        unless receivers were told already that it is over (`told_over`, fingerprints): our being away must not
        resolve it. Raises StorageError.
        """
        rows = await database.run(lambda connection: connection.execute("SELECT body FROM alerts").fetchall())
        now = clock.now()
        alerts = (decode_alert(row["body"]) for row in rows)
        return cls(
            database,
            clock,
            (alert if alert.fingerprint in told_over else given_time(alert, now) for alert in alerts),
        )

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every batch of alerts that was stored, joined with what was known before."""
        self._listener = listener

    async def put(self, alerts: Sequence[Alert]) -> None:
        now = self._clock.now()
        joined: dict[str, Alert] = {}
        for alert in alerts:
            joined[alert.fingerprint] = self._join(alert if alert.updated_at else replace(alert, updated_at=now))
        if not joined:
            return
        rows = [(fingerprint, encode_alert(alert)) for fingerprint, alert in joined.items()]

        def tell() -> None:
            if self._listener is not None:
                # another batch may have come in meanwhile: what counts is what is known now
                self._listener([self._alerts.get(fingerprint, alert) for fingerprint, alert in joined.items()])

        await self._commits.write(lambda connection: _write(connection, rows), tell)

    def get(self, fingerprint: str) -> Alert | None:
        return self._alerts.get(fingerprint)

    def all(self) -> list[Alert]:
        """All alerts that are kept, those that are over too."""
        return list(self._alerts.values())

    async def collect(self, held: Collection[str]) -> int:
        """Forget alerts that have been over for a while, except the `held`, whose end is still to be told."""
        before = self._clock.now() - KEPT_AFTER_END
        gone = [
            fingerprint
            for fingerprint, alert in self._alerts.items()
            if alert.resolved_at(before) and fingerprint not in held
        ]
        if gone:
            await self._commits.write(lambda connection: _delete(connection, gone))
        for fingerprint in gone:
            # one that came back while we waited stays
            if self._alerts[fingerprint].resolved_at(before):
                del self._alerts[fingerprint]
        return len(gone)

    def _join(self, alert: Alert) -> Alert:
        known = self._alerts.get(alert.fingerprint)
        joined = alert if known is None else merge(known, alert)
        self._alerts[alert.fingerprint] = joined
        return joined


def given_time(alert: Alert, now: float) -> Alert:
    """The alert with `RESOLVE_TIMEOUT` from now, if it has ended only because nobody repeated it. Pure."""
    if alert.ends_at is None or not alert.resolved_at(now) or alert.resolved_at(alert.updated_at):
        return alert
    return replace(alert, ends_at=now + RESOLVE_TIMEOUT, timeout=True)


def _write(connection: sqlite3.Connection, rows: Sequence[tuple[str, str]]) -> None:
    connection.executemany("INSERT OR REPLACE INTO alerts (fingerprint, body) VALUES (?, ?)", rows)


def _delete(connection: sqlite3.Connection, fingerprints: Sequence[str]) -> None:
    connection.executemany("DELETE FROM alerts WHERE fingerprint = ?", [(one,) for one in fingerprints])
