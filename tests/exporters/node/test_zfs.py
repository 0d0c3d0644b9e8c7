"""ZFS: names by rule, pools and datasets that come and go, and broken kstats."""

from pathlib import Path

import pytest

from exporters.collector import Family, Malformed, NoData
from exporters.node.zfs import Zfs
from exporters.testing import FakeMachine, exposed, samples_in, text_of

BASE = "proc/spl/kstat/zfs"
HEAD = "6 1 0x01 91 4368 5266997922 97951858082072\nname                            type data\n"
IO = "nread nwritten reads writes wtime wlentime wupdate rtime rlentime rupdate wcnt rcnt\n"


def collected(collector: Zfs) -> tuple[dict[str, float], str]:
    """What is published before a file turns out to be broken, and what is said of it."""
    families: list[Family] = []
    try:
        families.extend(collector.collect(0))  # keeps what comes before the error
    except Malformed as problem:
        return samples_in(text_of(families)), str(problem)
    return samples_in(text_of(families)), ""


def test_a_machine_without_zfs_has_no_data(tmp_path: Path) -> None:
    """The folder that is not there is named."""
    with pytest.raises(NoData, match="spl/kstat/zfs"):
        exposed(Zfs(FakeMachine(tmp_path).host))


def test_a_kstat_is_named_by_its_file_and_its_name(tmp_path: Path) -> None:
    """Numbers with and without a sign are published, texts are not; a hyphen becomes an underscore."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{BASE}/arcstats", HEAD + "hits 4 8772612\nmemory_available_bytes 3 -17\n")
    machine.write(f"{BASE}/fm", HEAD + "erpt-dropped 4 18\nnote 7 text\n\nshort 4\n")
    assert samples_in(exposed(Zfs(machine.host))) == {
        "node_zfs_arc_hits": 8772612,
        "node_zfs_arc_memory_available_bytes": -17,
        "node_zfs_fm_erpt_dropped": 18,
    }


def test_a_new_name_needs_no_new_release(tmp_path: Path) -> None:
    """Whatever a version of ZFS counts is published."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{BASE}/zil", HEAD + "zil_of_tomorrow 4 1\n")
    text = exposed(Zfs(machine.host))
    assert "# HELP node_zfs_zil_zil_of_tomorrow The kstat zil_of_tomorrow of zil.\n" in text
    assert "# TYPE node_zfs_zil_zil_of_tomorrow untyped\n" in text


def test_pools_and_datasets_come_and_go(tmp_path: Path) -> None:
    """A dataset's name may hold spaces; what is destroyed is published no more, and its files are closed."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{BASE}/tank/io", f"12 3 0x00 1 80 1 2\n{IO}1 2 3 4 5 6 7 8 9 10 11 12\n")
    machine.write(f"{BASE}/tank/state", "DEGRADED\n")
    machine.write(f"{BASE}/tank/objset-0x36", HEAD + "dataset_name 7    tank/my  data\nwrites 4 4\n")
    collector = Zfs(machine.host)
    samples = samples_in(exposed(collector))
    assert samples['node_zfs_zpool_nread{zpool="tank"}'] == 1
    assert samples['node_zfs_zpool_rcnt{zpool="tank"}'] == 12
    assert samples['node_zfs_zpool_dataset_writes{zpool="tank",dataset="tank/my  data"}'] == 4
    states = {name.split('state="')[1][:-2]: value for name, value in samples.items() if "zpool_state" in name}
    assert states == {**dict.fromkeys(states, 0), "degraded": 1}
    assert len(states) == 7
    machine.remove(f"{BASE}/tank/objset-0x36")
    assert "dataset" not in exposed(collector)
    machine.remove(f"{BASE}/tank")
    assert exposed(collector) == ""


def test_a_pool_of_a_newer_zfs_has_no_io(tmp_path: Path) -> None:
    """Its state is published all the same."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{BASE}/tank/state", "ONLINE\n")
    assert samples_in(exposed(Zfs(machine.host)))['node_zfs_zpool_state{zpool="tank",state="online"}'] == 1


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("arcstats", "", "arcstats: expected a heading `name type data`"),
        ("arcstats", HEAD + "hits 4 many\n", "arcstats:3: expected `name type number`, got 'hits 4 many'"),
        ("arcstats", HEAD + "hits 4 -1\n", "arcstats:3: expected `name type number`"),
        ("arcstats", HEAD + "hi{ts 4 1\n", "arcstats: expected names of kstats, got 'hi{ts'"),
        ("tank/io", f"1\n{IO}1 2 3\n", "tank/io:3: expected 12 numbers, got '1 2 3'"),
        ("tank/io", f"1\n{IO}{'x ' * 12}\n", "tank/io:3: expected 12 numbers"),
        ("tank/objset-1", HEAD + "writes 4 4\n", "tank/objset-1: expected a line `dataset_name 7 <name>`"),
    ],
)
def test_a_broken_file_costs_only_itself(tmp_path: Path, file: str, content: str, expected: str) -> None:
    """The others are published, and then file and line are named."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{BASE}/zil", HEAD + "zil_commit_count 4 10\n")
    machine.write(f"{BASE}/tank/state", "ONLINE\n")
    machine.write(f"{BASE}/{file}", content)
    samples, problem = collected(Zfs(machine.host))
    assert samples["node_zfs_zil_zil_commit_count"] == 10
    assert samples['node_zfs_zpool_state{zpool="tank",state="online"}'] == 1
    assert expected in problem


def test_two_objects_of_one_dataset_are_one_series(tmp_path: Path) -> None:
    """As while a dataset is received anew under its name."""
    machine = FakeMachine(tmp_path)
    for number in (1, 2):
        machine.write(f"{BASE}/tank/objset-{number}", HEAD + f"dataset_name 7 tank\nwrites 4 {number}\n")
    assert samples_in(exposed(Zfs(machine.host))) == {'node_zfs_zpool_dataset_writes{zpool="tank",dataset="tank"}': 1}
