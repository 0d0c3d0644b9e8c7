"""The command line: node_exporter's own is understood, and what can't be done is refused by name, all at once."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exporters import catalog, cli
from exporters.app import Settings, build_scraper
from exporters.cgroups.cpu import Options as CpuOptions
from exporters.cgroups.tree.choice import BASE, MORE, Choice
from exporters.host import Host
from exporters.testing import FakeMachine, RecordingLog
from fenghuo import __version__
from fenghuo.errors import ConfigError

HOST_ROOT = "/host/root"
K8S_EXCLUDE = "^/(dev|proc|sys|run/k3s/containerd/.+|var/lib/docker/.+|var/lib/kubelet/pods/.+)($|/)"
FILE_SYSTEMS = (
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay"
    "|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$"
)

IN_USE: dict[str, list[str]] = {
    # examples/systemd of prometheus/node_exporter 1.12.1: node_exporter.service with sysconfig.node_exporter
    "node_exporter's own unit": shlex.split(
        "--web.systemd-socket --collector.textfile.directory /var/lib/node_exporter/textfile_collector"
    ),
    # Debian's package prometheus-node-exporter 1.5.0-1: /etc/default/prometheus-node-exporter has ARGS=""
    "Debian": [],
    # prometheus-operator/kube-prometheus at 01d4f1da, manifests/nodeExporter-daemonset.yaml
    "kube-prometheus": [
        "--web.listen-address=127.0.0.1:9100",
        "--path.sysfs=/host/sys",
        f"--path.rootfs={HOST_ROOT}",
        f"--path.udev.data={HOST_ROOT}/run/udev/data",
        "--no-collector.wifi",
        "--no-collector.hwmon",
        "--no-collector.btrfs",
        f"--collector.filesystem.mount-points-exclude={K8S_EXCLUDE}",
        "--collector.netclass.ignored-devices=^(veth.*|[a-f0-9]{15})$",
        "--collector.netdev.device-exclude=^(veth.*|[a-f0-9]{15})$",
    ],
    # prometheus-community/helm-charts at 01931990, charts/prometheus-node-exporter/templates/daemonset.yaml, with
    # $(HOST_IP) filled in; the two excludes are extraArgs of the chart kube-prometheus-stack
    "the Helm charts": [
        "--path.procfs=/host/proc",
        "--path.sysfs=/host/sys",
        f"--path.rootfs={HOST_ROOT}",
        f"--path.udev.data={HOST_ROOT}/run/udev/data",
        "--web.listen-address=[0.0.0.0]:9100",
        "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/containerd/.+|var/lib/docker/.+)($|/)",
        f"--collector.filesystem.fs-types-exclude={FILE_SYSTEMS}",
    ],
    # prometheus-community/ansible at 0fdb041c, roles/node_exporter/templates/node_exporter.service.j2, with defaults
    "the Ansible role": [
        "--collector.systemd",
        "--collector.textfile",
        "--collector.textfile.directory=/var/lib/node_exporter",
        "--web.config.file=/etc/node_exporter/web_config.yml",
        "--web.disable-exporter-metrics",
        "--log.level=warn",
        "--log.format=logfmt",
        "--web.listen-address=0.0.0.0:9100",
        "--web.telemetry-path=/metrics",
    ],
    # README.md of prometheus/node_exporter 1.12.1, "Docker"
    "the README's container": ["--path.rootfs=/host"],
    "what else there is": [
        *("--web.max-requests=0", "--web.listen-address=:9100", "--web.listen-address=[::1]:9101"),
        *("--runtime.gomaxprocs=2", "--no-collector.disable-defaults", "--no-web.systemd-socket", "--log.level=error"),
        *(f"--no-collector.{name}" for name in sorted(catalog.NOT_BUILT)),
    ],
}
"""Command lines that start node_exporter, and where they are written."""


def settings(*arguments: str) -> Settings:
    """What a command line asks for."""
    return cli.settings_of(cli.command.make_context("exporter", list(arguments)).params)


@pytest.mark.parametrize("name", IN_USE)
def test_command_lines_of_node_exporter_start_this_program(name: str, tmp_path: Path) -> None:
    """Unchanged: every flag is known, and every collector takes its options."""
    chosen = replace(settings(*IN_USE[name]), roots=FakeMachine(tmp_path).roots)
    assert build_scraper(chosen, Host(chosen.roots), RecordingLog()).groups


def test_flags_do_what_they_say() -> None:
    """Those of listening and of what is published."""
    assert settings() == Settings()
    chosen = settings(
        *("--web.listen-address=:9100", "--web.listen-address=[::1]:9101", "--web.config.file=web.yml"),
        *("--web.systemd-socket", "--web.max-requests=0", "--web.disable-exporter-metrics", "--web.telemetry-path=/"),
    )
    assert chosen.listen_addresses == (":9100", "[::1]:9101")
    assert (chosen.web_config, chosen.systemd_socket, chosen.most_scrapes) == ("web.yml", True, 0)
    assert (chosen.own_metrics, chosen.telemetry_path) == (False, "/")


def test_collectors_are_switched_by_name() -> None:
    """One by one, or all off but those that are asked for."""
    assert settings("--no-collector.cpu").collectors == {"cpu": False}
    alone = settings("--collector.disable-defaults", "--collector.cpu").collectors
    assert [name for name, on in alone.items() if on] == ["cpu"]
    assert alone.keys() == catalog.NODE.keys() | catalog.CGROUP.keys()


def test_kinds_of_container_metrics_are_switched_by_cadvisors_names() -> None:
    """To those that run by default some are added or taken away; a collector's own flag decides."""
    assert settings("--metrics=hugetlb,process").collectors == {
        "cgroup.hugetlb": True,
        "cgroup.processes": True,
        "cgroup.descriptors": True,
    }
    assert settings("--disable_metrics=diskIO, network").collectors == {"cgroup.io": False, "cgroup.network": False}
    assert settings("--disable_metrics=percpu,perf_event,referenced_memory,resctrl,udp").collectors == {
        "cgroup.udp": False
    }
    assert settings("--metrics=hugetlb", "--no-collector.cgroup.hugetlb").collectors == {"cgroup.hugetlb": False}
    assert {name for names in catalog.METRICS.values() for name in names} <= catalog.CGROUP.keys()


def test_what_goes_for_all_cgroups() -> None:
    """Patterns, labels and limits are one value."""
    chosen = settings(
        *("--cgroup.include=^/kubepods", "--cgroup.label=pod", "--cgroup.label=namespace", "--cgroup.sandboxes"),
        *("--cgroup.series-limit=100", "--slices", "--cgroup.pod-label=app*", "--cgroup.kubelet=http://[::1]:10255"),
    ).choice
    assert chosen == Choice(
        include=re.compile("^/kubepods"),
        labels=("pod", "namespace"),
        sandboxes=True,
        series_limit=100,
        slices=True,
        pod_labels=("app*",),
        kubelet="http://[::1]:10255",
    )
    assert settings("--collector.cgroup.cpu.per-cpu").options == {"cgroup.cpu": CpuOptions(per_cpu=True)}


@pytest.mark.parametrize(("old", "new"), cli.RENAMED.items())
def test_flags_may_be_called_as_they_were_once(old: str, new: str) -> None:
    """As node_exporter still allows: with the value after a sign or a space."""
    flags = {flag for option in cli.command.params for flag in option.opts}
    assert old not in flags
    assert settings(f"{old}=^a$").options == settings(old, "^a$").options == settings(f"{new}=^a$").options != {}


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Each flag by name, with what it expects."""
    with pytest.raises(ConfigError) as caught:
        settings(
            *("--collect=all", "--web.telemetry-path=metrics", "--collector.wifi", "--collector.perf"),
            *("--metrics=perf_event", "--cgroup.label=node"),
        )
    assert str(caught.value).splitlines() == [
        "command line: --collect: expected one of node, cgroup, got 'all'",
        "command line: --web.telemetry-path: expected a path such as /metrics, got 'metrics'",
        "command line: --collector.perf: expected a collector of this program, which has none of this name",
        "command line: --collector.wifi: expected a collector of this program, which has none of this name",
        f"command line: --metrics: expected one of {', '.join(catalog.METRICS)}, got 'perf_event'",
        f"command line: --cgroup.label: expected one of {', '.join((*BASE, *MORE))}, got 'node'",
    ]


def test_what_is_not_built_is_not_built() -> None:
    """A collector that has come since is no longer among those that are only tolerated."""
    assert catalog.NOT_BUILT.isdisjoint(catalog.NODE)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(cli.command, list(arguments))


def test_the_version_is_printed_as_the_peers_do() -> None:
    """Name and version on the first line, what it runs on below."""
    first, *others = called("--version").output.splitlines()
    assert first == f"fenghuo exporter, version {__version__}"
    assert [line.partition(":")[0].strip() for line in others] == ["python version", "platform"]


def test_help_names_every_collector_and_hides_what_is_only_tolerated() -> None:
    """So that nobody asks for what is not there."""
    text = called("--help").output
    assert all(f"--collector.{name} " in text for name in (*catalog.NODE, *catalog.CGROUP))
    assert not any(f"--collector.{name} " in text for name in catalog.NOT_BUILT)
    assert "gomaxprocs" not in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--collector.filesystem.mount-points-exclude=("], "expected a regular expression, got '('"),
        (["--web.max-requests=-1"], "-1 is not in the range x>=0"),
        (["--log.level=loud"], "'loud' is not one of 'debug', 'info', 'warn', 'warning', 'error'"),
        (["--no.such.flag"], "No such option"),
    ],
)
def test_a_wrong_value_is_a_wrong_usage(arguments: list[str], expected: str) -> None:
    """Exit code 2, as everywhere."""
    result = called(*arguments)
    assert result.exit_code == 2
    assert expected in result.output
