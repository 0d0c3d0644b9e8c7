"""Metrics from files: what node_exporter's own tests expect, and what its users miss."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from exporters import catalog
from exporters.app import node_group
from exporters.collector import Family, gauge
from exporters.host import LONGEST
from exporters.node.textfile import Options, TextFile
from exporters.render import Format, Renderer
from exporters.scrape import Group, Scraper
from exporters.testing import FakeMachine, ManualTime, RecordingLog, exposed, samples_in, text_of
from tests.exporters.beside import Published, parse
from tests.exporters.machines import FIXTURES
from tests.stack.servers.waiting import wait_until

RECORDED = FIXTURES / "node" / "textfile"
NOW = 2_000_000_000.0
"""Later than any file was written."""

ERROR = "node_textfile_scrape_error"


def textfile(*folders: Path | str) -> TextFile:
    return TextFile(FakeMachine(Path("/nonexistent-machine")).host, Options(tuple(map(str, folders))))


class Machine:
    """A folder of metrics, the scraper that reads it, and the scraper's log."""

    def __init__(self, folder: Path, *others: tuple[str, float]) -> None:
        self.folder = folder / "metrics"
        self.folder.mkdir()
        self.collector = TextFile(FakeMachine(folder / "machine").host, Options((str(self.folder),)))
        self.log = RecordingLog()
        self.time = ManualTime(NOW)
        group = Group.of("node", {"textfile": self.collector, "zz": Constant(others)})
        self.scraper = Scraper([group], self.log, self.time)

    def write(self, name: str, content: str | bytes, mtime: float = 1_600_000_000) -> Path:
        """Write a file elsewhere and rename it into place, as writers should."""
        new = self.folder / f"{name}.tmp"
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(new, (mtime, mtime))
        return new.rename(self.folder / name)

    def scrape(self) -> dict[str, float]:
        """The samples, with the folder's name left out."""
        text = self.scraper.scrape(self.scraper.select((), ()), text_of)
        return {
            name.replace(f"{self.folder}/", ""): value
            for name, value in samples_in(text).items()
            if "_scrape_collector_" not in name
        }


class Constant:
    """Publishes what it was given, after the files in the order of names."""

    def __init__(self, samples: Iterable[tuple[str, float]]) -> None:
        self.families = [gauge(name, "A constant.").single(value) for name, value in samples]

    def collect(self, now: float) -> list[Family]:
        return self.families


def published(text: str) -> dict[str, Published]:
    """An exposition, less what only we publish and the times of files, whose folder is given as upstream's tests do."""
    text = text.replace(f"{RECORDED}/", "fixtures/textfile/")
    text = re.sub(r"(node_textfile_mtime_seconds\{.*\}) .*", r"\1 1", text)
    return {name: of for name, of in parse(text).items() if not name.startswith("fenghuo_")}


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        *((path.stem, path.name) for path in sorted(RECORDED.glob("*.out")) if path.stem != "glob_extra_dimension"),
        ("*_extra_dimension", "glob_extra_dimension.out"),
    ],
)
def test_node_exporters_own_expectations_hold(folder: str, expected: str) -> None:
    """Each folder of its unit test gives what it gives there; the time of a refused file is published here as well."""
    ours = published(exposed(textfile(RECORDED / folder)))
    theirs = parse((RECORDED / expected).read_text(encoding="utf-8"))
    if folder == "client_side_timestamp":
        del ours["node_textfile_mtime_seconds"]
    assert ours == theirs


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    """Nobody asked for files: only that there was no error."""
    assert samples_in(exposed(TextFile(FakeMachine(tmp_path).host))) == {ERROR: 0}


def test_one_bad_file_costs_the_others_nothing(tmp_path: Path) -> None:
    """The good file is published, the bad one is named with its reason, and both have their time."""
    machine = Machine(tmp_path)
    machine.write("bad.prom", "a 1\nb one\n", mtime=1_600_000_000.9)
    machine.write("good.prom", "c 3\n", mtime=1_600_000_001)
    assert machine.scrape() == {
        "c": 3,
        'node_textfile_mtime_seconds{file="bad.prom"}': 1_600_000_000,
        'node_textfile_mtime_seconds{file="good.prom"}': 1_600_000_001,
        'fenghuo_textfile_error{file="bad.prom",reason="syntax"}': 1,
        ERROR: 1,
    }


def test_a_fault_is_logged_once_with_file_line_and_reason_and_so_is_its_end(tmp_path: Path) -> None:
    """A line when it begins, another when the fault is another, one when the file is right again."""
    machine = Machine(tmp_path)
    path = machine.write("x.prom", "a 1\nb one\n")
    machine.scrape()
    machine.scrape()
    machine.write("x.prom", "a 1\nb 1 1441205977284\n")
    machine.scrape()
    machine.write("x.prom", "a 1\n")
    machine.scrape()
    left_out, right = (
        f'level={level} event="{event}" component=exporter collector=textfile path={path}'
        for level, event in (("warning", "metrics left out"), ("info", "no fault any more"))
    )
    no_number = "expected a number after the name, got 'one'"
    timestamp = "expected no timestamp: the time of a sample is that of the scrape, got '1441205977284'"
    assert machine.log.lines == [
        f'{left_out} line=2 why=syntax reason="{no_number}"',
        f'{left_out} line=2 why=timestamp reason="{timestamp}"',
        right,
    ]


FAULTS: list[tuple[bytes, str]] = [
    (b"a 1", "syntax"),
    (b"a 1\r\n", "syntax"),
    (b'a{b="\xff"} 1\n', "encoding"),
    (b"a 1 1441205977284\n", "timestamp"),
    (b"a 1\na 2\n", "duplicate"),
    (b'a 1\na{b=""} 2\n', "duplicate"),
    (b"# TYPE a gauge\na 1\n", "type"),
    (b"# HELP first Another help.\nfirst 2\n", "help"),
    (b"node_textfile_mtime_seconds 1\n", "name taken"),
    (b"node_load1 1\n", "name taken"),
    (b"# TYPE node summary\nnode_count 1\n", "name taken"),
    (b"node_scrape_collector_success 1\n", "name taken"),
    (b"fenghuo_textfile_error 1\n", "name taken"),
]


@pytest.mark.parametrize(("content", "reason"), FAULTS)
def test_a_fault_costs_the_metric_in_question(tmp_path: Path, content: bytes, reason: str) -> None:
    """What is right in another file, and in the same where the format is, stays; the reason is a label."""
    machine = Machine(tmp_path, ("node_load1", 0.5), ("node_count", 7))
    machine.write("0.prom", '# HELP first The first help.\n# TYPE a untyped\nfirst 1\na{of="0"} 0\n')
    machine.write("1.prom", b"before 1\n" + content)
    samples = machine.scrape()
    assert samples[f'fenghuo_textfile_error{{file="1.prom",reason="{reason}"}}'] == 1
    assert samples[ERROR] == 1
    assert (samples["first"], samples["node_load1"], samples["node_count"]) == (1, 0.5, 7)
    assert samples.get("before") == (None if reason in ("syntax", "encoding", "timestamp") else 1)


def test_a_name_of_a_collector_stays_the_collectors(tmp_path: Path) -> None:
    """The log names the file, its line and whose the name is; once it is given up, nothing is left out."""
    machine = Machine(tmp_path, ("node_load1", 0.5))
    path = machine.write("x.prom", "fine 1\nnode_load1 9\n")
    assert machine.scrape()["node_load1"] == 0.5
    (line,) = machine.log.lines
    assert f"path={path} line=2" in line
    assert "node_load1 is published by zz" in line
    machine.write("x.prom", "fine 1\nnode_load_mine 9\n")
    samples = machine.scrape()
    assert (samples["fine"], samples["node_load_mine"], samples[ERROR]) == (1, 9, 0)


def test_every_collector_may_be_in_the_way(tmp_path: Path) -> None:
    """With all collectors of this machine, an exposition has no name twice, wherever in the order files stand."""
    (tmp_path / "x.prom").write_text("node_load1 1\nnode_uname_info 1\nnode_time_seconds 1\nmine 1\n", encoding="utf-8")
    machine = FakeMachine(tmp_path / "machine")
    machine.write("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n")
    group = node_group(machine.host, {}, {"textfile": Options((str(tmp_path),))})
    scraper = Scraper([group], RecordingLog(), ManualTime())
    text = scraper.scrape(scraper.select((), ()), text_of)
    assert [text.count(f"# TYPE {name} ") for name in ("node_load1", "node_uname_info", "node_time_seconds")] == [1] * 3
    assert "mine 1\n" in text
    assert set(catalog.NODE) >= {"textfile", "uname"}


def test_a_file_is_parsed_again_when_it_was_replaced_or_changed_and_only_then(tmp_path: Path) -> None:
    """Time, size and identity tell; a file of the same content keeps its very families."""
    machine = Machine(tmp_path)
    path = machine.write("x.prom", "a 1\n")
    first = [family for family in machine.collector.collect(NOW) if family.metric.name == "a"]
    again = [family for family in machine.collector.collect(NOW) if family.metric.name == "a"]
    assert first[0] is again[0]
    machine.write("x.prom", "a 2\n")
    assert machine.scrape()["a"] == 2
    path.write_text("a 3\n", encoding="utf-8")
    assert machine.scrape()["a"] == 3
    path.unlink()
    assert machine.scrape() == {ERROR: 0}


def test_a_time_that_a_writer_sets_hides_no_change(tmp_path: Path) -> None:
    """`cp -p` into the same file from a package whose files are all of one time: same identity, size and time."""
    machine = Machine(tmp_path)
    path = machine.write("x.prom", "a 1\n")
    assert machine.scrape()["a"] == 1
    before = path.stat()
    wait_until(lambda: _rewritten(path, "a 2\n").st_ctime_ns != before.st_ctime_ns, "the clock of files to tick", 5)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert machine.scrape()["a"] == 2


def _rewritten(path: Path, content: str) -> os.stat_result:
    """Write into a file and set its time back."""
    time = path.stat().st_mtime_ns
    path.write_text(content, encoding="utf-8")
    os.utime(path, ns=(time, time))
    return path.stat()


def test_a_file_that_was_just_written_is_read_once_more(tmp_path: Path) -> None:
    """Clocks of files tick slowly: two writings within a tick look the same."""
    machine = Machine(tmp_path)
    path = machine.write("x.prom", "a 1\n", mtime=NOW)
    assert machine.scrape()["a"] == 1
    path.write_text("a 2\n", encoding="utf-8")
    os.utime(path, (NOW, NOW))
    assert machine.scrape()["a"] == 2


def test_a_metric_keeps_its_identity_when_only_numbers_change(tmp_path: Path) -> None:
    """The renderer knows it again, so that a file that is written each minute leaves nothing behind."""
    machine = Machine(tmp_path)
    metrics = []
    for number in range(3):
        machine.write("x.prom", f"a {number}\n", mtime=number)
        metrics += [family.metric for family in machine.collector.collect(NOW) if family.metric.name == "a"]
    assert len(set(metrics)) == 1


@pytest.mark.parametrize("kind", ["folder", "too long", "link to nothing", "pipe"])
def test_what_is_no_file_of_metrics_is_named(tmp_path: Path, kind: str) -> None:
    """Nothing is waited for, and nothing without bounds is read."""
    machine = Machine(tmp_path)
    path = machine.folder / "x.prom"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "too long":
        with path.open("wb") as file:
            file.truncate(LONGEST + 1)
    else:
        path.symlink_to(tmp_path / "nothing")
    samples = machine.scrape()
    reasons = {"folder": "no file", "pipe": "no file", "too long": "too long", "link to nothing": "absent"}
    assert samples[f'fenghuo_textfile_error{{file="x.prom",reason="{reasons[kind]}"}}'] == 1


@pytest.mark.parametrize("style", Format)
def test_a_name_of_bytes_that_are_no_text_is_spelt_out(tmp_path: Path, style: Format) -> None:
    """As label and in the help that a metric without HELP gets, or one file would cost the whole scrape."""
    machine = Machine(tmp_path)
    Path(os.fsdecode(os.fsencode(machine.folder) + b"/caf\xe9.prom")).write_text("a 1\n", encoding="utf-8")
    scraped = machine.scraper.scrape(
        machine.scraper.select((), ()), lambda families: b"".join(Renderer().render(families, style))
    )
    text = scraped.decode()
    assert "a 1\n" in text
    assert f"# HELP a Read from {machine.folder}/caf\\\\udce9.prom.\n" in text
    assert f'{{file="{machine.folder}/caf\\\\udce9.prom"}}' in text


def test_a_folder_that_is_absent_is_named(tmp_path: Path) -> None:
    """A wrong path shows, as a metric and in the log; the other folder is read."""
    machine = Machine(tmp_path)
    machine.write("x.prom", "a 1\n")
    collector = textfile(machine.folder, tmp_path / "nowhere")
    samples = samples_in(exposed(collector, NOW))
    assert samples["a"] == 1
    assert samples[f'fenghuo_textfile_error{{file="{tmp_path / "nowhere"}",reason="absent"}}'] == 1
    assert collector.faults()[0].detail.endswith("nowhere: No such file or directory")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a*", ["a1", "a2"]),
        ("?2", ["a2", "b2"]),
        ("[^a]2", ["b2"]),
        ("[ab]1", ["a1"]),
        ("*", [".h", "a1", "a2", "b2"]),
        ("b2", ["b2"]),
        ("./b2/", ["b2"]),
    ],
)
def test_folders_match_as_in_a_shell(tmp_path: Path, pattern: str, found: list[str]) -> None:
    """Each part of a path by itself; twice the same folder counts once."""
    for name in ("a1", "a2", "b2", ".h"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.prom").write_text(f'a{{of="{name}"}} 1\n', encoding="utf-8")
    samples = samples_in(exposed(textfile(f"{tmp_path}/{pattern}", f"{tmp_path}/{pattern}"), NOW))
    assert [name for name in samples if name.startswith("a{")] == [f'a{{of="{name}"}}' for name in found]
    assert f'node_textfile_mtime_seconds{{file="{tmp_path}/{found[0]}/x.prom"}}' in samples


def test_a_folder_may_be_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files are then named as the folder is."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.prom").write_text("a 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "fol*"):
        samples = samples_in(exposed(textfile(folder), NOW))
        assert samples["a"] == 1
        assert 'node_textfile_mtime_seconds{file="folder/x.prom"}' in samples


def test_files_may_share_a_metric(tmp_path: Path) -> None:
    """Samples of all are published under one head; the help may stand in any of them, labels may differ."""
    machine = Machine(tmp_path)
    machine.write("1.prom", 'a{x="1"} 1\n')
    machine.write("2.prom", '# HELP a The help.\na{y="2"} 2\n')
    text = exposed(machine.collector, NOW)
    assert "# HELP a The help.\n" in text
    samples = samples_in(text)
    assert (samples['a{x="1",y=""}'], samples['a{x="",y="2"}'], samples[ERROR]) == (1, 2, 0)


def test_a_histogram_is_in_order_and_complete(tmp_path: Path) -> None:
    """Buckets by their bound, spelt as node_exporter spells it, then sum and count; what lacks is made up as there."""
    machine = Machine(tmp_path)
    machine.write(
        "h.prom", '# TYPE h histogram\nh_count 3\nh_bucket{le="1000000.0"} 2\nh_bucket{le="0.50"} 1\nh_count{a="b"} 0\n'
    )
    lines = [line for line in exposed(machine.collector, NOW).splitlines() if line.startswith("h")]
    assert lines == [
        'h_bucket{a="",le="0.5"} 1',
        'h_bucket{a="",le="1e+06"} 2',
        'h_bucket{a="",le="+Inf"} 3',
        'h_sum{a=""} 0',
        'h_count{a=""} 3',
        'h_bucket{a="b",le="+Inf"} 0',
        'h_sum{a="b"} 0',
        'h_count{a="b"} 0',
    ]
