"""The SQLite store: what is written is there once, is found by what the query says, and leaves in time."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenghuo.errors import StartError
from fenghuo.testing import ManualClock
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.adapters.sqlite_search import SqliteSearcher
from log_pipeline.model.event import Event, Pod
from log_pipeline.model.outcome import Answer, Duplicate, Indexed, Rejected, Retry
from log_pipeline.search.find import COUNTED, Found, Search, SearchTooSlow
from log_pipeline.search.query import AllOf, AnyOf, Not, Query, Term, parse
from log_pipeline.testing import new_event

MIDNIGHT = 1_795_219_200.0  # 2026-11-21T00:00:00Z


def line(number: int, message: str = "a line", level: str = "", pod: Pod | None = None, path: str = "/x.log") -> Event:
    """The `number`-th line; its time is that many seconds after midnight."""
    event = new_event(number, message, level=level, pod=pod)
    event.timestamp = f"2026-11-21T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    event.path = path
    event.stream = "stderr" if level == "error" else "stdout"
    event.host = "node-1"
    return event


def config(path: Path, **options: float) -> SqliteConfig:
    return SqliteConfig.model_validate({"type": "sqlite", "path": path, **options})


def write(path: Path, *batches: Sequence[Event], now: float = MIDNIGHT, **options: float) -> list[Answer]:
    """Write the batches through a sink of their own; the answers of the last."""

    async def main() -> list[Answer]:
        sink = SqliteSink(config(path, **options), ManualClock(now))
        await sink.open()
        answers: Sequence[Answer] = []
        for batch in batches:
            answers = await sink.write(batch)
        await sink.close()
        return list(answers)

    return asyncio.run(main())


def search(
    path: Path, query: str = "", since: float | None = None, until: float | None = None, limit: int = 100
) -> Found:
    return asyncio.run(SqliteSearcher(path).search(Search(parse(query), since, until, limit)))


def messages(found: Found) -> list[str]:
    return [each.message for each in found.lines]


WEB = Pod("shop", "web-1", "app")
API = Pod("shop", "api-7f", "app")
DNS = Pod("kube-system", "coredns-x", "coredns")

STORED = [
    line(1, "payment accepted for order 17", "info", WEB, "/logs/web.log"),
    line(2, "Payment FAILED: connection refused", "error", WEB, "/logs/web.log"),
    line(3, "connection was refused", "warn", API, "/logs/api.log"),
    line(4, "支付失败,请重试 trace_id=abc-123", "error", API, "/logs/api.log"),
    line(5, "支付成功", "info", API, "/logs/api.log"),
    line(6, "cache 100% full => evict", "", DNS, "/logs/dns.log"),
    line(7, "Überlauf im café", "fatal", None, "/logs/plain[1].log"),
]

FOUND: dict[str, list[int]] = {
    "": [7, 6, 5, 4, 3, 2, 1],
    "payment": [2, 1],
    "PAYMENT failed": [2],
    '"connection refused"': [2],
    "connection refused": [3, 2],
    "pay*": [2, 1],
    '"order 17"': [1],
    "order 1*": [1],
    "pay": [],
    "支付": [5, 4],
    "支付 失败": [4],
    '"支付失败"': [4],
    "付失": [4],
    "失": [4],
    "支败": [],
    "请重试": [4],
    "abc-123": [4],
    "trace_id=abc": [4],
    "not 支付": [7, 6, 3, 2, 1],
    "uberlauf": [7],
    "CAFÉ": [7],
    "=>": [6],
    "%": [6],
    "100%": [6],
    "*fused*": [3, 2],
    "p*nt": [2, 1],
    "*": [7, 6, 5, 4, 3, 2, 1],
    "level:error": [4, 2],
    "level:ERROR": [4, 2],
    "level:warning": [3],
    "level:(error or fatal)": [7, 4, 2],
    "level:e*": [4, 2],
    "not level:*": [6],
    "level:error payment": [2],
    "namespace:shop and not pod:web-*": [5, 4, 3],
    "pod:*": [6, 5, 4, 3, 2, 1],
    "not pod:*": [7],
    "pod:WEB-1": [],
    "container:coredns or level:fatal": [7, 6],
    "stream:stderr": [4, 2],
    "node:node-1 order": [1],
    "node:other": [],
    "path:/logs/web.log": [2, 1],
    "path:*/api.log": [5, 4, 3],
    "path:/logs/plain[1]*": [7],
    "path:/logs/plain?1*": [],
    "message:(payment and not failed)": [1],
    "payment or (cache full)": [6, 2, 1],
    "not (payment or 支付)": [7, 6, 3],
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "logs.sqlite"
    write(path, STORED)
    return path


@pytest.mark.parametrize(("query", "numbers"), FOUND.items())
def test_a_query_finds_what_it_says(stored: Path, query: str, numbers: list[int]) -> None:
    """Newest first; words without regard to case and accents, Chinese without spaces."""
    found = search(stored, query)
    assert [each.offset for each in found.lines] == numbers
    assert (found.total, found.exact) == (len(numbers), True)


def test_a_found_line_says_all_that_is_known(stored: Path) -> None:
    found = search(stored, "failed")
    assert [(each.timestamp, each.namespace, each.pod, each.container) for each in found.lines] == [
        ("2026-11-21T00:00:02.000Z", "shop", "web-1", "app")
    ]
    assert [(each.node, each.stream, each.level, each.path, each.offset) for each in found.lines] == [
        ("node-1", "stderr", "error", "/logs/web.log", 2)
    ]


def test_the_time_range_takes_its_beginning_and_leaves_its_end(stored: Path) -> None:
    assert [each.offset for each in search(stored, "", MIDNIGHT + 2, MIDNIGHT + 4).lines] == [3, 2]


def test_the_newest_lines_are_given_and_all_are_counted(stored: Path) -> None:
    found = search(stored, "", limit=2)
    assert ([each.offset for each in found.lines], found.total, found.exact) == ([7, 6], 7, True)


def test_lines_of_one_moment_keep_the_order_in_which_they_came(tmp_path: Path) -> None:
    """Microseconds apart or none at all: the later line is the newer one."""
    batch = [line(number, f"line {number}") for number in range(3)]
    for event, fraction in zip(batch, ("000000002", "000000001", "000000002"), strict=True):
        event.timestamp = f"2026-11-21T00:00:00.{fraction}Z"
    write(tmp_path / "x.sqlite", batch)
    assert messages(search(tmp_path / "x.sqlite")) == ["line 2", "line 0", "line 1"]


def test_a_count_has_a_bound_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"
    write(path, [line(number, "same") for number in range(COUNTED)])
    more = [line(number, "same") for number in range(COUNTED, COUNTED + 5)]
    write(path, more)
    for query in ("same", "", "stream:stdout"):
        found = search(path, query, limit=3)
        assert (found.total, found.exact, found.lines[0].offset) == (COUNTED, False, COUNTED + 4)


def test_a_line_written_again_is_a_duplicate_and_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"
    assert write(path, [line(1), line(2), line(1)]) == [Indexed(), Indexed(), Duplicate()]
    assert write(path, [line(2), line(3)]) == [Duplicate(), Indexed()]
    assert search(path, "line").total == 3


def test_what_the_store_cant_hold_is_rejected_alone(tmp_path: Path) -> None:
    odd = [line(number) for number in range(4)]
    odd[0].timestamp = "yesterday"
    odd[1].timestamp = "9999-01-01T00:00:00Z"
    odd[2].message = "lone \ud800 surrogate"
    answers = write(tmp_path / "x.sqlite", odd)
    assert [answer.reason for answer in answers] == ["timestamp", "encoding", "encoding", "created"]
    assert all(isinstance(answer, Rejected) for answer in answers[:3])


def test_a_message_of_control_characters_and_zeros_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    write(path, [line(1, 'a\0b "quoted" \x1b[0m')])
    assert messages(search(path, "quoted")) == ['a\0b "quoted" \x1b[0m']
    assert messages(search(path, '"a\0b"')) == ['a\0b "quoted" \x1b[0m']


def test_lines_beyond_their_age_are_deleted_and_no_longer_found(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"
    write(path, [line(number, f"old 支付 {number}") for number in range(10)])
    write(path, [line(3600, "new")], now=MIDNIGHT + 3600, retention=3595.0)
    assert messages(search(path)) == ["new", *(f"old 支付 {number}" for number in range(9, 4, -1))]
    assert search(path, "支付").total == 5
    check_index(path)


def test_long_lines_are_deleted_and_found_a_bounded_number_of_bytes_at_a_time(tmp_path: Path) -> None:
    """Two thousand lines of a MiB each would be two GiB of memory for one step or one answer."""
    path = tmp_path / "logs.sqlite"
    write(path, [line(number, "x" * (1 << 20)) for number in range(40)])
    found = search(path)
    assert (len(found.lines), found.total) == (16, 40)
    write(path, [line(3600, "new")], now=MIDNIGHT + 3600, retention=60.0)
    assert search(path).total == 25
    write(path, [line(3601, "new")], [line(3602, "new")], now=MIDNIGHT + 3600, retention=60.0)
    assert messages(search(path)) == ["new"] * 3
    check_index(path)


def test_the_oldest_lines_are_deleted_beyond_the_size(tmp_path: Path) -> None:
    """The file stays about as large as allowed however much is written, and the newest lines are there."""
    path = tmp_path / "logs.sqlite"
    batches = [
        [line(number, f"{number} " + "word " * 200) for number in range(at, at + 500)] for at in range(0, 6000, 500)
    ]
    write(path, *batches, largest=2 << 20)
    assert path.stat().st_size < 6 << 20
    found = search(path, "word", limit=1)
    assert found.lines[0].offset == 5999
    assert found.total < 4000
    check_index(path)


def check_index(path: Path) -> None:
    """Every stored line is in the full-text index, and nothing else is."""
    connection = sqlite3.connect(path)
    lines = {row[0] for row in connection.execute("SELECT rowid FROM lines")}
    terms = connection.execute("SELECT rowid FROM lines_text WHERE lines_text MATCH 'word OR new OR old'")
    assert {row[0] for row in terms} == lines
    connection.close()


def test_a_full_disk_is_a_retry_and_nothing_is_half_written(tmp_path: Path) -> None:
    """Tried for real: a bound on the database's pages is the same error as a full disk."""

    async def main() -> None:
        sink = SqliteSink(config(tmp_path / "logs.sqlite"), ManualClock(MIDNIGHT))
        await sink.open()
        assert sink._connection is not None
        pages = sink._connection.execute("PRAGMA page_count").fetchone()[0]
        sink._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        batch = [line(number, "x" * 2000) for number in range(100)]
        answers = await sink.write(batch)
        assert {(type(answer), answer.reason) for answer in answers} == {(Retry, "disk_full")}
        sink._connection.execute("PRAGMA max_page_count = 1000000")
        assert set(await sink.write(batch)) == {Indexed()}
        await sink.close()

    asyncio.run(main())
    assert search(tmp_path / "logs.sqlite").total == 100
    assert search(tmp_path / "logs.sqlite", "x*").total == 100


def test_another_writer_makes_it_wait_and_retry_and_not_fail(tmp_path: Path) -> None:
    async def main() -> Sequence[Answer]:
        sink = SqliteSink(config(tmp_path / "logs.sqlite"), ManualClock(MIDNIGHT))
        await sink.open()
        assert sink._connection is not None
        sink._connection.execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(tmp_path / "logs.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answers = await sink.write([line(1)])
        other.execute("ROLLBACK")
        other.close()
        await sink.close()
        return answers

    assert [(type(answer), answer.reason) for answer in asyncio.run(main())] == [(Retry, "busy")]


def clear(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def test_a_database_that_is_moved_away_or_deleted_is_begun_anew(tmp_path: Path) -> None:
    """Without a look at it, lines would go on into a file that nobody finds, and be acknowledged."""
    path = tmp_path / "logs.sqlite"

    async def main() -> None:
        sink = SqliteSink(config(path), ManualClock(MIDNIGHT))
        await sink.open()
        await sink.write([line(1)])
        clear(tmp_path)
        assert await sink.write([line(2)]) == [Indexed()]
        await sink.close()

    asyncio.run(main())
    assert [each.offset for each in search(path).lines] == [2]


def test_a_database_that_is_moved_away_keeps_all_that_was_acknowledged(tmp_path: Path) -> None:
    path, moved = tmp_path / "logs.sqlite", tmp_path / "moved.sqlite"

    async def main() -> None:
        sink = SqliteSink(config(path), ManualClock(MIDNIGHT))
        await sink.open()
        await sink.write([line(1)])
        path.rename(moved)
        assert await sink.write([line(2)]) == [Indexed()]
        await sink.close()

    asyncio.run(main())
    assert [each.offset for each in search(path).lines] == [2]
    assert [each.offset for each in search(moved).lines] == [1]


def test_a_database_that_cant_be_begun_anew_is_a_retry_that_says_why(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"

    async def main() -> Sequence[Answer]:
        sink = SqliteSink(config(path), ManualClock(MIDNIGHT))
        await sink.open()
        clear(tmp_path)
        path.mkdir()
        answers = await sink.write([line(1)])
        path.rmdir()
        assert await sink.write([line(1)]) == [Indexed()]
        await sink.close()
        return answers

    (answer,) = asyncio.run(main())
    assert isinstance(answer, Retry)
    assert str(path) in answer.detail


def test_a_closed_sink_answers_retry() -> None:
    async def main() -> Sequence[Answer]:
        return await SqliteSink(config(Path("never-made.sqlite")), ManualClock()).write([line(1)])

    assert asyncio.run(main()) == [Retry("closed")]


@pytest.mark.parametrize("action", [lambda path: write(path, [line(1)]), search], ids=["write", "search"])
def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path, action: Callable[[Path], object]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are notes, and long enough for a header " * 10)
    foreign = tmp_path / "foreign.sqlite"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE lines (x)")
    connection.commit()
    connection.close()
    for path, cause in ((text, "file is not a database"), (foreign, "is no log database of fenghuo")):
        with pytest.raises(StartError, match=cause) as caught:
            action(path)
        assert str(path) in str(caught.value)
        assert caught.value.remedy
    assert text.read_text().startswith("these are notes")


def damage(path: Path) -> None:
    """Overwrite the root page of the table of lines."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'lines'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)


def test_a_damaged_file_is_waited_for_and_the_remedy_is_said(tmp_path: Path) -> None:
    """Once it was moved away, the lines that waited are stored in a new one."""
    path = tmp_path / "logs.sqlite"
    write(path, [line(1)])
    damage(path)

    async def main() -> Sequence[Answer]:
        sink = SqliteSink(config(path), ManualClock(MIDNIGHT))
        await sink.open()
        answers = await sink.write([line(1)])
        path.rename(tmp_path / "damaged.sqlite")
        assert await sink.write([line(1)]) == [Indexed()]
        await sink.close()
        return answers

    (answer,) = asyncio.run(main())
    assert isinstance(answer, Retry)
    assert "move it away, and a new one is begun" in answer.detail


def test_a_later_version_of_the_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"
    write(path, [line(1)])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StartError, match="has tables of version 99, expected"):
        search(path)


def rights_below(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_only_the_owner_may_read_what_was_logged(tmp_path: Path) -> None:
    async def main() -> set[int]:
        sink = SqliteSink(config(tmp_path / "logs.sqlite"), ManualClock(MIDNIGHT))
        await sink.open()
        await sink.write([line(1)])
        rights = rights_below(tmp_path)
        await sink.close()
        return rights

    assert asyncio.run(main()) == {0o600}


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="can't be made"):
        write(tmp_path / "file" / "logs.sqlite", [line(1)])
    with pytest.raises(StartError, match="unable to open"):
        write(tmp_path, [line(1)])


def test_a_database_that_is_not_there_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="start `fenghuo up` or `fenghuo logs run`"):
        search(tmp_path / "logs.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cant_even_be_looked_at_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="File name too long"):
        search(tmp_path / ("x" * 300))


def test_a_search_under_way_ends_when_the_store_is_closed(tmp_path: Path) -> None:
    """An orderly end must not wait for somebody's slow search."""
    path = tmp_path / "logs.sqlite"
    write(path, [line(number, "word " * 20) for number in range(3000)])
    searcher = SqliteSearcher(path, clock=ManualClock())
    asyncio.run(searcher.close())
    with pytest.raises(SearchTooSlow):
        searcher._search(Search(parse("*w*x*")))


def test_a_search_works_while_the_sink_has_the_file_open(tmp_path: Path) -> None:
    async def main() -> tuple[int, int]:
        path = tmp_path / "logs.sqlite"
        sink = SqliteSink(config(path), ManualClock(MIDNIGHT))
        await sink.open()
        await sink.write([line(1)])
        first = await SqliteSearcher(path).search(Search(AllOf()))
        assert sink._connection is not None
        sink._connection.execute("BEGIN IMMEDIATE")
        second = await SqliteSearcher(path).search(Search(AllOf()))
        sink._connection.execute("ROLLBACK")
        await sink.close()
        return first.total, second.total

    assert asyncio.run(main()) == (1, 1)


def test_a_search_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite"
    write(path, [line(number, "word " * 20) for number in range(3000)])

    class Hurried(ManualClock):
        """A second passes with each look at it."""

        def monotonic(self) -> float:
            self._monotonic += 1.0
            return self._monotonic

    searcher = SqliteSearcher(path, deadline=0.5, clock=Hurried())
    with pytest.raises(SearchTooSlow, match=re.escape("more than 0.5 s")):
        asyncio.run(searcher.search(Search(parse("*zzz*"))))


# A second reading of queries, in plain Python, that the database is held to.

_WORDS = re.compile(r"[A-Za-z0-9]+|[\u4e00-\u9fff]")


def words(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text)]


def holds(query: Query, event: Event) -> bool:
    if isinstance(query, Not):
        return not holds(query.query, event)
    if isinstance(query, AllOf):
        return all(holds(each, event) for each in query.queries)
    if isinstance(query, AnyOf):
        return any(holds(each, event) for each in query.queries)
    pod = event.pod or Pod()
    if query.field == "message":
        return holds_message(query.pieces, event.message)
    value = {"level": event.level, "pod": pod.name, "namespace": pod.namespace}[query.field]
    if len(query.pieces) > 1 and not any(query.pieces):
        return value != ""
    return re.fullmatch(".*".join(map(re.escape, query.pieces)), value) is not None


def holds_message(pieces: tuple[str, ...], message: str) -> bool:
    first = words(pieces[0])
    if not any(pieces) and len(pieces) > 1:
        return message != ""
    at_end = pieces[1:] == ("",) and bool(words(pieces[0][-1:]))
    if not first or (len(pieces) > 1 and not at_end):
        return re.search(".*".join(map(re.escape, pieces)), message, re.IGNORECASE) is not None
    have = words(message)
    for at in range(len(have) - len(first) + 1):
        part = have[at : at + len(first)]
        if part == first or (at_end and part[:-1] == first[:-1] and part[-1].startswith(first[-1])):
            return True
    return False


texts = st.lists(
    st.sampled_from(["pay", "Payment", "支付", "失败", "12", "-", "=>", "%", "_", " ", "'", '"', "(", "\\", "x"]),
    max_size=6,
).map("".join)
pieces = st.lists(texts, min_size=1, max_size=3).map(
    lambda parts: (parts[0], *(part for part in parts[1:-1] if part), *parts[1:][-1:])
)
terms = st.one_of(
    st.builds(Term, st.just("message"), pieces),
    st.builds(
        Term, st.sampled_from(["level", "pod", "namespace"]), st.sampled_from([("error",), ("w", ""), ("", ""), ("",)])
    ),
)
queries: st.SearchStrategy[Query] = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)

SAMPLE = [
    line(number, message, level, pod)
    for number, (message, level, pod) in enumerate(
        [
            ("pay 12", "error", WEB),
            ("Payment 支付失败 => 12%", "error", API),
            ("支付 失败_x", "", None),
            ("", "warn", WEB),
            ("' OR 1=1 -- \" x", "info", DNS),
            ("pay-12 (x) \\ _", "", API),
            ("失败支付", "error", None),
        ]
    )
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "logs.sqlite"
    write(path, SAMPLE)
    return path


@settings(max_examples=300, deadline=None)
@given(query=queries)
def test_the_database_and_plain_python_read_any_query_alike(sample: Path, query: Query) -> None:
    """And no text of a query ever becomes a part of a statement: that would be an error or another result."""
    found = SqliteSearcher(sample)._search(Search(query))
    assert {each.offset for each in found.lines} == {event.offset for event in SAMPLE if holds(query, event)}
