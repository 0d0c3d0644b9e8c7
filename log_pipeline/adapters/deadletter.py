"""Dead letters in a file: one JSON object a line, on disk before `put` returns.

The bytes are kept as they came, as text where they are UTF-8, else as base64; only the owner may read them. The
file is bounded; when it is full the events are held back rather than thrown away, and the pipeline says so until
somebody makes room.
"""

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fenghuo.clock import rfc3339
from fenghuo.config import Config
from fenghuo.errors import StorageError
from log_pipeline.ports import DeadLetter


class DeadLettersConfig(Config):
    """`dead_letters: {path: FILE}`; `largest` in bytes."""

    path: Path = Path("state/dead-letters.ndjson")
    largest: int = 1 << 30


class DeadLetterFile:
    """A DeadLetters. The file is opened for each call, so that it may be moved away for a replay."""

    def __init__(self, path: Path, largest: int = 1 << 30) -> None:
        self.path = path
        self._largest = largest
        self._one_at_a_time = asyncio.Lock()

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        lines = b"".join(json.dumps(_line(letter), ensure_ascii=False).encode() + b"\n" for letter in letters)
        async with self._one_at_a_time:
            await asyncio.to_thread(self._append, lines)

    async def close(self) -> None:
        """Nothing is held open."""

    def _append(self, lines: bytes) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a+b", opener=_for_the_owner) as file:
                size = file.seek(0, os.SEEK_END)
                if size + len(lines) > self._largest:
                    raise StorageError(f"{self.path} is full ({size} of {self._largest} bytes): move it away")
                file.write(_line_end(file, size) + lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror or error}") from error


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line_end(file: Any, size: int) -> bytes:
    """A process that was killed may have left half a line: what comes now begins on its own."""
    if size == 0:
        return b""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\n"


def _line(letter: DeadLetter) -> dict[str, Any]:
    position = letter.position
    line: dict[str, Any] = {
        "at": rfc3339(letter.at),
        "reason": letter.reason,
        "detail": letter.detail.encode("utf-8", "replace").decode(),
        "attempts": letter.attempts,
        "source": position.partition.source,
        "partition": position.partition.name,
        "offset": position.offset,
        "next": position.next,
    }
    try:
        line["raw"] = letter.raw.decode()
    except UnicodeDecodeError:
        line["raw_base64"] = base64.b64encode(letter.raw).decode()
    return line
