"""Positions survive restarts, all or none of a save, and errors name their file."""

import sqlite3
from pathlib import Path

import pytest

from fenghuo.errors import StartError, StorageError
from log_pipeline.adapters.positions import FileKey, Mark, Positions

ONE = Mark(1, 10, 0, "f1", 100, "a1", "/logs/a.log", "/pods/0.log", False, 1_700_000_000.5)
TWO = Mark(1, 11, 3, "f2", 7, "", "/logs/b.log", "/logs/b.log", True, 1_700_000_001.0)


def opened(path: Path) -> Positions:
    positions = Positions(path)
    positions.open()
    return positions


def test_marks_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "state" / "positions.sqlite"
    first = opened(path)
    first.save([ONE, TWO])
    first.save([ONE._replace(offset=200)])
    first.close()
    second = opened(path)
    assert second.load() == {FileKey(1, 10): ONE._replace(offset=200), FileKey(1, 11): TWO}
    second.forget([FileKey(1, 11)])
    assert set(second.load()) == {FileKey(1, 10)}
    second.close()


def test_a_save_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    positions = opened(tmp_path / "positions.sqlite")
    positions.save([ONE])
    with pytest.raises(StorageError, match=r"positions\.sqlite"):
        positions.save([ONE._replace(offset=999), TWO._replace(path=None)])  # type: ignore[arg-type]
    assert positions.load() == {FileKey(1, 10): ONE}
    positions.close()


def test_a_closed_one_says_so(tmp_path: Path) -> None:
    positions = opened(tmp_path / "positions.sqlite")
    positions.close()
    with pytest.raises(StorageError, match="closed"):
        positions.load()


def test_another_process_may_look_while_it_is_open(tmp_path: Path) -> None:
    positions = opened(tmp_path / "positions.sqlite")
    positions.save([ONE])
    other = sqlite3.connect(tmp_path / "positions.sqlite")
    assert other.execute("SELECT path, offset FROM files").fetchall() == [("/logs/a.log", 100)]
    other.close()
    positions.close()


def test_a_file_that_is_no_database_is_for_the_operator(tmp_path: Path) -> None:
    """It does not heal by itself; the message says what to do."""
    path = tmp_path / "positions.sqlite"
    path.write_text("these are notes, and long enough for a header " * 10)
    with pytest.raises(StartError, match=r"positions\.sqlite.*not a database") as caught:
        opened(path)
    assert "move it away" in caught.value.remedy
