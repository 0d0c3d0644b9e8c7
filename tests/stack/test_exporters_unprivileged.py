"""The exporter needs no root: as nobody it loses what the log says, and nothing else.

Run as root, whose view it is compared with.
"""

import json
import re
import signal
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from tests.exporters.running import get

pytestmark = pytest.mark.stack

FLAGS = ("--web.listen-address=127.0.0.1:0", "--log.format=json", "--collector.slabinfo", "--collector.processes")
ALWAYS = {
    *("cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "netdev", "netstat", "os", "sockstat", "stat"),
    *("textfile", "time", "timex", "uname", "vmstat", "processes", "cgroup.cpu", "cgroup.memory", "cgroup.machine"),
}
"""Collectors for which every user has every right."""


class Seen(NamedTuple):
    """What a scrape and the log of an exporter say; of the samples those that everybody may see."""

    success: set[str]
    samples: int
    log: list[dict[str, Any]]


def seen_by(module: str) -> Seen:
    """Start an exporter, scrape it twice and stop it."""
    command = [sys.executable, "-m", module, *FLAGS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = [json.loads(process.stderr.readline())]
            for _ in range(2):
                status, _, text = get(lines[0]["url"])
                assert status == 200
            process.send_signal(signal.SIGTERM)
            lines += [json.loads(line) for line in process.stderr]
            assert process.wait(5) == 0
        finally:
            process.kill()
    success = set(re.findall(r'_scrape_collector_success\{collector="([^"]+)"\} 1', text))
    return Seen(success, len(re.findall("^(?!#|node_slabinfo_)", text, re.MULTILINE)), lines)


def test_nobody_loses_what_the_log_names_and_nothing_else() -> None:
    """Each loss with its collector, the path and the right that it takes, once; no error, and most of the samples."""
    root, nobody = seen_by("exporters"), seen_by("tests.exporters.unprivileged")
    assert nobody.success >= ALWAYS
    lacking = [line for line in nobody.log if line["event"] == "collector lacks rights"]
    assert root.success - nobody.success <= {line["collector"] for line in lacking}
    assert {"slabinfo"} <= {line["collector"] for line in lacking} - nobody.success
    assert len({line["collector"] for line in lacking}) == len(lacking)
    assert all(line["path"] and line["needs"].startswith("CAP_") for line in lacking)
    assert ("/proc/slabinfo", "CAP_DAC_READ_SEARCH") in {(line["path"], line["needs"]) for line in lacking}
    assert [line for line in nobody.log if line["level"] == "error"] == []
    assert [line for line in root.log if line["event"] == "collector lacks rights"] == []
    assert nobody.samples > 0.9 * root.samples
