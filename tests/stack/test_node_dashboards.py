"""A real Prometheus with kube-prometheus' node rules, and every query of Node Exporter Full, over our exporter.

Each selector of theirs that names `node_*` returns data on this machine, or this machine lacks what is asked for, by
the tables below. What it lacks the recorded machine has: an exporter of that one is scraped beside it.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.exporters.beside import paths_below, running
from tests.exporters.machines import recorded_machine
from tests.exporters.queries import boards, chosen, metric_of, rule_groups, selectors
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

ON_REQUEST = ("processes", "interrupts", "tcpstat", "systemd")
"""Collectors that are off by default, here and there, and that the board asks for."""

DEAD = {
    r"node_kernel_hung_tasks\{.*": "node_exporter publishes node_kernel_hung_tasks_total",
    r"node_netstat_Tcp_MaxConn\{.*": "not among the fields that node_exporter publishes by default",
    r"node_network_up\{.*operstate=.*": "node_network_up has no such label, node_network_info has",
}
"""Selectors that node_exporter itself leaves without an answer, with the reason."""

HARDWARE = {
    r"node_bonding_\w+": "/sys/class/net/*/bonding/slaves",
    r"node_cooling_device_\w+": "/sys/class/thermal/cooling_device*/type",
    r"node_cpu_scaling_\w+": "/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq",
    r"node_hwmon_chip_names": "/sys/class/hwmon/hwmon*/name",
    r"node_hwmon_fan_rpm": "/sys/class/hwmon/hwmon*/fan*_input",
    r"node_hwmon_fan_min_rpm": "/sys/class/hwmon/hwmon*/fan*_min",
    r"node_hwmon_temp_celsius": "/sys/class/hwmon/hwmon*/temp*_input",
    r"node_hwmon_temp_(\w+)_celsius": "/sys/class/hwmon/hwmon*/temp*_{}",
    r"node_md_\w+": "/sys/block/md*/md",
    r"node_power_supply_online": "/sys/class/power_supply/*/online",
    r"node_pressure_irq_\w+": "/proc/pressure/irq",
    r"node_schedstat_\w+": "/proc/schedstat",
    r"node_systemd_\w+": "/run/systemd/system",
}
"""Metrics of what a machine or its kernel may lack → the path that it has if it has it."""

NOT_RECORDED = r"node_systemd_\w+|node_hwmon_temp_crit_hyst_celsius|node_memory_\w+"
"""Metrics that the recorded machine can't answer either; they have tests of their own."""


@dataclass(frozen=True)
class Scraped:
    """A Prometheus, and the addresses of the two exporters that it scrapes."""

    prometheus: Prometheus
    here: str
    recorded: str

    def answers(self, selector: str, address: str) -> bool:
        """Whether a selector has data of one of the exporters."""
        if 'instance="' in selector:
            return bool(self.prometheus.query(selector.replace(self.here, address)))
        name, _, matchers = selector.removesuffix("}").partition("{")
        return bool(self.prometheus.query(f'{name}{{instance="{address}",{matchers}}}'))


@pytest.fixture(scope="module")
def scraped(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """A Prometheus with the rules that has scraped both exporters a few times."""
    folder = tmp_path_factory.mktemp("node")
    rules = folder / "node.yml"
    rules.write_text(yaml.safe_dump({"groups": rule_groups()}), encoding="utf-8")
    recorded_machine(folder / "recorded")
    command = [sys.executable, "-m", "exporters", "--collect=node"]
    here = [*command, *(f"--collector.{name}" for name in ON_REQUEST)]
    with running(here) as port, running([*command, *paths_below(folder / "recorded")]) as other:
        targets = [f"127.0.0.1:{port}", f"127.0.0.1:{other}"]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "node-exporter", "static_configs": [{"targets": targets}]}],
        }
        prometheus.start(yaml.safe_dump(config))
        wait_until(
            lambda: len(prometheus.query('count_over_time(up{job="node-exporter"}[10s]) >= 4')) == 2,
            "four scrapes of both",
            60,
        )
        yield Scraped(prometheus, *targets)
    prometheus.start(prometheus.default_config)


def variables(address: str) -> Mapping[str, str]:
    """What a person chooses in the boards, longest names first."""
    return {
        "__rate_interval": "10s",
        "nodename": os.uname().nodename,
        "instance": address,
        "cluster": ".*",
        "node": address,
        "job": "node-exporter",
    }


def asked(address: str) -> list[str]:
    """Every selector of boards and rules, once."""
    expressions = [chosen(expr, variables(address)) for panels in boards().values() for _, expr in panels]
    expressions += [rule["expr"] for group in rule_groups() for rule in group["rules"]]
    return sorted({selector for expr in expressions for selector in selectors(expr)})


def why_absent(selector: str) -> str | None:
    """Why nothing can answer a selector on this machine; None when something should."""
    for pattern, reason in DEAD.items():
        if re.fullmatch(pattern, selector):
            return reason
    metric = metric_of(selector)
    for pattern, path in HARDWARE.items():
        if matched := re.fullmatch(pattern, metric):
            sought = path.format(*matched.groups())
            return None if any(Path("/").glob(sought.removeprefix("/"))) else f"this machine has no {sought}"
    if field := re.fullmatch(r"node_memory_(\w+)_bytes", metric):
        known = Path("/proc/meminfo").read_text(encoding="utf-8").replace("(", "_").replace(")", "")
        return None if f"{field[1]}:" in known else f"this kernel's meminfo has no {field[1]}"
    return None


def is_momentary(selector: str) -> bool:
    """Whether there is data only while there is a connection in that state."""
    return metric_of(selector) == "node_tcp_connection_states"


def test_the_selectors_are_those_of_the_world(scraped: Scraped) -> None:
    """Two hundred and thirty-one names: so many do these boards and rules ask for."""
    assert len({metric_of(selector) for selector in asked(scraped.here)}) == 231


def test_every_selector_has_an_answer_or_a_reason(scraped: Scraped) -> None:
    """Data for each; what is said to be absent is absent, so that the tables can't outlive their reasons."""
    unanswered, needless = [], []
    for selector in asked(scraped.here):
        reason = why_absent(selector)
        found = scraped.answers(selector, scraped.here)
        if not found and reason is None and not is_momentary(selector):
            unanswered.append(selector)
        if found and reason is not None:
            needless.append(f"{selector}: {reason}")
    assert (unanswered, needless) == ([], [])
    assert scraped.answers('node_tcp_connection_states{state="established"}', scraped.here)


def test_the_recorded_machine_answers_what_this_one_lacks(scraped: Scraped) -> None:
    """Sensors, arrays, bonds and the rest: the same exporter has data for them where they are."""
    lacking = [selector for selector in asked(scraped.here) if why_absent(selector) and not is_dead(selector)]
    wanted = [selector for selector in lacking if not re.fullmatch(NOT_RECORDED, metric_of(selector))]
    assert [selector for selector in wanted if not scraped.answers(selector, scraped.recorded)] == []


def is_dead(selector: str) -> bool:
    """Whether node_exporter has no answer either."""
    return any(re.fullmatch(pattern, selector) for pattern in DEAD)


def test_every_query_of_the_boards_is_answered(scraped: Scraped) -> None:
    """No error for any of them, and data for each whose selectors have data and that compares nothing."""
    empty = []
    for title, panels in boards().items():
        for panel, expr in panels:
            text = chosen(expr, variables(scraped.here))
            found = scraped.prometheus.query(text)
            wanted = selectors(text)
            hidden = any(why_absent(selector) or is_momentary(selector) for selector in wanted)
            if wanted and not found and not hidden and not re.search(r" (!=|>|==|unless) ", text):
                empty.append(f"{title}, {panel}: {text}")
    assert empty == []


def test_the_rules_are_healthy_and_record(scraped: Scraped) -> None:
    """Prometheus evaluates every rule without an error, and the recorded series are there."""
    prometheus = scraped.prometheus
    wait_until(lambda: all(rule["health"] == "ok" for rule in _rules(prometheus)), "an evaluation of every rule", 60)
    recorded = {rule["name"] for rule in _rules(prometheus) if rule["type"] == "recording"}
    names = sorted(name for name in recorded if name.startswith("instance"))
    assert len(names) > 10
    wait_until(lambda: all(prometheus.query(name) for name in names), f"series of {names}", 60)


def _rules(prometheus: Prometheus) -> list[dict[str, str]]:
    groups = prometheus.call("GET", "/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]
