"""XFS: the counters of each mounted file system."""

from pathlib import Path

from exporters.node.xfs import METRICS, Xfs
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.node.partly import until_it_fails

STATS = "extent_alloc 1 2 3 4\nrw 28 29\nxpc 3571712 3568056 0\ngc xpc 7\nvnodes 4 0 0 0 1 1 1 0\ndebug 0\n"


def test_each_file_system_has_its_counters(tmp_path: Path) -> None:
    """By the device; writes stand before reads in the file. Those of all together are left out."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/fs/xfs/sda1/stats/stats", STATS)
    machine.write("sys/fs/xfs/stats/stats", STATS)
    samples = samples_in(exposed(Xfs(machine.host)))
    assert samples['node_xfs_extent_allocation_blocks_freed_total{device="sda1"}'] == 4
    assert samples['node_xfs_write_calls_total{device="sda1"}'] == 28
    assert samples['node_xfs_read_calls_total{device="sda1"}'] == 29
    assert samples['node_xfs_vnode_remove_total{device="sda1"}'] == 1
    assert not [name for name in samples if 'device="sda1"' not in name]


def test_all_counters_of_node_exporter_are_there() -> None:
    """39 metrics of eight lines."""
    assert sum(len(metrics) for metrics in METRICS.values()) == 39


def test_a_broken_line_is_named_and_costs_no_other_file_system(tmp_path: Path) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/fs/xfs/sda1/stats/stats", "rw 1 2\nabt 1 2 3\n")
    machine.write("sys/fs/xfs/sdb1/stats/stats", STATS)
    samples, failure = until_it_fails(Xfs(machine.host))
    assert "sda1/stats/stats:2: expected 4 numbers after abt, got 'abt 1 2 3'" in failure
    assert 'node_xfs_read_calls_total{device="sdb1"}' in samples


def test_an_unmounted_file_system_is_forgotten(tmp_path: Path) -> None:
    """Its samples go with it."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/fs/xfs/sda1/stats/stats", STATS)
    collector = Xfs(machine.host)
    assert exposed(collector)
    machine.remove("sys/fs/xfs/sda1")
    assert exposed(collector) == ""
