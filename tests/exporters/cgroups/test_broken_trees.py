"""Cgroups that are not as they should be cost themselves their series, never a scrape and never those of others."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.app import cgroup_group
from exporters.cgroups.tree.rows import KEEP_LIMITS
from exporters.collector import Collector, NoData
from exporters.testing import exposed
from tests.exporters.cgroups.breaking import (
    EVERYTHING,
    Closed,
    Fleeting,
    Found,
    Leaving,
    Narrow,
    Node,
    Scrapes,
    families,
    folders_of,
    ids,
    made,
    of,
    without,
    without_kills_of,
)
from tests.exporters.cgroups.seen import APP_ID
from tests.exporters.machines import NOW


@pytest.fixture(scope="module", params=["v1", "v2"])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """One for all tests that leave it as it was."""
    version = str(request.param)
    machine = made(version, tmp_path_factory.mktemp(version))
    return Node(version, machine, Scrapes(machine.host).next())


V1 = pytest.mark.parametrize("node", ["v1"], indirect=True)
V2 = pytest.mark.parametrize("node", ["v2"], indirect=True)

CONTENTS = {
    "max": b"max\n",
    "nothing": b"",
    "blank": b" \n\t\n",
    "negative": b"-1\n",
    "beyond the kernel's numbers": b"18446744073709551616\n",
    "endless number": b"9" * 5000 + b"\n",
    "no decimal": b"0x1f\n",
    "not finite": b"nan inf -inf 1e999\n",
    "digits of another script": "١٢٣\n".encode(),
    "binary": bytes(range(256)),
    "keys without values": b"usage_usec\nanon\ntotal_rss\noom_kill\nsome\n8:0\n",
    "values beyond the kernel's numbers": b"".join(
        b"%s 99999999999999999999999\n" % key
        for key in (b"usage_usec", b"nr_periods", b"anon", b"file", b"total_rss", b"total_cache", b"oom_kill", b"user")
    ),
    "one long line": b"8:0 rbytes=1 " * 100_000,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_no_content_of_a_cgroups_files_spoils_others(node: Node, content: bytes) -> None:
    """All files of a container hold it, for a scrape or from the first one on; once they are whole all is as before."""
    scrapes = Scrapes(node.machine.host)
    assert scrapes.next() == node.before
    with node.lent() as files:
        for file in files:
            file.write_bytes(content)
        assert node.others(scrapes.next()) == node.others(node.before)
        assert node.others(Scrapes(node.machine.host).next()) == node.others(node.before)
    assert without_kills_of(node.pod, scrapes.next(KEEP_LIMITS)) == without_kills_of(node.pod, node.before)


def test_a_moment_without_a_count_of_kills_counts_none_twice(node: Node) -> None:
    """A container that can't tell its kills for a scrape is not one that is gone: nothing moves, then or later."""
    scrapes = Scrapes(node.machine.host)
    scrapes.next()
    with node.lent() as files:
        for file in files:
            if file.name in ("memory.oom_control", "memory.events"):
                file.write_bytes(b"")
        assert kills_of(node.pod, scrapes.next()) == [2]
    assert kills_of(node.pod, scrapes.next()) == [2]


def kills_of(path: str, found: Found) -> list[float]:
    return [
        value for series, value in found.items() if series.startswith("container_oom_events") and of(path) in series
    ]


def _folder(file: Path) -> None:
    file.mkdir()


def _nowhere(file: Path) -> None:
    file.symlink_to("nowhere")


def _itself(file: Path) -> None:
    file.symlink_to(file.name)


@pytest.mark.parametrize("put", [_folder, _nowhere, _itself])
def test_what_is_no_file_is_absent(node: Node, put: Callable[[Path], None]) -> None:
    """A folder, and links that lead nowhere, in the places of all of a container's files: it says nothing."""
    with node.lent() as files:
        for file in files:
            file.unlink()
            put(file)
        after = Scrapes(node.machine.host).next()
    assert node.others(after) == node.others(node.before)
    assert families(after, node.app) <= {"container_start_time_seconds", "container_creation_time_seconds"}


def test_a_cgroup_that_goes_between_list_and_read(node: Node) -> None:
    """It was there when the scrape looked for cgroups, with open files: whatever reads it leaves it out."""
    tree = Leaving(node.cgroupfs)
    collectors = cgroup_group(Narrow(node.machine, tree), EVERYTHING).collectors
    before = dict(texts_of(collectors, NOW))
    assert of(node.app) in before["cgroup.memory"]
    exposed(collectors["cgroup.lifetime"], NOW + 15)
    with node.away(*folders_of(node.machine, node.app)):
        tree.gone = node.app
        after = dict(texts_of(collectors, NOW + 15))
    assert [name for name, text in after.items() if of(node.app) in text] in (["cgroup.lifetime"], [])
    assert after.keys() == before.keys()


def texts_of(collectors: Mapping[str, Collector], now: float) -> Iterator[tuple[str, str]]:
    """What each collector publishes, of those that have data."""
    for name, collector in collectors.items():
        with contextlib.suppress(NoData):
            yield name, exposed(collector, now)


def test_a_cgroup_that_goes_while_it_is_looked_for(node: Node) -> None:
    """It was listed, and is gone before it was looked at."""
    with contextlib.ExitStack() as taken:
        tree = Fleeting(node.cgroupfs, APP_ID, lambda folder: taken.enter_context(node.away(folder)))
        scrapes = Scrapes(Narrow(node.machine, tree))
        for _ in range(2):
            after = scrapes.next()
            assert ids(after) == ids(node.before) - {node.app}
            assert node.others(after) == node.others(node.before)


@pytest.mark.parametrize("is_seen", [True, False], ids=["may be entered", "may not be entered"])
def test_a_folder_that_can_not_be_listed(node: Node, is_seen: bool) -> None:
    """What is below it is unknown, what is beside it is not."""
    after = Scrapes(Narrow(node.machine, Closed(node.cgroupfs, node.pod, is_seen=is_seen))).next()
    hidden = {path for path in ids(node.before) if path.startswith(f"{node.pod}/" if is_seen else node.pod)}
    assert node.app in hidden
    assert ids(after) == ids(node.before) - hidden
    assert without(after, *hidden, node.pod) == without(node.before, *hidden, node.pod)


def test_a_file_where_a_folder_is_expected(node: Node) -> None:
    """It is no cgroup."""
    folders = folders_of(node.machine, node.app)
    with node.away(*folders):
        for folder in folders:
            folder.write_text("1\n")
        after = Scrapes(node.machine.host).next()
        for folder in folders:
            folder.unlink()
    assert ids(after) == ids(node.before) - {node.app}
    assert node.others(after) == node.others(node.before)


WITHOUT_HIERARCHY = {
    "memory": ("container_memory_", "container_spec_memory_", "container_oom_"),
    "cpu,cpuacct": (*(f"container_cpu_{name}" for name in ("usage", "user", "system", "cfs")), "container_spec_cpu_"),
    "blkio": ("container_fs_reads_", "container_fs_writes_", "container_blkio_"),
    "pids": ("container_threads",),
    "hugetlb": ("container_hugetlb_",),
    "cpuset": ("container_cpuset_", "container_spec_cpuset_"),
}
"""What the names of those families begin with that a hierarchy of v1 gives."""


@V1
@pytest.mark.parametrize("hierarchy", WITHOUT_HIERARCHY)
def test_a_hierarchy_of_v1_that_is_not_there(node: Node, hierarchy: str) -> None:
    """Its families are absent of all cgroups but the root, which is the machine; all others are as they were."""
    with node.away(node.machine.folder / "cgroup" / hierarchy):
        after = Scrapes(node.machine.host).next()
    stems = WITHOUT_HIERARCHY[hierarchy]
    assert ids(after) == ids(node.before)
    for path in ids(node.before) - {"/"}:
        own = families(node.before, path)
        assert families(after, path) == {name for name in own if not name.startswith(stems)}


@V1
@pytest.mark.parametrize("hierarchy", ["memory", "cpu,cpuacct"])
def test_a_cgroup_of_v1_that_is_not_in_a_hierarchy(node: Node, hierarchy: str) -> None:
    """It has what the others say, and nothing that they do not."""
    with node.away(node.machine.folder / "cgroup" / hierarchy / node.app.strip("/")):
        after = Scrapes(node.machine.host).next()
    assert node.others(after) == node.others(node.before)
    own = families(node.before, node.app)
    gone = {name for name in own if name.startswith(WITHOUT_HIERARCHY[hierarchy])}
    assert gone
    assert families(after, node.app) == own - gone


@V2
@pytest.mark.parametrize(
    ("controller", "stems"),
    [
        ("memory", ("container_memory_", "container_spec_memory_", "container_oom_")),
        ("io", ("container_fs_", "container_blkio_")),
        ("pids", ("container_threads",)),
    ],
)
def test_a_controller_of_v2_that_comes_late(node: Node, controller: str, stems: tuple[str, ...]) -> None:
    """Without it its families are absent, never 0; once it is switched on they are there within sixteen scrapes."""
    scrapes = Scrapes(node.machine.host)
    with node.lent() as files:
        for file in files:
            if file.name.startswith(f"{controller}.") and not file.name.endswith(".pressure"):
                file.unlink()
        off = scrapes.next()
    assert node.others(off) == node.others(node.before)
    own = families(node.before, node.app)
    assert families(off, node.app) == {name for name in own if not name.startswith(stems)}
    assert [scrapes.next() for _ in range(16)][-1] == node.before


def test_forty_levels(node: Node) -> None:
    """They are looked through as far as anybody goes, and cost the others nothing."""
    deep = "/deep" + "/er" * 39
    model = "/system.slice/containerd.service"
    pairs = list(zip(folders_of(node.machine, deep), folders_of(node.machine, model), strict=True))
    try:
        for folder, source in pairs:
            shutil.copytree(source, folder)
        after = Scrapes(node.machine.host).next()
    finally:
        for top in folders_of(node.machine, "/deep"):
            shutil.rmtree(top)
    found = ids(after) - ids(node.before)
    assert len(found) >= 30
    assert all(deep.startswith(path) for path in found)
    assert without(after, *found) == node.before


NAMES = [
    b'with "quotes".service',
    rb"with\x2dbackslash.service",
    rb"ends with a backslash\ "[:-1],
    b"with\nan end of line",
    b"  blank ",
    "größe-服务-🐢.slice".encode(),
    b"no \xff\xfe UTF-8",
    b'{}=",# HELP x',
    b"x" * 255,
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_any_name_of_a_cgroup_can_be_read_again(node: Node, name: bytes) -> None:
    """As the label `id`, letter for letter; what is no UTF-8 has other signs in the place of its own."""
    service = "/system.slice/containerd.service"
    copies = [source.parent / os.fsdecode(name) for source in folders_of(node.machine, service)]
    try:
        for copy in copies:
            shutil.copytree(copy.parent / "containerd.service", copy)
        scrapes = Scrapes(node.machine.host)
        after = scrapes.next()
        assert list(text_string_to_metric_families(scrapes.text))
    finally:
        for copy in copies:
            shutil.rmtree(copy)
    (found,) = ids(after) - ids(node.before)
    assert found.startswith("/system.slice/")
    if b"\xff" not in name:
        assert found == f"/system.slice/{name.decode()}"
    assert families(after, found) == families(node.before, service)
    assert without(after, found) == node.before


TEXTS = [
    'with "quotes"',
    "with \\ and \\\\",
    "with\nan end of line",
    "größe-服务-🐢",
    "\ud800 half a sign",
    "a\0b",
    7,
    None,
]


@V2
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_name_out_of_a_file_can_be_published(node: Node, text: str | int | None) -> None:
    """What stands in a bundle for an image and a container is a label, or is none; no text fails a scrape."""
    path = f"root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{APP_ID}/config.json"
    whole = (node.machine.folder / path).read_text(encoding="utf-8")
    config = json.loads(whole)
    config["annotations"]["io.kubernetes.cri.image-name"] = text
    config["annotations"]["io.kubernetes.cri.container-name"] = text
    try:
        node.machine.write(path, json.dumps(config))
        scrapes = Scrapes(node.machine.host)
        after = scrapes.next()
    finally:
        node.machine.write(path, whole)
    assert node.others(after) == node.others(node.before)
    assert families(after, node.app) == families(node.before, node.app)
    (usage,) = [
        sample
        for family in text_string_to_metric_families(scrapes.text)
        for sample in family.samples
        if sample.name == "container_memory_usage_bytes" and sample.labels["id"] == node.app
    ]
    if isinstance(text, str) and not set(text) & {"\0", "\ud800"}:
        assert (usage.labels["image"], usage.labels["container"]) == (text, text)
