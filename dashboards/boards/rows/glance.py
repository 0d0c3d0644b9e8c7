"""The first row of a board: is all well? Each number is explained by a row below it."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, Steps, number
from dashboards.queries import alerting, containers, host, logs

_NONE = Steps(red=1)
_SHARE = Steps(amber=0.8, red=0.9)


def at_a_glance() -> Row:
    """Eight numbers on one line, each green, amber or red."""
    numbers = (
        number("Hosts down", "Node exporters that can't be reached.", "none", Query(host.DOWN), _NONE),
        number("Uptime", "Of the host that started last.", "dtdurations", Query(host.UPTIME)),
        number(
            "CPU busy", "On the busiest host. To wait for a disk is idle.", "percentunit", Query(host.CPU_MOST), _SHARE
        ),
        number(
            "Memory used",
            "On the fullest host. What can be given back is free.",
            "percentunit",
            Query(host.MEMORY_MOST),
            _SHARE,
        ),
        number("Fullest file system", "Of all that are on a disk.", "percentunit", Query(host.FILESYSTEM_MOST), _SHARE),
        number("Containers running", "Of the chosen namespaces and pods.", "none", Query(containers.COUNT)),
        number("Alerts firing", "In the alert engine, told or not.", "none", Query(alerting.FIRING), _NONE),
        number(
            "Log lines refused",
            "Dead letters of the time shown: kept, to be replayed.",
            "none",
            Query(logs.DEAD_LETTERED),
            _NONE,
        ),
    )
    return Row("At a glance", [Cell(panel, width=3, height=4) for panel in numbers])
