"""The state folder is found, made, and used by one instance at a time."""

import os
from pathlib import Path

import pytest

from fenghuo.errors import StartError
from fenghuo.up.state import StateFolder, default_folder, holder, make_folder, read_json, take_lock, write_json


def test_the_default_folder_follows_the_xdg_specification() -> None:
    assert default_folder({"XDG_STATE_HOME": "/var/state"}) == Path("/var/state/fenghuo")
    assert default_folder({}) == Path.home() / ".local" / "state" / "fenghuo"
    # a relative value is invalid by the specification and passed over
    assert default_folder({"XDG_STATE_HOME": "state"}) == Path.home() / ".local" / "state" / "fenghuo"


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "deep" / "state")
    make_folder(folder)
    make_folder(folder)
    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.root.iterdir()) == [
        "alerting", "config", "log", "logs", "prometheus", "rules",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_written_says_cause_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartError) as caught:
        make_folder(StateFolder(tmp_path / "file" / "state"))
    assert str(caught.value) == (
        f"the state folder {tmp_path}/file/state can't be written (Not a directory); "
        "choose another with --state DIR, or make it yours"
    )


def test_a_folder_inside_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """One that an earlier start as root has left, say."""
    (tmp_path / "log").symlink_to("/proc")  # nobody can write there, root included
    with pytest.raises(StartError, match=f"the state folder {tmp_path}/log can't be written"):
        make_folder(StateFolder(tmp_path))


def test_a_lock_that_cannot_be_opened_says_cause_and_remedy(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.lock.mkdir()
    with pytest.raises(StartError, match=r"can't be written.*choose another with --state DIR"):
        take_lock(folder, os.getpid())


def test_a_second_instance_is_told_who_has_the_folder(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    lock = take_lock(folder, os.getpid())
    assert holder(folder) == os.getpid()
    with pytest.raises(StartError, match=f"in use by process {os.getpid()}; `fenghuo up stop --state {tmp_path}`"):
        take_lock(folder, os.getpid())
    lock.release()
    assert holder(folder) is None
    take_lock(folder, os.getpid()).release()


def test_nobody_holds_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert holder(StateFolder(tmp_path / "missing")) is None


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    assert read_json(path) is None
    path.write_text("{half")
    assert read_json(path) is None
    write_json(path, {"page": 8600})
    assert read_json(path) == {"page": 8600}
    assert [entry.name for entry in tmp_path.iterdir()] == ["ports.json"]
