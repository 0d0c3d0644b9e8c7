"""One engine a folder."""

import asyncio
from pathlib import Path

import pytest

from alerting.storage.folder_lock import FolderLock
from fenghuo.errors import StartError


def test_a_second_engine_on_a_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first = FolderLock.take(tmp_path / "state")
    with pytest.raises(StartError, match="in use by another alert engine"):
        FolderLock.take(tmp_path / "state")
    asyncio.run(first.release())
    asyncio.run(FolderLock.take(tmp_path / "state").release())


def test_a_folder_that_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"file: .*--storage\.path"):
        FolderLock.take(tmp_path / "file")
