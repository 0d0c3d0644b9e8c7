"""Reading files: kept ones, absent ones, long ones and those that nobody may read."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from exporters.host import LONGEST, MOST_DENIED, Access, KeptFiles, Purse, Reason, Tree, Unreadable, _unreadable


def test_a_kept_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    """A file that changes in place is read anew each time, whole, however long it is."""
    kept = Tree(str(tmp_path)).keep("stat")
    contents = [b"one", b"", b"x" * 200_000, b"two", b"x" * 4095, b"x" * 4096, b"x" * 4097]
    for content in contents:
        (tmp_path / "stat").write_bytes(content)
        assert kept.read() == content
        assert kept.read_record() == content
    kept.close()


def test_a_kept_file_that_comes_later_is_found(tmp_path: Path) -> None:
    """Absent now does not mean absent for ever."""
    kept = Tree(str(tmp_path)).keep("later")
    assert kept.read() == Unreadable(str(tmp_path / "later"), Reason.ABSENT, "No such file or directory")
    (tmp_path / "later").write_bytes(b"here")
    assert kept.read_record() == b"here"
    kept.close()


def test_a_stale_descriptor_is_opened_anew(tmp_path: Path) -> None:
    """When the open file can no longer be read, as a removed cgroup's can't, the path is opened again."""
    (tmp_path / "file").write_bytes(b"content")
    kept = Tree(str(tmp_path)).keep("file")
    assert kept.read() == b"content"
    directory = os.open(tmp_path, os.O_RDONLY)
    os.dup2(directory, kept._descriptor)  # reading it now fails, as with ENODEV
    os.close(directory)
    assert kept.read() == b"content"
    kept.close()


def test_what_can_not_be_read_is_a_value_with_a_reason(tmp_path: Path) -> None:
    """Folders, absent folders and files below files are no exceptions."""
    tree = Tree(str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    assert isinstance(tree.read("folder"), Unreadable)
    assert isinstance(tree.names("absent"), Unreadable)
    assert isinstance(tree.folders("file"), Unreadable)
    assert isinstance(tree.status("file/below"), Unreadable)


def test_a_file_without_end_is_not_read_to_the_end() -> None:
    """Reads are bounded: /dev/zero has more bytes than anybody wants."""
    content = Tree("/dev").read("zero")
    assert isinstance(content, Unreadable)
    assert content.reason is Reason.TOO_LONG
    assert str(LONGEST) in str(content)


def test_lists_are_sorted_and_follow_no_links(tmp_path: Path) -> None:
    """Names come in order; a link to a folder is no folder."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "file").touch()
    tree = Tree(f"{tmp_path}/")
    assert tree.folders("") == ["a", "b"]
    assert tree.names("") == ["a", "b", "file", "link"]


@pytest.mark.parametrize(("root", "relative", "expected"), [("/", "proc/stat", "/proc/stat"), ("/host/", "", "/host")])
def test_paths_are_below_the_root(root: str, relative: str, expected: str) -> None:
    """One slash between root and path, also when the root is the root."""
    assert Tree(root).path(relative) == expected


def test_a_purse_that_is_empty_keeps_no_more_files(tmp_path: Path) -> None:
    """Files beyond it are read all the same, opened and closed each time; a closed one makes room."""
    access = Access(Purse(1))
    tree = Tree(str(tmp_path), access)
    kept = [tree.keep(name) for name in ("a", "b")]
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    assert [file.read() for file in kept] == [b"a", b"b"]
    assert access.purse.left == 0
    assert [file._descriptor >= 0 for file in kept] == [True, False]
    kept[0].close()
    assert kept[1].read() == b"b"
    assert kept[1]._descriptor >= 0
    kept[1].close()


def test_what_may_not_be_read_is_noted_with_the_right_that_it_takes() -> None:
    """For the operator: which file, and what this process would need."""
    access = Access()
    content = _unreadable("/proc/slabinfo", PermissionError(13, "Permission denied"), access)
    assert content.reason is Reason.NOT_PERMITTED
    assert access.denied == {"/proc/slabinfo": "CAP_DAC_READ_SEARCH"}


def test_links_are_read_and_followed(tmp_path: Path) -> None:
    """As they are written, and where they lead; what is no link is a value with a reason."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    tree = Tree(str(tmp_path))
    assert tree.target("link") == "real"
    assert tree.resolved("link") == str(tmp_path.resolve() / "real")
    assert isinstance(tree.target("real"), Unreadable)
    assert isinstance(tree.resolved("absent"), Unreadable)


def test_a_name_with_a_null_byte_is_one_that_is_not_there(tmp_path: Path) -> None:
    """Names come out of files, and files may be broken."""
    tree = Tree(str(tmp_path))
    for answer in (tree.read("a\0b"), tree.keep("a\0b").read(), tree.names("a\0b"), tree.status("a\0b")):
        assert isinstance(answer, Unreadable)
        assert answer.reason is Reason.ABSENT


def test_what_was_refused_does_not_pile_up() -> None:
    """Files of containers come and go for months, and a process that may not read them is refused each."""
    access = Access()
    for number in range(2 * MOST_DENIED):
        _unreadable(f"/run/{number}/config.json", PermissionError(errno.EACCES, ""), access)
    assert len(access.denied) == MOST_DENIED


def test_files_that_are_read_together(tmp_path: Path) -> None:
    """In order and as they are now, whole also when long; empty for one that is absent, until it is found."""
    kept = Tree(str(tmp_path)).keep_all(["one", "late", "two"])
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"22")
    assert kept.read() == [b"1", b"", b"22"]
    long = b"x" * 200_000
    (tmp_path / "one").write_bytes(long)
    (tmp_path / "late").write_bytes(b"here")
    assert kept.read() == [long, b"here", b"22"]
    (tmp_path / "one").write_bytes(b"")
    assert kept.read() == [b"", b"here", b"22"]
    assert Tree(str(tmp_path)).keep_all([]).read() == []


def test_an_absent_file_is_looked_for_soon_and_then_seldom(tmp_path: Path) -> None:
    """A scrape may come while a runtime makes a container's folders; a controller may be switched on years later."""
    tree = Tree(str(tmp_path))
    soon, late = tree.keep_all(["one"]), tree.keep_all(["one"])
    assert soon.read() == [b""]
    assert [late.read() for _ in range(2 * KeptFiles.LOOK_AGAIN + 1)][-1] == [b""]
    (tmp_path / "one").write_bytes(b"1")
    assert soon.read() == [b"1"]
    assert [late.read() for _ in range(KeptFiles.LOOK_AGAIN)] == [*[[b""]] * (KeptFiles.LOOK_AGAIN - 1), [b"1"]]


def test_a_folder_that_is_gone_does_not_speak_for_another(tmp_path: Path) -> None:
    """A cgroup that was removed has no answer, even where a new one of its name has."""
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    kept = Tree(str(tmp_path)).keep_all(["one", "two"])
    assert kept.read() == [b"1", b"2"]
    directory = os.open(tmp_path, os.O_RDONLY)
    os.dup2(directory, kept._descriptors[0])  # reading it now fails, as with ENODEV
    os.close(directory)
    assert kept.read() == [b"", b"2"]


def test_a_folder_that_was_made_anew_speaks_at_the_next_read(tmp_path: Path) -> None:
    """Before Linux 4.14 it may even have the inode number of the one that is gone."""
    (tmp_path / "one").write_bytes(b"1")
    purse = Purse(1)
    kept = Tree(str(tmp_path), Access(purse)).keep_all(["one"])
    assert kept.read() == [b"1"]
    with subprocess.Popen(["sleep", "60"]) as process:
        file = os.open(f"/proc/{process.pid}/stat", os.O_RDONLY)
        process.kill()
    os.dup2(file, kept._descriptors[0])  # reading it now fails, as what it was about is gone
    os.close(file)
    assert kept.read() == [b""]
    assert purse.left == 1
    (tmp_path / "one").write_bytes(b"2")
    assert kept.read() == [b"2"]
    assert purse.left == 0


def test_files_that_the_purse_can_not_keep_are_read_all_the_same(tmp_path: Path) -> None:
    """Two descriptors for three files; given back when nobody holds the files."""
    for name in ("one", "two", "three"):
        (tmp_path / name).write_bytes(name.encode())
    purse = Purse(2)
    kept = Tree(str(tmp_path), Access(purse)).keep_all(["one", "two", "three"])
    assert kept.read() == kept.read() == [b"one", b"two", b"three"]
    assert purse.left == 0
    del kept
    assert purse.left == 2
