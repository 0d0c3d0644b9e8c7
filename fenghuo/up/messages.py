"""The alert engine's messages, told in the terminal: each once, in order, also over restarts of either side.

They are fetched by their number rather than read from the child's output: a number that was told is kept in
the state folder, so nothing is told twice and nothing is missed while a side is away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fenghuo.clock import Clock
from fenghuo.errors import RemoteError, StorageError
from fenghuo.httpcall import HttpCaller, Request
from fenghuo.up.state import read_json, write_json

POLL_EVERY = 1.0
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the console receiver. `sent_at` is RFC 3339."""

    id: int
    sent_at: str
    status: str
    title: str
    text: str

    @property
    def subject(self) -> str:
        """The title without the status at its beginning, for where the status stands beside it."""
        return bare_title(self.status, self.title)


def bare_title(status: str, title: str) -> str:
    """`FIRING LogErrorBurst …` as `LogErrorBurst …`; a title that begins otherwise stays."""
    word, _, rest = title.partition(" ")
    return rest.strip() if rest.strip() and word.strip("[]:0123456789").lower() == status.lower() else title


def read_messages(content: Any) -> list[Message]:
    """The answer of `/api/fenghuo/v1/messages`, newest first; what is no message is left out."""
    rows = content.get("messages") if isinstance(content, dict) else None
    return [message for row in (rows if isinstance(rows, list) else []) if (message := _message(row)) is not None]


def _message(row: Any) -> Message | None:
    if not isinstance(row, dict) or not isinstance(row.get("id"), int):
        return None
    texts = {name: str(row.get(name) or "") for name in ("sentAt", "status", "title", "text")}
    return Message(row["id"], texts["sentAt"], texts["status"], texts["title"], texts["text"])


def untold(messages: Sequence[Message], last: int) -> list[Message]:
    """Those after number `last`, oldest first; all of them when the numbers began anew."""
    newest = max((message.id for message in messages), default=0)
    after = last if newest >= last else 0
    return sorted((message for message in messages if message.id > after), key=lambda message: message.id)


class MessageTeller:
    """Asks the alert engine now and then and hands each new message to `tell`."""

    def __init__(self, url: str, caller: HttpCaller, clock: Clock, told: Path, tell: Callable[[Message], None]) -> None:
        self._url = f"{url}/api/fenghuo/v1/messages?limit={AT_ONCE}"
        self._caller = caller
        self._clock = clock
        self._told = told
        self._tell = tell
        kept = read_json(told)
        self._last = kept if isinstance(kept, int) else 0

    async def run(self) -> None:
        """Until cancelled. An engine that is away is asked again."""
        while True:
            await self.look()
            await self._clock.sleep(POLL_EVERY)

    async def look(self) -> None:
        """Ask once and tell what is new."""
        try:
            answer = await self._caller.call(Request("GET", self._url, timeout=5.0))
            messages = read_messages(answer.ok().json())
        except RemoteError:
            return  # shown by the part's own state
        for message in untold(messages, self._last):
            self._tell(message)
            self._last = message.id
            self._keep()

    def _keep(self) -> None:
        try:
            write_json(self._told, self._last)
        except StorageError:
            pass  # told twice after a restart is better than not told
