"""The command as an operator runs it: a process, its pages, its log and its end."""

import gc
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters import catalog
from exporters.app import Settings, build_scraper, look_for_cgroups
from exporters.host import Host, Roots
from exporters.messages import Request
from exporters.pages import Site
from exporters.testing import FakeMachine, RecordingLog
from tests.exporters.machines import FIXTURES, recorded_machine, v2_cgroup
from tests.exporters.running import exporter, get

HEAVY = (
    *("aiohttp", "asyncio", "pydantic", "yaml", "jinja2", "structlog", "prometheus_client", "rich"),
    *("ssl", "bcrypt", "hashlib", "html", "subprocess", "ctypes", "email", "http", "logging"),
)


def names_in(text: str) -> set[str]:
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def test_this_machine_is_published() -> None:
    """A scrape over HTTP has the metrics that dashboards find a machine by, and every page answers."""
    with exporter() as (url, _):
        status, headers, text = get(f"{url}/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert names_in(text) >= {
            *("node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_load1", "node_boot_time_seconds"),
            *("node_uname_info", "node_exporter_build_info", "node_scrape_collector_success", "fenghuo_build_info"),
            *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"),
        }
        assert get(f"{url}/")[2].startswith("<!doctype html>")
        assert get(f"{url}/-/healthy")[::2] == (200, "exporter is healthy.\n")
        assert get(f"{url}/-/ready")[::2] == (200, "exporter is ready.\n")
        assert get(f"{url}/nonsense")[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    """Also while a scraper keeps its connection open."""
    with exporter() as (url, process):
        get(f"{url}/-/ready")
        process.send_signal(number)
        assert process.wait(5) == 0


def test_a_taken_port_is_one_line() -> None:
    """Cause and remedy on one line, no traceback, exit code 1."""
    with exporter() as (url, _):
        address = url.removeprefix("http://")
        command = [sys.executable, "-m", "exporters", f"--web.listen-address={address}"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        f"python -m exporters: can't listen on {address}: Address already in use; choose another --web.listen-address\n"
    )


def test_a_machine_without_cgroups_is_told_of_at_the_start(tmp_path: Path) -> None:
    """Once: a wrong --path.cgroupfs would be silence otherwise."""
    machine, log = FakeMachine(tmp_path), RecordingLog()
    look_for_cgroups(machine.host, log)
    (line,) = log.lines
    assert "no cgroups to publish" in line
    assert f"{tmp_path}/cgroup: no cgroup hierarchy is mounted there" in line
    v2_cgroup(machine, "")
    look_for_cgroups(machine.host, log)
    assert len(log.lines) == 1


def test_a_node_agent_stays_light() -> None:
    """None of the heavy packages is imported, however they are installed, and memory stays within its budget."""
    with exporter(f"--path.cgroupfs={FIXTURES / 'cgroups' / 'v2'}") as (url, process):
        get(f"{url}/metrics")
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    assert int(resident) < 32 << 10
    code = f"import sys, exporters.cli; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--collect=nonsense"], "command line: --collect: expected one of node, cgroup, got 'nonsense'"),
        (["--web.telemetry-path=metrics"], "--web.telemetry-path: expected a path such as /metrics, got 'metrics'"),
        (["--web.listen-address=9100"], "the listen address '9100' is no HOST:PORT"),
    ],
)
def test_wrong_flags_are_named(flags: list[str], expected: str) -> None:
    """What was given, what was expected, and exit code 1."""
    command = [sys.executable, "-m", "exporters", *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 1
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


def site(tmp_path: Path, settings: Settings) -> Site:
    return Site(build_scraper(settings, recorded_machine(tmp_path).host, RecordingLog()), settings.telemetry_path)


def page(under_test: Site, query: dict[str, list[str]] | None = None, **headers: str) -> tuple[int, str]:
    answer = under_test.handle(Request("GET", "/metrics", query or {}, headers))
    return answer.status, answer.body.decode()


def collectors_in(text: str) -> set[str]:
    return set(re.findall(r'_scrape_collector_success\{collector="([^"]+)"\}', text))


def test_groups_can_be_served_apart(tmp_path: Path) -> None:
    """`--collect cgroup` publishes nothing of the node, and the other way round."""
    cgroup = page(site(tmp_path / "a", Settings(groups=("cgroup",))))[1]
    node = page(site(tmp_path / "b", Settings(groups=("node",))))[1]
    assert collectors_in(cgroup) == {name for name, entry in catalog.CGROUP.items() if entry.default}
    assert not re.search(r"^node_", cgroup, re.MULTILINE)
    assert not re.search(r"^(container|machine)_", node, re.MULTILINE)


def test_collectors_can_be_switched_off(tmp_path: Path) -> None:
    """`--no-collector.X` leaves one out."""
    under_test = site(tmp_path, Settings(collectors={"cpu": False, "cgroup.memory": False}))
    assert collectors_in(page(under_test)[1]).isdisjoint({"cpu", "cgroup.memory"})


def test_a_scraper_chooses_collectors(tmp_path: Path) -> None:
    """`collect[]` and `exclude[]`; a name that is not there is the scraper's mistake."""
    under_test = site(tmp_path, Settings())
    assert collectors_in(page(under_test, {"collect[]": ["loadavg", "cgroup.cpu"]})[1]) == {"loadavg", "cgroup.cpu"}
    assert "cpu" not in collectors_in(page(under_test, {"exclude[]": ["cpu"]})[1])
    assert page(under_test, {"collect[]": ["nonsense"]}) == (400, "unknown or disabled collector: nonsense\n")


def test_formats_and_packing_are_negotiated(tmp_path: Path) -> None:
    """OpenMetrics ends with its mark; a packed answer says so."""
    under_test = site(tmp_path, Settings())
    accept = "application/openmetrics-text;version=1.0.0"
    assert page(under_test, accept=accept)[1].endswith("# EOF\n")
    answer = under_test.handle(Request("GET", "/metrics", {}, {"accept-encoding": "gzip"}))
    assert answer.headers == {"Content-Encoding": "gzip"}
    assert answer.body[:2] == b"\x1f\x8b"


def test_hundreds_of_scrapes_leave_nothing_behind() -> None:
    """Neither threads nor open files grow on this very machine, but for cgroups, which come and go as others like."""
    roots = Roots(cgroupfs=str(FIXTURES / "cgroups" / "v2"))
    under_test = Site(build_scraper(Settings(), Host(roots), RecordingLog()), "/metrics")
    counts = []
    gc.collect()  # what other tests left behind must not go now
    for _ in range(300):
        assert page(under_test)[0] == 200
        counts.append((len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))))
    assert counts[-1] == counts[20]


def test_no_socket_is_left_for_the_interpreter_to_close() -> None:
    """Those that are kept open from one scrape to the next are given back by whoever keeps them."""
    program = (
        "from exporters.app import *; from exporters.scrape import Selection; "
        "switches = dict.fromkeys(('arp', 'ethtool', 'netdev', 'tcpstat'), True); "
        "group = node_group(Host(Roots()), switches); "
        "Scraper([group], Log('error'), SystemClock()).scrape(Selection(), list)"
    )
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stderr) == (0, "")
