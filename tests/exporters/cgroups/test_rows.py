"""What is read at each scrape, and what only now and then."""

from pathlib import Path

from exporters.app import cgroup_group
from exporters.cgroups.tree.rows import KEEP_LIMITS
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import NOW, v2_cgroup

STEP = 15.0
PATHS = [f"c{number}" for number in range(8)]


def limits(machine: FakeMachine, of: str) -> None:
    for path in PATHS:
        machine.write(f"cgroup/{path}/memory.max", f"{of}\n")
        machine.write(f"cgroup/{path}/memory.current", f"{of}\n")


def test_limits_are_as_old_as_a_minute_and_what_is_used_is_new(tmp_path: Path) -> None:
    """A cgroup that is new is looked at twice, for it is given its limits after it was made; then not all at once."""
    machine = FakeMachine(tmp_path)
    collector = cgroup_group(machine.host, {}).collectors["cgroup.memory"]

    def shown(now: float, name: str) -> list[float]:
        samples = samples_in(exposed(collector, now))
        return sorted(value for key, value in samples.items() if key.startswith(name) and 'id="/c' in key)

    for path in PATHS:
        v2_cgroup(machine, path)
    limit, used = "container_spec_memory_limit_bytes", "container_memory_usage_bytes"
    assert shown(NOW, limit) == [1000] * 8
    limits(machine, "2000")
    assert shown(NOW + STEP, limit) == [2000] * 8
    limits(machine, "3000")
    assert shown(NOW + STEP + 1, used) == [3000] * 8
    seen = [shown(NOW + STEP + share * KEEP_LIMITS, limit).count(3000) for share in (0.01, 0.25, 0.5, 0.75, 1.0)]
    assert seen == [0, 2, 4, 6, 8]
    limits(machine, "4000")
    assert shown(NOW + STEP + 2 * KEEP_LIMITS, limit) == [4000] * 8


def test_a_clock_that_is_set_back_keeps_nothing_for_long(tmp_path: Path) -> None:
    """Limits are read again, as nobody knows when they were read."""
    machine = FakeMachine(tmp_path)
    collector = cgroup_group(machine.host, {}).collectors["cgroup.cpu"]
    v2_cgroup(machine, "c0")
    for now in (NOW, NOW + STEP, NOW + 2 * STEP):
        exposed(collector, now)
    machine.write("cgroup/c0/cpu.weight", "1\n")
    samples = samples_in(exposed(collector, NOW - 86_400))
    assert [value for key, value in samples.items() if key.startswith("container_spec_cpu_shares")] == [2]
