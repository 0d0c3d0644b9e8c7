"""A real Prometheus scrapes the exporters, and finds in them what dashboards and rules ask for."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.exporters.running import exporter, get
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

pytestmark = pytest.mark.stack

# what lints may say of the peers' own names, which are the contract
UPSTREAM_NAMES = (
    "should be written in 'snake_case'",
    'should have "_total" suffix',
    'container_fs_inodes_total non-counter metrics should not have "_total" suffix',
    'instead of "bits"',
)

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: node
    params: {{"collect[]": [node]}}
    static_configs: [{{targets: ["{address}"]}}]
  - job_name: cgroup
    honor_labels: true
    params: {{"collect[]": [cgroup]}}
    static_configs: [{{targets: ["{address}"]}}]
"""

UP = 'up{job=~"node|cgroup"}'
"""Of these jobs alone: those of a test before live on for a moment."""

QUERIES = [
    'node_exporter_build_info{job="node"}',
    'node_uname_info{nodename!="",sysname="Linux"}',
    'sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[10s]))',
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "node_load1",
    'node_filesystem_avail_bytes{fstype!="",mountpoint!=""} / node_filesystem_size_bytes',
    "rate(node_disk_read_bytes_total[10s])",
    'rate(node_network_receive_bytes_total{device="lo"}[10s])',
    'node_scrape_collector_success{collector="cpu"} == 1',
    'rate(container_cpu_usage_seconds_total{id="/"}[10s])',
    'container_memory_working_set_bytes{id="/"} / container_spec_memory_limit_bytes{id="/"} > 0',
    'time() - container_last_seen{id="/"} < 60',
    "machine_cpu_cores > 0",
    "machine_memory_bytes > 0",
]


@pytest.fixture(scope="module")
def scraped(prometheus: Prometheus) -> Iterator[Prometheus]:
    """A Prometheus that has scraped this machine a few times."""
    with exporter() as (url, _):
        prometheus.start(CONFIG.format(address=url.removeprefix("http://")))
        often = f"min_over_time({UP}[10s]) == 1 and count_over_time({UP}[10s]) > 3"
        wait_until(lambda: len(prometheus.query(often)) == 2, "four scrapes of both jobs", 60)
        yield prometheus
    prometheus.start(prometheus.default_config)


def test_both_jobs_are_up(scraped: Prometheus) -> None:
    """`up` is 1 for node and cgroup, with nothing dropped on the way."""
    assert {row["metric"]["job"]: row["value"][1] for row in scraped.query(UP)} == {"node": "1", "cgroup": "1"}
    assert scraped.query("scrape_samples_scraped - scrape_samples_post_metric_relabeling != 0") == []


@pytest.mark.parametrize("query", QUERIES)
def test_what_dashboards_ask_for_has_an_answer(scraped: Prometheus, query: str) -> None:
    """Each expression returns at least one series."""
    wait_until(lambda: len(scraped.query(query)) > 0, query)


def test_types_and_help_arrive(scraped: Prometheus) -> None:
    """Prometheus knows the types of what it scraped."""
    metadata = scraped.call("GET", "/api/v1/metadata?metric=node_cpu_seconds_total")["data"]
    (entry,) = metadata["node_cpu_seconds_total"]
    assert entry["type"] == "counter"
    assert entry["help"]


def test_promtool_accepts_the_exposition(prometheus: Prometheus) -> None:
    """Prometheus' own linter reads it all and complains of nothing but names that are the peers'."""
    with exporter() as (url, _):
        text = get(f"{url}/metrics")[2]
    checked = subprocess.run(
        [prometheus.promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    complaints = (checked.stdout + checked.stderr).splitlines()
    assert [line for line in complaints if not line.endswith(UPSTREAM_NAMES) and "camelCase" not in line] == []
