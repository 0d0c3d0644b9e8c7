"""Files that are rotated, cut, deleted and made again, while nobody or somebody reads: each line arrives once."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fenghuo.errors import StorageError
from log_pipeline.adapters.follow import FileSettings, Follower, Instant
from log_pipeline.model.event import Event


def cri(message: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2026-11-21T09:30:00.123456789Z {stream} {tag} {message}\n"


class Bench:
    """A folder of logs, a follower of it, and a sink that knows what it has."""

    def __init__(self, folder: Path, settings: FileSettings | None = None, pattern: str = "logs/*.log") -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.settings = settings or FileSettings()
        self.pattern = str(folder / pattern)
        self.seconds = 0.0
        self.sunk: dict[str, Event] = {}
        self.waiting: list[Event] = []
        self.start()

    def start(self) -> None:
        self.follower = Follower([self.pattern], self.folder / "positions.sqlite", "node", self.settings)
        self.follower.open(self.now)

    @property
    def now(self) -> Instant:
        return Instant(self.seconds, 1_700_000_000 + self.seconds)

    def kill(self) -> None:
        """What was read and not stored is forgotten; nothing is committed."""
        self.waiting.clear()
        self.follower.close()

    def restart(self) -> None:
        self.kill()
        self.start()

    def read(self, seconds: float = 1.0, limit: int = 1000) -> list[str]:
        """Let time pass, read; the messages that came."""
        self.seconds += seconds
        events = self.follower.collect(limit, self.now)
        self.waiting.extend(events)
        return [event.message for event in events]

    def store(self) -> None:
        """The sink acknowledges what was read; a known id is a duplicate."""
        for event in self.waiting:
            self.sunk.setdefault(event.id, event)

    def commit(self) -> None:
        """Store, then commit per partition what the last event says."""
        self.store()
        self.follower.commit({event.position.partition: event.position.next for event in self.waiting}, self.now)
        self.waiting.clear()

    def read_all(self) -> None:
        """Read until nothing comes, also from files that linger."""
        for _ in range(4):
            while self.read(1.0):
                self.commit()
        self.read(self.settings.linger + 1)
        self.commit()

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.sunk.values()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.kill()


def append(path: Path, *texts: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(texts))


def test_lines_come_as_they_are_written_with_their_place(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"), cri("two", stream="stderr"))
    assert bench.read() == ["one", "two"]
    append(log, cri("three"))
    assert bench.read() == ["three"]
    event = bench.waiting[1]
    assert (event.stream, event.timestamp, event.path) == ("stderr", "2026-11-21T09:30:00.123456789Z", str(log))
    assert (event.offset, event.host) == (len(cri("one")), "node")
    assert event.raw == cri("two", stream="stderr").rstrip("\n").encode()
    assert len({each.id for each in bench.waiting}) == 3


def test_a_line_is_given_when_its_line_feed_has_come(bench: Bench) -> None:
    append(bench.logs / "a.log", cri("one")[:-5])
    assert bench.read() == []
    append(bench.logs / "a.log", cri("one")[-5:])
    assert bench.read() == ["one"]


def test_a_plain_text_line_takes_the_time_at_which_it_was_read(bench: Bench) -> None:
    append(bench.logs / "a.log", "hello\n")
    assert bench.read(3.5) == ["hello"]
    assert bench.waiting[0].timestamp == "2023-11-14T22:13:23.500Z"


def test_pieces_are_joined_and_a_restart_in_between_joins_them_again(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("out 1 ", "P"), cri("err", stream="stderr"))
    assert bench.read() == ["err"]
    bench.commit()
    bench.restart()
    append(log, cri("out 2"))
    assert bench.read() == ["err", "out 1 out 2"]
    bench.commit()
    assert bench.messages == ["err", "out 1 out 2"]


def test_a_last_piece_that_never_comes_is_not_waited_for(bench: Bench) -> None:
    """A container that dies in the middle of a line: its last words are found, and said to be a part."""
    log = bench.logs / "a.log"
    append(log, cri("panic: out of", "P"))
    assert bench.read() == []
    assert bench.read(5.0) == []
    assert bench.read(1.0) == ["panic: out of"]
    assert bench.waiting[0].added == {"log.flags": ["partial"]}
    bench.store()
    # killed before the commit, and now the rest comes: the whole line must not pass for its first part
    bench.restart()
    append(log, cri(" memory"))
    assert bench.read() == ["panic: out of memory"]
    bench.commit()
    assert bench.messages == ["panic: out of", "panic: out of memory"]


def test_a_line_beyond_the_bound_is_cut_and_flagged(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FileSettings(longest_line=100))
    append(bench.logs / "a.log", cri("x" * 500_000), cri("next"))
    read = [bench.read() for _ in range(10)]
    assert [message for messages in read for message in messages] == ["x" * 60, "next"]
    assert bench.waiting[0].added == {"log.flags": ["truncated"]}


def test_nothing_is_committed_that_was_not_acknowledged(bench: Bench) -> None:
    append(bench.logs / "a.log", cri("one"))
    bench.read()
    bench.commit()
    append(bench.logs / "a.log", cri("two"), cri("three"))
    assert bench.read() == ["two", "three"]
    bench.restart()
    assert bench.read() == ["two", "three"]


def test_the_limit_holds_and_a_commit_in_the_middle_of_a_chunk_is_exact(bench: Bench) -> None:
    append(bench.logs / "a.log", *(cri(str(number)) for number in range(10)))
    assert bench.read(limit=4) == ["0", "1", "2", "3"]
    bench.commit()
    bench.restart()
    assert bench.read(limit=4) == ["4", "5", "6", "7"]


def test_a_noisy_file_does_not_starve_its_neighbour(bench: Bench) -> None:
    append(bench.logs / "a-noisy.log", *(cri("x" * 1000) for _ in range(5000)))
    append(bench.logs / "b.log", cri("quiet"))
    assert "quiet" in bench.read(limit=400)


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read()
    log.rename(bench.logs / "a.log.1")
    append(bench.logs / "a.log.1", cri("two"))
    append(log, cri("three"))
    assert bench.read() == ["two", "three"]
    append(bench.logs / "a.log.1", cri("late"))
    assert bench.read() == ["late"]
    bench.commit()
    assert {event.path for event in bench.sunk.values()} == {str(log)}


def test_a_file_rotated_while_nobody_read_is_found_and_read_on(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read()
    bench.commit()
    bench.kill()
    append(log, cri("two"))
    log.rename(bench.logs / "a.log.20261121")
    append(log, cri("three"))
    bench.start()
    assert bench.read() == ["two", "three"]


def test_files_rotated_twice_while_nobody_read_are_all_found(bench: Bench) -> None:
    """The one in the middle was never seen under the path that the glob names."""
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read()
    bench.commit()
    bench.kill()
    for number in (1, 2):
        append(log, cri(f"end of {number}"))
        log.rename(bench.logs / f"a.log.{number}")
    append(log, cri("three"))
    bench.start()
    assert sorted(bench.read()) == ["end of 1", "end of 2", "three"]
    bench.commit()
    bench.restart()
    assert bench.read() == []


def test_files_rotated_twice_between_two_looks_are_all_found(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read()
    for number in (1, 2):
        append(log, cri(f"end of {number}"))
        log.rename(bench.logs / f"a.log.{number}")
    append(log, cri("three"))
    assert sorted(bench.read()) == ["end of 1", "end of 2", "three"]


def test_a_deleted_file_is_read_to_its_end(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read()
    append(log, cri("two"), "no line feed")
    log.unlink()
    assert bench.read() == ["two"]
    assert bench.read(bench.settings.linger_deleted) == ["no line feed"]
    assert bench.follower.lag() == 0


def test_a_cut_file_is_begun_again_with_other_ids(bench: Bench) -> None:
    """copytruncate: same inode, same path, even the same first line."""
    log = bench.logs / "a.log"
    append(log, "banner\n", "one\n")
    bench.read()
    bench.commit()
    log.write_text("banner\n")
    assert bench.read() == ["banner"]
    bench.commit()
    assert bench.messages == ["banner", "one", "banner"]


def test_a_cut_file_that_has_grown_beyond_its_old_size_is_noticed(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, "banner\n", "one\n")
    bench.read()
    bench.commit()
    with log.open("r+") as file:
        file.truncate(0)
        file.write("banner\nsecond life, and longer than the first one was\n")
    assert bench.read() == ["banner", "second life, and longer than the first one was"]


def test_a_file_cut_while_nobody_read_is_noticed(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, "banner\n", "one\n")
    bench.read()
    bench.commit()
    bench.kill()
    with log.open("r+") as file:
        file.truncate(0)
        file.write("banner\ntwo\n")
    bench.start()
    assert bench.read() == ["banner", "two"]
    bench.commit()
    assert bench.messages == ["banner", "one", "banner", "two"]


def test_a_cut_file_keeps_its_new_ids_over_a_kill(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, "banner\n", "one\n")
    bench.read()
    bench.commit()
    log.write_text("banner\n")
    bench.read()
    bench.store()
    bench.restart()
    bench.read()
    bench.commit()
    assert bench.messages == ["banner", "one", "banner"]


def test_the_same_inode_and_size_under_another_name_is_another_file(bench: Bench) -> None:
    """What a CronJob does: the same output each time, by new pods, on inodes used again."""
    first, second = bench.logs / "run-1.log", bench.logs / "run-2.log"
    append(first, cri("start"), cri("run 1"))
    bench.read()
    bench.commit()
    bench.kill()
    with first.open("r+") as file:  # the inode stays, everything else is new
        file.truncate(0)
        file.write(cri("start") + cri("run 2"))
    first.rename(second)
    bench.start()
    assert bench.read() == ["start", "run 2"]
    bench.commit()
    assert [event.path for event in bench.sunk.values()] == [str(first), str(first), str(second), str(second)]


def test_a_link_is_followed_and_two_paths_of_one_file_are_read_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pattern="links/*.log")
    pods = tmp_path / "pods"
    links = tmp_path / "links"
    pods.mkdir()
    links.mkdir()
    for name in ("a.log", "b.log"):
        (links / name).symlink_to(pods / "0.log")
    assert bench.read() == []
    append(pods / "0.log", cri("one"))
    assert bench.read() == ["one"]
    (pods / "0.log").rename(pods / "0.log.1")
    append(pods / "0.log.1", cri("two"))
    append(pods / "0.log", cri("three"))
    assert bench.read() == ["two", "three"]
    assert {event.path for event in bench.waiting} == {str(links / "a.log")}


def test_what_cant_be_read_is_said_once_and_its_neighbours_go_on(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = bench.logs / "loop.log"
    loop.symlink_to(loop)
    (bench.logs / "folder.log").mkdir()
    append(bench.logs / "a.log", cri("one"))
    assert bench.read() == ["one"]
    append(bench.logs / "a.log", cri("two"))
    assert bench.read() == ["two"]
    said = capsys.readouterr()
    assert (said.out + said.err).count(f"path={loop}") == 1


def test_a_compressed_file_is_not_read_as_text(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pattern="logs/*")
    (bench.logs / "a.log.1.gz").write_bytes(b"\x1f\x8b\n\n\n")
    append(bench.logs / "a.log", cri("one"))
    assert bench.read() == ["one"]


def open_below(folder: Path) -> list[str]:
    """The paths below the folder that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [str(link.readlink()) for link in links if link.readlink().is_relative_to(folder)]


def test_silent_files_do_not_hold_descriptors(tmp_path: Path) -> None:
    """Three hundred files, eight descriptors; a rotated one is still found when its descriptor was closed."""
    bench = Bench(tmp_path, FileSettings(most_open=8, idle=10.0))
    for number in range(300):
        append(bench.logs / f"{number:03d}.log", cri(f"first of {number}"))
    assert len(bench.read()) == 300
    assert len(open_below(bench.logs)) == 8
    bench.read(11.0)
    assert open_below(bench.logs) == []
    append(bench.logs / "007.log", cri("second"))
    (bench.logs / "007.log").rename(bench.logs / "007.log.1")
    assert bench.read() == ["second"]


def test_lag_counts_the_bytes_that_are_not_read(bench: Bench) -> None:
    append(bench.logs / "a.log", *(cri("x" * 1000) for _ in range(1000)))
    size = (bench.logs / "a.log").stat().st_size
    bench.read(limit=1)
    assert 0 < bench.follower.lag() < size
    bench.read_all()
    assert bench.follower.lag() == 0


def test_a_missing_first_line_end_is_waited_for_and_taken_at_the_end(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, "only line, no feed")
    assert bench.read() == []
    log.rename(bench.logs / "a.log.1")
    assert bench.read() == []
    assert bench.read(61.0) == ["only line, no feed"]


def test_positions_that_cant_be_kept_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "positions.sqlite").mkdir()
    with pytest.raises(StorageError, match=r"positions\.sqlite"):
        Bench(tmp_path)


def test_the_position_of_a_file_long_gone_is_forgotten(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read_all()
    log.unlink()
    bench.read_all()
    bench.restart()
    assert len(bench.follower._positions.load()) == 1
    bench.seconds += 8 * 86_400
    bench.restart()
    assert bench.follower._positions.load() == {}


def test_a_long_file_that_has_left_is_not_taken_into_memory_at_once(bench: Bench) -> None:
    """Rotated, then silent for longer than it lingers, because the sink was away: its rest comes in bounded reads."""
    log = bench.logs / "a.log"
    append(log, *(cri("x" * 1000) for _ in range(3000)))
    bench.read(limit=1)
    log.rename(bench.logs / "a.log.1")
    bench.read(limit=1)
    assert len(bench.read(bench.settings.linger + 1, limit=1)) == 1
    assert len(bench.follower._ready) < 1000
    bench.read_all()
    assert len(bench.messages) == 3000


def test_a_name_that_is_no_text_costs_only_its_own_file(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bad = os.fsencode(bench.logs) + b"/caf\xe9.log"
    with open(bad, "w", encoding="utf-8") as file:  # noqa: PTH123 - a Path can't be made of bytes
        file.write(cri("nobody reads me"))
    append(bench.logs / "a.log", cri("one"))
    assert bench.read() == ["one"]
    bench.commit()
    said = capsys.readouterr()
    assert "caf\\udce9.log" in said.out + said.err


def test_a_link_to_a_name_that_is_no_text_is_followed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bad = os.fsencode(tmp_path) + b"/caf\xe9"
    with open(bad, "w", encoding="utf-8") as file:  # noqa: PTH123 - a Path can't be made of bytes
        file.write(cri("one"))
    os.symlink(bad, os.fsencode(bench.logs / "a.log"))  # noqa: PTH211 - as above
    assert bench.read() == ["one"]
    bench.commit()


def test_the_position_of_a_file_long_gone_is_forgotten_while_running_too(bench: Bench) -> None:
    log = bench.logs / "a.log"
    append(log, cri("one"))
    bench.read_all()
    log.unlink()
    bench.read_all()
    bench.read(8 * 86_400)
    assert bench.follower._positions.load() == {}
    assert bench.follower._marks == {}


class Rotations(RuleBasedStateMachine):
    """Writers, rotation and kills in any order. Each line that a program wrote is in the sink once, at the end.

    The model keeps to what can be kept: a file is cut or deleted only when it was read and stored, because what
    is gone before it was read can't be had by anybody.
    """

    @initialize(folder=st.runner())
    def begin(self, folder: object) -> None:
        import tempfile

        self.temporary = tempfile.TemporaryDirectory()
        quick = FileSettings(idle=2.0, linger=4.0, linger_deleted=4.0, unfinished=1e9)
        self.bench = Bench(Path(self.temporary.name), quick)
        self.log = self.bench.logs / "app.log"
        self.written: Counter[str] = Counter()
        self.number = 0
        self.open_piece = ""
        self.rotated = 0
        self.first_life = True
        self.make()

    def make(self, banner: str = "banner") -> None:
        """Lives of the file begin with the same line."""
        append(self.log, banner + "\n")
        self.written[banner] += 1

    def make_anew(self, down: bool) -> None:
        """Made while nobody looks, on an inode used again, a file must differ from the old one: to anybody a file
        that begins with all bytes of the old one is the old one, grown.
        """
        self.number += down
        self.make(f"banner {self.number}" if down else "banner")

    @rule(lines=st.integers(1, 5), stream=st.sampled_from(["stderr", "plain"]))
    def write(self, lines: int, stream: str) -> None:
        for _ in range(lines):
            self.number += 1
            message = f"line {self.number}"
            append(self.log, message + "\n" if stream == "plain" else cri(message, stream=stream))
            self.written[message] += 1

    @rule(last=st.booleans())
    def write_piece(self, last: bool) -> None:
        self.number += 1
        self.open_piece += f"piece {self.number} "
        append(self.log, cri(f"piece {self.number} ", "F" if last else "P"))
        if last:
            self.written[self.open_piece] += 1
            self.open_piece = ""

    @rule(limit=st.integers(1, 7), seconds=st.sampled_from([0.0, 1.0, 3.0]))
    def read(self, limit: int, seconds: float) -> None:
        self.bench.read(seconds, limit)

    @rule()
    def store(self) -> None:
        self.bench.store()

    @rule()
    def commit(self) -> None:
        self.bench.commit()

    @rule()
    def kill_and_start(self) -> None:
        self.bench.restart()

    @precondition(lambda self: not self.open_piece)
    @rule(down=st.booleans())
    def rename(self, down: bool) -> None:
        if self.first_life:
            self.bench.read(1.0)  # a file that comes and goes between two looks, alone, is seen by nobody
        self.first_life = False
        if down:
            self.bench.kill()
        self.rotated += 1
        self.log.rename(self.bench.logs / f"app.log.{self.rotated}")
        self.make_anew(down)
        if down:
            self.bench.start()

    @precondition(lambda self: not self.open_piece)
    @rule(down=st.booleans(), cut=st.booleans())
    def begin_anew(self, down: bool, cut: bool) -> None:
        self.bench.read_all()
        self.first_life = True
        if down:
            self.bench.kill()
        if cut:
            self.log.write_text("")
        else:
            self.log.unlink()
        if down:
            self.make_anew(down)
            self.bench.start()
        else:
            self.bench.read(1.0)
            self.make_anew(down)

    @invariant()
    def nothing_is_stored_that_was_not_written(self) -> None:
        if hasattr(self, "bench"):
            stored = Counter(self.bench.messages)
            assert stored <= self.written, stored - self.written

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        if self.open_piece:
            self.write_piece(last=True)
        self.bench.read_all()
        self.bench.kill()
        self.temporary.cleanup()
        assert Counter(self.bench.messages) == self.written


TestRotations = Rotations.TestCase
TestRotations.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
