"""What a scraper and its operator are told of containers that have no name yet."""

from pathlib import Path

from exporters.app import cgroup_group
from exporters.cgroups.names import UNNAMED
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.inventory import MOST_OF_A_USER
from exporters.scrape import Scraper
from exporters.testing import FakeMachine, ManualTime, RecordingLog, exposed, samples_in, text_of
from tests.exporters.cgroups import trees
from tests.exporters.machines import NOW, UID, v2_cgroup


def test_containers_without_names_are_counted(tmp_path: Path) -> None:
    """Until their names are there: by then nothing is asked any more."""
    machine, clock = FakeMachine(tmp_path), ManualTime(NOW)
    path = f"kubepods/pod{UID}/{trees.id_of('shop/web-0/app')}"
    v2_cgroup(machine, path)
    scraper = Scraper([cgroup_group(machine.host, {}, log=RecordingLog())], RecordingLog(), clock)

    def unnamed() -> float:
        clock.advance(15)
        return samples_in(scraper.scrape(scraper.select((), ()), text_of))[UNNAMED.name]

    assert unnamed() == 2
    trees.containerd(machine)
    for _ in range(4):
        unnamed()
    assert unnamed() == 0


def test_a_source_of_names_that_does_not_answer_is_told_once(tmp_path: Path) -> None:
    """By a line of the log, which has no token in it, and by the collector's success."""
    machine, log, clock = FakeMachine(tmp_path), RecordingLog(), ManualTime(NOW)
    v2_cgroup(machine, f"kubepods/pod{UID}/{trees.id_of('shop/web-0/app')}")
    token = tmp_path / "token"
    token.write_text("secret-of-the-cluster", encoding="utf-8")
    choice = Choice(kubelet="http://127.0.0.1:9", kubelet_token_file=str(token))
    scraper = Scraper([cgroup_group(machine.host, {}, choice=choice, log=log)], log, clock)
    for _ in range(3):
        clock.advance(15)
        samples = samples_in(scraper.scrape(scraper.select((), ()), text_of))
        assert samples['cgroup_scrape_collector_success{collector="cgroup.names"}'] == 0
    (line,) = (line for line in log.lines if "cgroup.names" in line)
    assert "kubelet: expected an answer, got" in line
    assert "secret" not in "".join(log.lines)


def test_a_user_does_not_crowd_out_the_others(tmp_path: Path) -> None:
    """Whoever may make cgroups may make thousands: so many have series, and the rest is counted."""
    machine = FakeMachine(tmp_path)
    slice_of_ada = "user.slice/user-1000.slice"
    machine.write("cgroup/cgroup.controllers", "cpu memory\n")
    for number in range(MOST_OF_A_USER + 20):
        (machine.folder / f"cgroup/{slice_of_ada}/user@1000.service/{number}").mkdir(parents=True)
    v2_cgroup(machine, "system.slice/nginx.service")
    group = cgroup_group(machine.host, {}, log=RecordingLog())
    samples = samples_in(exposed(group.collectors["cgroup.names"], NOW))
    (left_out,) = (
        value for name, value in samples.items() if name == 'fenghuo_exporter_cgroups_left_out{slice="user-1000.slice"}'
    )
    seen = samples_in(exposed(group.collectors["cgroup.lifetime"], NOW))
    published = [name for name in seen if name.startswith("container_last_seen") and "user-1000.slice" in name]
    assert len(published) == MOST_OF_A_USER
    assert left_out == 20 + 2  # and the slice and the manager of the user
    assert [name for name in samples_in(exposed(group.collectors["cgroup.memory"], NOW)) if "nginx" in name]
