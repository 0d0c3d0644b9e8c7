"""What a user sees of whole machines: whose cgroups there are, nothing twice, and sums that add up.

The machines are those of `trees`; what is seen of each stands in `seen`, written by hand.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from exporters import catalog
from exporters.app import cgroup_group
from exporters.cgroups.lifetime import LifetimeCollector
from exporters.cgroups.machine import Machine
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.inventory import Inventory
from exporters.testing import FakeMachine, exposed
from tests.exporters.cgroups import trees
from tests.exporters.cgroups.seen import APP_ID, NETWORKS, POD_SANDBOXES, SEEN, Who
from tests.exporters.machines import NOW, published

PODS = [name for name in trees.MACHINES if any(who.pod for who in SEEN[name])]
"""Machines of Kubernetes that know the names of their pods."""

FAMILIES = ("container_cpu_usage_seconds_total", "container_memory_working_set_bytes")


def machine_of(name: str, folder: Path) -> FakeMachine:
    machine = FakeMachine(folder)
    trees.MACHINES[name](machine)
    return machine


def samples_of(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def who(sample: Sample) -> Who:
    return Who(*(sample.labels[label] for label in Who._fields))


@pytest.fixture(scope="module")
def scrapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Sample]]:
    """What all collectors that are on by default publish of each machine."""
    found = {}
    for name in trees.MACHINES:
        collectors = cgroup_group(machine_of(name, tmp_path_factory.mktemp(name)).host, {}).collectors.values()
        found[name] = samples_of("".join(map(published, collectors)))
    return found


@pytest.fixture(params=trees.MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    """Each machine by its name."""
    return str(request.param)


@pytest.fixture
def samples(machine: str, scrapes: dict[str, list[Sample]]) -> list[Sample]:
    """The samples of that machine that are of cgroups."""
    return [sample for sample in scrapes[machine] if "id" in sample.labels]


def test_each_cgroup_is_seen_as_what_it_is(machine: str, samples: list[Sample]) -> None:
    """Pods and containers by their names, groups and units by their path; helpers and sandboxes not at all."""
    assert sorted({who(sample) for sample in samples}) == sorted(SEEN[machine])


def test_every_cgroup_has_its_processor_time_and_memory(machine: str, samples: list[Sample]) -> None:
    """Once each, and no two of them the same: they are the numbers of that cgroup."""
    for family in FAMILIES:
        values = {sample.labels["id"]: sample.value for sample in samples if sample.name == family}
        assert values.keys() == {one.id for one in SEEN[machine]}
        assert len(set(values.values())) == len(values)


def test_nothing_is_there_twice(samples: list[Sample]) -> None:
    """No series, and no container under the labels by which rules add up."""
    counts = Counter((sample.name, *sorted(sample.labels.items())) for sample in samples)
    assert [series for series, count in counts.items() if count > 1] == []
    for family in FAMILIES:
        containers = Counter(
            (one.namespace, one.pod, one.container)
            for one in map(who, (sample for sample in samples if sample.name == family))
            if one.container
        )
        assert [one for one, count in containers.items() if count > 1] == []


def test_traffic_is_counted_once_a_network(machine: str, samples: list[Sample]) -> None:
    """A pod's under the labels of the pod, whatever is in it; the host's at the root only."""
    found = [
        (one.namespace, one.pod, one.name, sample.labels["interface"])
        for sample in samples
        if sample.name == "container_network_receive_bytes_total" and (one := who(sample)) is not None
    ]
    assert sorted(found) == sorted(NETWORKS[machine])
    values = [sample.value for sample in samples if sample.name == "container_network_receive_bytes_total"]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("machine", [name for name in PODS if name != "v2_containerd_misconfigured"], indirect=True)
def test_containers_add_up_to_their_pod(samples: list[Sample], family: str) -> None:
    """As `sum by (pod) (…{container!=""})` adds them up: nearly all of the pod, and never more."""
    of_pod: dict[str, float] = {}
    of_containers: Counter[str] = Counter()
    for sample in samples:
        one = who(sample)
        if sample.name == family and one.container:
            of_containers[one.pod] += sample.value  # type: ignore[assignment] # a Counter adds floats as well
        elif sample.name == family and one.pod:
            of_pod[one.pod] = sample.value
    assert of_pod.keys() == of_containers.keys()
    for pod, whole in of_pod.items():
        assert 0.7 * whole < of_containers[pod] < whole


def test_a_group_has_all_that_is_below_it(samples: list[Sample]) -> None:
    """A path that goes on below another is never more than that one."""
    usage = {s.labels["id"]: s.value for s in samples if s.name == FAMILIES[0]}
    for above, below in pairwise(sorted(usage)):
        if below.startswith(f"{above.rstrip('/')}/"):
            assert usage[below] <= usage[above]


def of_app(scrape: list[Sample]) -> Iterator[Sample]:
    """The samples of container app in pod web-0."""
    return (sample for sample in scrape if sample.labels.get("id", "").find(APP_ID) >= 0)


@pytest.mark.parametrize("machine", PODS)
def test_a_container_has_its_limits_kills_and_processes(machine: str, scrapes: dict[str, list[Sample]]) -> None:
    """Wherever they are kept: in the container's cgroup, or in the one that crun puts below it."""
    values = {sample.name: sample.value for sample in of_app(scrapes[machine])}
    assert values["container_spec_cpu_quota"] == 50_000
    assert values["container_spec_memory_limit_bytes"] == 256 << 20
    assert values["container_oom_events_total"] == 2
    assert values["container_processes"] == 2
    assert values["container_cpu_cfs_periods_total"] > values["container_cpu_cfs_throttled_periods_total"] > 0


@pytest.mark.parametrize("machine", PODS)
def test_kills_are_counted_once_under_containers(machine: str, scrapes: dict[str, list[Sample]]) -> None:
    """Those of the one container that was killed, and no others."""
    kills = {
        (one.pod, one.container): sample.value
        for sample in scrapes[machine]
        if sample.name == "container_oom_events_total" and (one := who(sample)).container and sample.value
    }
    assert kills == {("web-0", "app"): 2}


@pytest.mark.parametrize("machine", POD_SANDBOXES)
def test_sandboxes_are_there_for_those_who_ask(machine: str, tmp_path: Path) -> None:
    """One a pod, with the names that the runtime gives it."""
    host = machine_of(machine, tmp_path).host
    choice = Choice(sandboxes=True)
    inventory = Inventory(host, catalog.resolver(host, choice), choice)
    found = {who(sample) for sample in samples_of(exposed(LifetimeCollector(inventory, Machine(host)), NOW))}
    assert found - SEEN[machine] == POD_SANDBOXES[machine]


def test_without_the_right_to_read_bundles_logs_give_the_names(tmp_path: Path) -> None:
    """All but the images."""
    machine = machine_of("v2_containerd", tmp_path)
    machine.remove("root/run")
    text = exposed(cgroup_group(machine.host, {}).collectors["cgroup.lifetime"], NOW)
    found = {who(sample) for sample in samples_of(text)}
    expected = {one._replace(image="") for one in SEEN["v2_containerd"] if one.container}
    assert {one for one in found if one.container} == expected


def test_a_container_without_a_controller_has_no_series_of_it(scrapes: dict[str, list[Sample]]) -> None:
    """systemd passes processor time, memory and processes on to a user's manager, and no more."""
    blog = trees.id_of("blog")
    families = {sample.name for sample in scrapes["v2_podman"] if blog in sample.labels.get("id", "")}
    assert "container_cpu_usage_seconds_total" in families
    assert "container_memory_working_set_bytes" in families
    assert not any(name.startswith(("container_fs_", "container_blkio_")) for name in families)


@pytest.mark.parametrize("machine", [name for name in trees.MACHINES if name != "v1_docker"])
def test_both_disks_have_their_names(machine: str, scrapes: dict[str, list[Sample]]) -> None:
    """Also the one whose line begins with devices that moved nothing, as some kernels write it."""
    devices = {
        sample.labels["device"] for sample in scrapes[machine] if sample.name == "container_fs_reads_bytes_total"
    }
    assert devices == {"/dev/sda", "/dev/dm-0"}
