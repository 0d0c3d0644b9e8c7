"""A dead letter is on disk, readable and complete before anybody relies on it."""

import asyncio
import base64
import json
from pathlib import Path

import pytest

from fenghuo.errors import StorageError
from log_pipeline.adapters.deadletter import DeadLetterFile
from log_pipeline.model.position import Partition, Position
from log_pipeline.ports import DeadLetter


def letter(raw: bytes = b'{"a": 1}', offset: int = 7) -> DeadLetter:
    position = Position(Partition("kafka:filebeat", "3"), offset, offset + 1)
    return DeadLetter(position, raw, "mapping", "not a number", 2, 1_763_717_400.0)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_letter_keeps_the_bytes_the_place_and_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dead.ndjson"
    asyncio.run(DeadLetterFile(path).put([letter()]))
    assert lines(path) == [
        {
            "at": "2025-11-21T09:30:00.000Z",
            "reason": "mapping",
            "detail": "not a number",
            "attempts": 2,
            "source": "kafka:filebeat",
            "partition": "3",
            "offset": 7,
            "next": 8,
            "raw": '{"a": 1}',
        }
    ]


def test_bytes_that_are_no_text_are_kept_exactly(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    asyncio.run(DeadLetterFile(path).put([letter(b"\xff\x00\n")]))
    assert base64.b64decode(str(lines(path)[0]["raw_base64"])) == b"\xff\x00\n"


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    path.write_text('{"half": ')
    asyncio.run(DeadLetterFile(path).put([letter()]))
    assert path.read_text().splitlines()[0] == '{"half": '
    assert json.loads(path.read_text().splitlines()[1])["offset"] == 7


def test_a_full_file_refuses_rather_than_forgets(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetterFile(path, largest=400)
    asyncio.run(letters.put([letter()]))
    with pytest.raises(StorageError, match=r"dead\.ndjson is full .* move it away"):
        asyncio.run(letters.put([letter(offset=8), letter(offset=9)]))
    assert len(lines(path)) == 1
    path.rename(tmp_path / "replayed.ndjson")
    asyncio.run(letters.put([letter(offset=8)]))
    assert lines(path)[0]["offset"] == 8


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/dead\.ndjson"):
        asyncio.run(DeadLetterFile(tmp_path / "file" / "dead.ndjson").put([letter()]))


def test_letters_put_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetterFile(path)

    async def scenario() -> None:
        await asyncio.gather(*(letters.put([letter(b"x" * 10_000, offset)]) for offset in range(20)))

    asyncio.run(scenario())
    assert sorted(int(str(line["offset"])) for line in lines(path)) == list(range(20))


def test_only_the_owner_may_read_what_could_not_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    asyncio.run(DeadLetterFile(path).put([letter()]))
    assert path.stat().st_mode & 0o777 == 0o600
