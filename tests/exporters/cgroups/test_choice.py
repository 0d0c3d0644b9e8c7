"""What an operator chooses: cgroups, labels, families, and how many series there may be."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.labels import Labelling
from exporters.cgroups.tree.sieve import LEFT_OUT, fitting
from exporters.collector import Family, gauge
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import Identity
from exporters.scrape import Scraper
from exporters.testing import FakeMachine, ManualTime, RecordingLog, exposed, samples_in, text_of
from tests.exporters.cgroups import trees
from tests.exporters.machines import APP, NOW, UID, log_links, v2_cgroup


def published(machine: FakeMachine, choice: Choice, collector: str = "cgroup.cpu") -> list[str]:
    """The labels under which a collector publishes something, without those that tell its own samples apart."""
    group = cgroup_group(machine.host, {}, choice=choice, log=RecordingLog())
    names = samples_in(exposed(group.collectors[collector], NOW))
    return sorted(
        {name.partition("{")[2].rstrip("}") for name in names if "user_seconds" in name or "receive_by" in name}
    )


def ids(machine: FakeMachine, choice: Choice) -> set[str]:
    return {re.findall(r'id="([^"]*)"', labels)[0] for labels in published(machine, choice)}


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """A node with containerd."""
    machine = FakeMachine(tmp_path)
    trees.containerd(machine)
    return machine


def test_sandboxes_have_series_when_asked_for(machine: FakeMachine) -> None:
    """They do nothing but hold a pod's namespaces; the kubelet shows them with an empty container."""
    sandbox = re.compile(r'container="",.*image="[^"]*pause')
    assert not [labels for labels in published(machine, Choice()) if sandbox.search(labels)]
    shown = [labels for labels in published(machine, Choice(sandboxes=True)) if sandbox.search(labels)]
    assert len(shown) >= 5
    assert all('pod=""' not in labels for labels in shown)


def test_a_sandbox_without_series_still_tells_its_pods_network(tmp_path: Path) -> None:
    """A pod whose containers crash is on the network all the while."""
    machine = FakeMachine(tmp_path)
    trees.containerd(machine)
    everything = published(machine, Choice(sandboxes=True), "cgroup.network")
    assert len(everything) > 3
    assert published(machine, Choice(), "cgroup.network") == everything


def test_a_root_without_series_tells_the_same_which_files_of_disks_there_are(tmp_path: Path) -> None:
    """Whoever wants no series of the machine's own cgroup has those of its containers, on v1 too."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    for path in ("", f"/kubepods/pod{UID}/{APP}"):
        machine.write(f"cgroup/cpu{path}/cpu.shares", "1024\n")
        machine.write(f"cgroup/blkio{path}/blkio.throttle.io_service_bytes", "8:0 Read 1\n8:0 Write 2\nTotal 3\n")
        machine.write(f"cgroup/blkio{path}/blkio.throttle.io_serviced", "8:0 Read 1\n8:0 Write 2\nTotal 3\n")
    for choice in (Choice(include=re.compile(APP)), Choice(labels=("container", "namespace", "pod"))):
        collector = cgroup_group(machine.host, {}, choice=choice).collectors["cgroup.io"]
        written = [value for name, value in samples_in(exposed(collector, NOW)).items() if "fs_writes_bytes" in name]
        assert written == [2]


def test_cgroups_are_chosen_by_path_and_namespace(machine: FakeMachine) -> None:
    """What is not chosen is not read; a namespace takes its pods and their containers along, and nothing else."""
    everything = ids(machine, Choice())
    pods = {path for path in everything if "kubepods" in path}
    assert ids(machine, Choice(include=re.compile("kubepods"))) == pods
    assert ids(machine, Choice(exclude=re.compile("kubepods"))) == everything - pods
    of_shop = {labels for labels in published(machine, Choice()) if 'namespace="shop"' in labels}
    kept = set(published(machine, Choice(namespaces_include=re.compile("^shop$"))))
    assert of_shop < kept
    assert {labels for labels in kept if 'namespace=""' not in labels} == of_shop
    assert set(published(machine, Choice())) - of_shop == set(
        published(machine, Choice(namespaces_exclude=re.compile("^shop$")))
    )


def test_labels_are_the_operators(machine: FakeMachine) -> None:
    """Without `id` a cgroup that no other label names has no series, and no two have the same labels."""
    shown = published(machine, Choice(labels=("namespace", "pod", "container")))
    assert 'namespace="shop",pod="web-0",container="app"' in shown
    assert all(labels.startswith("namespace=") and labels.count("=") == 3 for labels in shown)
    assert 'namespace="",pod="",container=""' not in shown
    text = exposed(
        cgroup_group(machine.host, {}, choice=Choice(labels=("namespace",))).collectors["cgroup.memory"], NOW
    )
    assert text.count('\ncontainer_memory_rss{namespace="shop"}') == 1


def test_labels_that_cadvisor_does_not_have(machine: FakeMachine) -> None:
    """They are left out where they say nothing."""
    choice = Choice(labels=("id", "pod", "qos", "runtime", "pod_uid", "workload", "workload_kind"))
    shown = published(machine, choice)
    assert 'id="/",pod=""' in shown
    (app,) = (labels for labels in shown if trees.id_of("shop/web-0/app") in labels)
    assert app.endswith(
        'pod="web-0",qos="burstable",runtime="cri-containerd",pod_uid="4a163a05-439d-484b-8e53-2968bc15824f",'
        'workload="web",workload_kind="StatefulSet"'
    )


def test_slices_and_units_of_systemd_by_name(tmp_path: Path) -> None:
    """A slice has its name, a unit that of the slice that it is in as well; what is below a unit belongs to it."""
    machine = FakeMachine(tmp_path)
    for path in ("", "system.slice", "system.slice/nginx.service", "system.slice/nginx.service/worker", "odd"):
        v2_cgroup(machine, path)
    shown = {
        labels.partition(',image="",name="",namespace="",pod=""')[2]
        for labels in published(machine, Choice(slices=True))
    }
    assert shown == {"", ',slice="system.slice"', ',slice="system.slice",unit="nginx.service"'}
    assert all("slice=" not in labels for labels in published(machine, Choice()))


def test_labels_of_pods_that_are_one_label_in_the_end() -> None:
    """`.` and `-` are `_` in a name of a label, and an empty label is none."""
    labelling = Labelling(Choice(labels=("pod",), pod_labels=("*",), kubelet="https://127.0.0.1"))
    who = Identity(pod="web-0", labels={"a.b": "1", "a-b": "2", "team": "shop", "a/b": "", "canary": ""})
    expected = 'pod="web-0",container_label_a_b="1",container_label_team="shop"'
    assert labelling.text("/a", Place(Kind.POD, UID), who) == expected


def test_a_choice_that_is_none_is_refused_with_its_flag() -> None:
    """Which, and what there is."""
    with pytest.raises(ValueError, match=r"--cgroup.label: expected one of container, id, .*, got 'node'"):
        Choice(labels=("node",))
    with pytest.raises(ValueError, match=r"--cgroup.pod-label: expected a name of a label, \* for any text, got 'a b'"):
        Choice(pod_labels=("a b",))
    with pytest.raises(ValueError, match=r"--cgroup.series-limit: expected a number, 0 for no limit, got -1"):
        Choice(series_limit=-1)
    with pytest.raises(ValueError, match=r"--cgroup.pod-label: expected --cgroup.kubelet too"):
        Choice(pod_labels=("app",))
    for url in ("node:10250", "https://node:1025o", "https://user:password@node", "https://node:10250/pods?x"):
        with pytest.raises(ValueError, match=f"--cgroup.kubelet: expected a URL .*, got '{re.escape(url)}'"):
            Choice(kubelet=url)
    assert Choice(kubelet="http://[::1]:10255/").kubelet


def test_families_are_chosen_by_name(machine: FakeMachine) -> None:
    """By a pattern for what is wanted, another for what is not."""
    log = RecordingLog()
    choice = Choice(families_include=re.compile("^container_memory_"), families_exclude=re.compile("failures|events"))
    scraper = Scraper([cgroup_group(machine.host, {}, choice=choice, log=log)], log, ManualTime(NOW))
    families = {name.partition("{")[0] for name in samples_in(scraper.scrape(scraper.select((), ()), text_of))}
    assert {"container_memory_rss", "container_memory_working_set_bytes"} < families
    others = {name for name in families if not name.startswith("container_memory_")}
    assert others == {"container_scrape_error", *(name for name in families if name.startswith("cgroup_scrape_"))}
    assert not [name for name in families if "events" in name or "failures" in name]


def test_a_limit_leaves_out_whole_families_and_says_which(tmp_path: Path) -> None:
    """Those with most series, by a metric and by one line of the log; a line again when all fit again."""
    machine, log = FakeMachine(tmp_path), RecordingLog()
    log_links(machine)
    paths = [f"kubepods/pod{UID}/{APP[:-1]}{digit}" for digit in "abcdef"]
    for path in paths:
        v2_cgroup(machine, path)
    clock = ManualTime(NOW)

    def scraped(choice: Choice) -> Callable[[], dict[str, float]]:
        scraper = Scraper([cgroup_group(machine.host, {}, choice=choice, log=log)], log, clock)
        return lambda: samples_in(scraper.scrape(scraper.select((), ()), text_of))

    everything = [name for name in scraped(Choice())() if name.startswith("container_")]
    limit = len(everything) - 1 - 3  # of which one, container_scrape_error, is no cgroup's
    scrape = scraped(Choice(series_limit=limit))
    before = scrape()
    left_out = {name: value for name, value in before.items() if name.startswith(LEFT_OUT.name)}
    assert left_out == {f'{LEFT_OUT.name}{{family="container_memory_failures_total"}}': 24}
    assert not [name for name in before if name.startswith("container_memory_failures_total")]
    assert len([name for name in before if name.startswith("container_")]) == len(everything) - 24
    clock.advance(15)
    scrape()
    (line,) = (line for line in log.lines if "left out" in line)
    assert f"limit={limit}" in line
    assert "container_memory_failures_total (24 series)" in line
    for path in paths[2:]:
        machine.remove(f"cgroup/{path}")
    clock.advance(15)
    after = scrape()
    assert [name for name in after if name.startswith("container_memory_failures_total")]
    assert not [name for name in after if name.startswith(LEFT_OUT.name)]
    assert [line for line in log.lines if "all families fit again" in line]


def test_what_fits() -> None:
    """Nothing is left out without need; without a limit, nothing."""
    families = [Family(gauge(f"g{size}", "G."), [((str(n),), 1) for n in range(size)]) for size in (3, 5, 4, 5)]

    def names(limit: int) -> list[str]:
        return [family.metric.name for family in fitting(families, limit)[1]]

    assert names(0) == names(17) == names(99) == []
    assert names(16) == ["g5"]
    assert names(1) == ["g5", "g5", "g4", "g3"]


def test_of_families_with_as_many_series_the_first_stay() -> None:
    """Processor and memory are published first; without them there is nothing to look at."""
    families = [Family(gauge(name, "G."), [((str(n),), 1) for n in range(5)]) for name in ("cpu", "memory", "start")]
    assert [family.metric.name for family in fitting(families, 10)[1]] == ["start"]
    assert [family.metric.name for family in fitting(families, 5)[0]] == ["cpu"]
