"""What every collector keeps, whatever the machine: recorded ones, this one, and one with broken files."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporters import catalog
from exporters.app import cgroup_group, node_group
from exporters.collector import Collector, Family, Malformed, NoData, Sample
from exporters.host import Host, Roots
from exporters.scrape import Scraper, Selection
from exporters.testing import FakeMachine, ManualTime, RecordingLog, text_of
from tests.exporters.machines import NOW, recorded_machine

NAMES = [*catalog.NODE, *catalog.CGROUP]

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def collectors(host: Host) -> dict[str, Collector]:
    """Every collector of the catalog, on or off by default."""
    on = dict.fromkeys(NAMES, True)
    return {**node_group(host, on).collectors, **cgroup_group(host, on).collectors}


@pytest.fixture(params=["recorded, cgroup v1", "recorded, cgroup v2", "this machine"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    """A machine that a collector has to cope with."""
    if request.param == "this machine":
        return Host(Roots())
    return recorded_machine(tmp_path, request.param[-2:]).host


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
        assert all(LABEL_NAME.fullmatch(label) for label in metric.labels)
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


@pytest.fixture(scope="module", params=["v1", "v2"])
def breakable(request: pytest.FixtureRequest) -> Iterator[FakeMachine]:
    """A recorded machine whose files are broken and mended again."""
    with tempfile.TemporaryDirectory() as folder:
        yield recorded_machine(Path(folder), request.param)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_broken_file_breaks_a_scrape(breakable: FakeMachine, data: st.DataObject) -> None:
    """Whatever becomes of a file: the scrape is valid text, each collector reports success or failure, a failure is
    one that was foreseen and names the file, and the others publish what they always do.
    """
    files = sorted(path for path in breakable.folder.rglob("*") if path.is_file())
    file = data.draw(st.sampled_from(files))
    how = data.draw(st.sampled_from(sorted(BREAKS)))
    content = file.read_bytes()
    broken = BREAKS[how](content, data.draw(st.integers(0, 10_000)))
    try:
        if broken is None:
            file.unlink()
        else:
            file.write_bytes(broken)
        log, text = scrape(breakable.host)
    finally:
        file.write_bytes(content)
    successes = {
        sample.labels["collector"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.endswith("_scrape_collector_success")
    }
    assert set(successes) == set(NAMES)
    assert [line for line in log.lines if "level=error" in line] == []
    for name in (name for name, success in successes.items() if not success):
        (line,) = [line for line in log.lines if f"collector={name} " in line]
        assert str(breakable.folder) in line


def scrape(host: Host) -> tuple[RecordingLog, str]:
    log, time = RecordingLog(), ManualTime()
    groups = [node_group(host, {}), cgroup_group(host, {})]
    return log, Scraper(groups, log, time).scrape(Selection(), text_of)


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
    assert samples == [] or name == "uname"
    assert all(str(tmp_path) in reason for reason in foreseen)
