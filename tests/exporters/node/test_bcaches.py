"""bcache and bcachefs: what they say of themselves in /sys, in numbers for people."""

from pathlib import Path

import pytest

from exporters.collector import NoData
from exporters.node import bcache, bcachefs
from exporters.node.bcache import Bcache
from exporters.node.bcachefs import Bcachefs
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.node.partly import until_it_fails

SET = "deaddd54-c735-46d5-868e-f331c5fd7c74"
FS = "deadbeef-1234-5678-9012-abcdefabcdef"
BACKING = f'uuid="{SET}",backing_device="bdev0"'


@pytest.mark.parametrize(
    ("word", "expected"),
    [("0", 0), ("1305", 1305), ("2k", 2048), ("1.5k", 1524), ("1.10M", 2072576), ("3G", 3 << 30)],
)
def test_sizes_of_bcache(word: str, expected: int) -> None:
    """What stands after the point are 1024ths, cut: .10 follows .9; read as node_exporter reads them."""
    assert bcache.size(word) == expected


@pytest.mark.parametrize(("word", "expected"), [("0", 0), ("720", 720), ("28.2k", 28876), ("2.05G", 2201170739)])
def test_sizes_of_bcachefs(word: str, expected: int) -> None:
    """Powers of 1024, with an ordinary point."""
    assert bcachefs.size(word) == expected


@pytest.mark.parametrize("word", ["", "k", "x", "1.x", "-1", "1.5.2k", "9" * 30, "9" * 400 + "k", "1e5k"])
def test_what_is_no_size_is_refused(word: str) -> None:
    """For both, with the one exception that ValueError always is."""
    with pytest.raises(ValueError, match=r".*"):
        bcachefs.size(word)
    with pytest.raises(ValueError, match=r".*"):
        bcache.size(word)


@pytest.fixture
def cached(tmp_path: Path) -> FakeMachine:
    """A machine with a cache set of one cache and one backing device."""
    machine = FakeMachine(tmp_path)
    machine.write_all(
        {
            "btree_cache_size": "2k\n",
            "internal/btree_read_average_duration_us": "1305\n",
            "bdev0/dirty_data": "4k\n",
            "bdev0/writeback_rate_debug": "rate:\t1.0M/sec\ntarget:\t20.0G\nproportional:\t-429.5M\nchange:\t-5/sec\n",
            "bdev0/stats_total/cache_hits": "546\n",
            "bdev0/stats_total/cache_readaheads": "13\n",
            "cache0/written": "1.0k\n",
            "cache0/priority_stats": "Unused:\t\t99%\nMetadata:\t5%\nAverage:\t10473\n",
        },
        f"sys/fs/bcache/{SET}",
    )
    return machine


def test_a_cache_set_and_its_devices(cached: FakeMachine) -> None:
    """Sizes in bytes, rates with their sign; a file that this kernel lacks counts as 0."""
    samples = samples_in(exposed(Bcache(cached.host)))
    expected = {
        f'node_bcache_btree_cache_size_bytes{{uuid="{SET}"}}': 2048,
        f'node_bcache_tree_depth{{uuid="{SET}"}}': 0,
        f"node_bcache_dirty_data_bytes{{{BACKING}}}": 4096,
        f"node_bcache_writeback_rate{{{BACKING}}}": 1 << 20,
        f"node_bcache_writeback_change{{{BACKING}}}": -5,
        f"node_bcache_cache_hits_total{{{BACKING}}}": 546,
        f"node_bcache_cache_readaheads_total{{{BACKING}}}": 13,
        f'node_bcache_written_bytes_total{{uuid="{SET}",cache_device="cache0"}}': 1024,
    }
    assert expected.items() <= samples.items()
    assert samples[f"node_bcache_writeback_rate_proportional_term{{{BACKING}}}"] < 0


def test_priority_statistics_are_published_when_asked_for(cached: FakeMachine) -> None:
    """They are expensive."""
    unused = f'node_bcache_priority_stats_unused_percent{{uuid="{SET}",cache_device="cache0"}}'
    assert unused not in samples_in(exposed(Bcache(cached.host)))
    assert samples_in(exposed(Bcache(cached.host, bcache.Options(priority_stats=True))))[unused] == 99


def test_a_kernel_without_read_ahead_has_no_such_counter(cached: FakeMachine) -> None:
    """Nor one that never read ahead."""
    for content in ("0\n", None):
        if content is None:
            cached.remove(f"sys/fs/bcache/{SET}/bdev0/stats_total/cache_readaheads")
        else:
            cached.write(f"sys/fs/bcache/{SET}/bdev0/stats_total/cache_readaheads", content)
        assert "readaheads" not in exposed(Bcache(cached.host))


def test_a_broken_file_of_bcache_is_named_and_costs_nothing_else(cached: FakeMachine) -> None:
    """The file and what stands there."""
    cached.write(f"sys/fs/bcache/{SET}/bdev0/dirty_data", "much\n")
    samples, failure = until_it_fails(Bcache(cached.host))
    assert "bdev0/dirty_data:1: expected a number, or one such as 1.5k, got 'much'" in failure
    assert f"node_bcache_cache_hits_total{{{BACKING}}}" in samples


@pytest.fixture
def mounted(tmp_path: Path) -> FakeMachine:
    """A machine with a bcachefs of one device."""
    machine = FakeMachine(tmp_path)
    machine.write_all(
        {
            "btree_cache_size": "2.05G\n",
            "compression_stats": "typetype  compressed  uncompressed  average extent size\nzstd  226G  603G  115k\n",
            "errors": "accounting_mismatch 6 1771753608\n",
            "btree_write_stats": "   nr  size\ninitial:   3298401   100k\n",
            "counters/bucket_alloc": "since mount:   7\nsince filesystem creation:  37\n",
            "counters/odd-name": "since filesystem creation:  1\n",
            "counters/errors": "since filesystem creation:  5\n",
            "dev-6/label": "disk-6\n",
            "dev-6/state": "[rw] ro evacuating spare \n",
            "dev-6/bucket_size": "2.00M\n",
            "dev-6/nbuckets": "953864\n",
            "dev-6/io_done": "read:\nsb  :  86016\nuser  :610019098624\nwrite:\nsb  :  1\n",
            "dev-6/io_errors": "IO errors since filesystem creation\n  read: 18\nIO errors since 8 y ago\n  read: 9\n",
        },
        f"sys/fs/bcachefs/{FS}",
    )
    return machine


def test_a_mounted_bcachefs(mounted: FakeMachine) -> None:
    """Counters count from the creation of the file system, and errors of a device as well."""
    device = f'uuid="{FS}",device="6"'
    samples = samples_in(exposed(Bcachefs(mounted.host)))
    expected = {
        f'node_bcachefs_info{{uuid="{FS}"}}': 1,
        f'node_bcachefs_compression_compressed_bytes{{uuid="{FS}",algorithm="zstd"}}': 226 << 30,
        f'node_bcachefs_errors_total{{uuid="{FS}",error_type="accounting_mismatch"}}': 6,
        f'node_bcachefs_btree_writes_total{{uuid="{FS}",type="initial"}}': 3298401,
        f'node_bcachefs_btree_write_average_size_bytes{{uuid="{FS}",type="initial"}}': 102400,
        f'node_bcachefs_bucket_alloc_total{{uuid="{FS}"}}': 37,
        f'node_bcachefs_odd_name_total{{uuid="{FS}"}}': 1,
        f'node_bcachefs_device_info{{{device},label="disk-6",state="[rw] ro evacuating spare"}}': 1,
        f"node_bcachefs_device_bucket_size_bytes{{{device}}}": 2 << 20,
        f"node_bcachefs_device_durability{{{device}}}": 0,
        f'node_bcachefs_device_io_done_bytes_total{{{device},operation="read",data_type="user"}}': 610019098624,
        f'node_bcachefs_device_io_done_bytes_total{{{device},operation="write",data_type="sb"}}': 1,
        f'node_bcachefs_device_io_errors_total{{{device},type="read"}}': 18,
    }
    assert expected.items() <= samples.items()


def test_a_broken_file_of_bcachefs_is_named_and_costs_nothing_else(mounted: FakeMachine) -> None:
    """The file and what stands there; a counter that had another metric's name is left out."""
    mounted.write(f"sys/fs/bcachefs/{FS}/dev-6/nbuckets", "-3\n")
    samples, failure = until_it_fails(Bcachefs(mounted.host))
    assert "dev-6/nbuckets:1: expected a number, or one such as 2.05G, got '-3'" in failure
    assert f'node_bcachefs_bucket_alloc_total{{uuid="{FS}"}}' in samples
    assert len([name for name in samples if name.startswith("node_bcachefs_errors_total")]) == 1


def test_a_machine_without_either(tmp_path: Path) -> None:
    """bcachefs says what is lacking; bcache has nothing to publish, which is no failure."""
    machine = FakeMachine(tmp_path)
    assert exposed(Bcache(machine.host)) == ""
    with pytest.raises(NoData, match="fs/bcachefs: No such file"):
        exposed(Bcachefs(machine.host))
