"""What every collector keeps, whatever the machine: recorded ones, this one, and one with broken files."""

import contextlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporters import catalog
from exporters.app import cgroup_group, node_group
from exporters.collector import PAIRS, Collector, Family, Malformed, NoData, Sample
from exporters.host import Host, Roots
from exporters.scrape import Scraper, Selection
from exporters.testing import FakeMachine, ManualTime, RecordingLog, samples_in, text_of
from tests.exporters.machines import NOW, recorded_machine

NAMES = [*catalog.NODE, *catalog.CGROUP]

ALWAYS = {"selinux", "textfile", "time", "timex", "uname"}
"""Collectors that publish something whatever files there are: system calls and the clock answer them."""
NO_FILE = {"qdisc", "systemd", "tcpstat"}
"""Collectors that read no file, so that what they say names none."""

WITHOUT = frozenset({"uname", "filesystem"})
"""Collectors that have another way when their one file is not as it should be."""

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def collectors(host: Host) -> dict[str, Collector]:
    """Every collector of the catalog, on or off by default."""
    on = dict.fromkeys(NAMES, True)
    return {**node_group(host, on).collectors, **cgroup_group(host, on).collectors}


@pytest.fixture(scope="module")
def breakables() -> Iterator[Mapping[str, FakeMachine]]:
    """Recorded machines by the version of their cgroups; whoever breaks a file of theirs mends it again."""
    with tempfile.TemporaryDirectory() as folder:
        yield {version: recorded_machine(Path(folder) / version, version) for version in ("v1", "v2")}


@pytest.fixture(params=["recorded, cgroup v1", "recorded, cgroup v2", "this machine"])
def host(request: pytest.FixtureRequest, breakables: Mapping[str, FakeMachine]) -> Host:
    """A machine that a collector has to cope with."""
    if request.param == "this machine":
        return Host(Roots())
    return breakables[request.param[-2:]].host


def families_of(collector: Collector) -> list[Family]:
    """What a collector publishes; a machine without the thing may end it early, and only so."""
    families: list[Family] = []
    with contextlib.suppress(NoData):
        families += collector.collect(NOW)
    return families


@pytest.mark.parametrize("name", NAMES)
def test_families_are_well_formed(name: str, host: Host) -> None:
    """Names are legal, each metric comes once, each combination of labels once, and counters are not negative."""
    families = families_of(collectors(host)[name])
    names = [family.metric.name for family in families]
    assert len(names) == len(set(names))
    for metric, samples in families:
        assert METRIC_NAME.fullmatch(metric.name)
        assert all(LABEL_NAME.fullmatch(label) for label in metric.labels[metric.labels[:1] == (PAIRS,) :])
        assert metric.help
        assert all(len(labels) == len(metric.labels) for labels, _ in samples)
        assert len({labels for labels, _ in samples}) == len(samples)
        assert metric.kind != "counter" or all(value >= 0 for _, value in samples)


@pytest.mark.parametrize("name", NAMES)
def test_collecting_again_gives_the_same_metrics(name: str, host: Host) -> None:
    """A second scrape has the first one's metrics, as the same objects: the renderer keeps their text by them."""
    collector = collectors(host)[name]
    first = [family.metric for family in families_of(collector)]
    assert [family.metric for family in families_of(collector)] == first


def test_no_two_collectors_publish_the_same_name(host: Host) -> None:
    """Together they make one valid exposition."""
    names = [family.metric.name for collector in collectors(host).values() for family in families_of(collector)]
    assert len(names) == len(set(names))


BREAKS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "empty": lambda content, at: b"",
    "absent": lambda content, at: None,
    "cut": lambda content, at: content[: at % (len(content) + 1)],
    "binary": lambda content, at: bytes((byte * 7 + at) % 256 for byte in content[:500]),
    "letters": lambda content, at: content.translate(bytes.maketrans(b"0123456789", b"abcdefghij")),
    "huge numbers": lambda content, at: re.sub(rb"\d+", b"9" * (20 + at % 400), content),
    "negative numbers": lambda content, at: re.sub(rb"\d+", rb"-\g<0>", content),
    "lines doubled": lambda content, at: content + content,
}


READERS = [*((name, "v2") for name in catalog.NODE), *((name, of) for name in catalog.CGROUP for of in ("v1", "v2"))]
"""Each collector, and the machines that are different for it."""


class Opened:
    """The files below a folder that are opened while it watches."""

    def __init__(self) -> None:
        self._below = ""
        self._found: set[Path] = set()
        self._known: dict[tuple[str, str], list[Path]] = {}
        sys.addaudithook(self._note)  # can't be taken away again, so there is one for all tests

    def by(self, name: str, machine: FakeMachine) -> list[Path]:
        """What a collector opens of a machine, sorted; asked once."""
        key = (name, str(machine.folder))
        if key not in self._known:
            self._below, self._found = f"{machine.folder}/", set()
            try:
                scrape(name, machine.host)
            finally:
                self._below = ""
            self._known[key] = sorted(path for path in self._found if path.is_file())
        return self._known[key]

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._below and event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(self._below):
            self._found.add(Path(arguments[0]))


OPENED = Opened()


def scrape(name: str, host: Host) -> tuple[RecordingLog, str]:
    """The log and the text of a scrape of one collector."""
    log = RecordingLog()
    build = node_group if name in catalog.NODE else cgroup_group
    switches = {other: other == name for other in NAMES}
    return log, Scraper([build(host, switches)], log, ManualTime()).scrape(Selection(), text_of)


def succeeded(text: str) -> bool:
    """What the collector says of itself."""
    values = [value for series, value in samples_in(text).items() if "_scrape_collector_success{" in series]
    assert len(values) == 1
    return bool(values[0])


@contextlib.contextmanager
def broken(file: Path, how: str, at: int) -> Iterator[None]:
    """The file is another while this lasts."""
    content = file.read_bytes()
    changed = BREAKS[how](content, at)
    try:
        if changed is None:
            file.unlink()
        else:
            file.write_bytes(changed)
        yield
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize(("name", "cgroups"), READERS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_broken_file_breaks_a_scrape(
    name: str, cgroups: str, breakables: Mapping[str, FakeMachine], data: st.DataObject
) -> None:
    """Whatever becomes of a file that a collector reads: the scrape is valid text without a series twice, the
    collector reports success or failure, and a failure is one that was foreseen and names the file.
    """
    machine = breakables[cgroups]
    files = OPENED.by(name, machine)
    if not files:
        return  # it asks the kernel by system calls
    file = data.draw(st.sampled_from(files))
    with broken(file, data.draw(st.sampled_from(sorted(BREAKS))), data.draw(st.integers(0, 10_000))):
        log, text = scrape(name, machine.host)
    series = [
        (sample.name, *sorted(sample.labels.items()))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(series) == len(set(series))
    assert [line for line in log.lines if "level=error" in line] == []
    if not succeeded(text):
        (line,) = [line for line in log.lines if f"collector={name} " in line]
        assert str(machine.folder) in line


@pytest.mark.parametrize("how", ["empty", "absent", "binary", "letters"])
@pytest.mark.parametrize("name", catalog.NODE)
def test_a_collector_without_its_file_says_so(name: str, how: str, breakables: Mapping[str, FakeMachine]) -> None:
    """Of a collector that stands on one file of /proc: success is 0, and the log names the file, with the line when
    there is one that is not as it should be.
    """
    machine = breakables["v2"]
    files = OPENED.by(name, machine)
    if len(files) != 1 or not files[0].is_relative_to(machine.folder / "proc") or name in WITHOUT:
        return
    with broken(files[0], how, 1):
        log, text = scrape(name, machine.host)
    assert not succeeded(text)
    (line,) = [line for line in log.lines if f"collector={name} " in line]
    assert str(files[0]) in line
    assert how in ("empty", "absent") or f"{files[0]}:" in line


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_machine_is_no_surprise(name: str, tmp_path: Path) -> None:
    """Without any file a collector publishes nothing or says what it lacks; it never fails in another way."""
    collector = collectors(FakeMachine(tmp_path).host)[name]
    samples: list[Sample] = []
    foreseen: list[str] = []
    try:
        samples = [sample for family in collector.collect(NOW) for sample in family.samples]
    except (NoData, Malformed) as reason:
        foreseen.append(str(reason))
    assert samples == [] or name in ALWAYS
    assert name in NO_FILE or all(str(tmp_path) in reason for reason in foreseen)
