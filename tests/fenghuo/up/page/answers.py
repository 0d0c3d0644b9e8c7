"""A small world for the page: what its parts would answer, whole or with one of them away."""

import json
from urllib.parse import parse_qs, urlsplit

from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.testing import answer
from fenghuo.up.page import promql
from fenghuo.up.page.gather import Addresses
from fenghuo.up.status import PartStatus, StackStatus

NOW = 1_700_000_100.0
ADDRESSES = Addresses("http://prometheus", "http://alerting", "http://logs")
GIB = 1 << 30
POD = {"namespace": "shop", "pod": "web-6f7d9c5b8-q2x4z", "container": "web", "id": "/kubepods/pod1/c1"}
OTHER = {"namespace": "shop", "pod": "payment-5d8f6b7c44-x9v7m", "container": "payment", "id": "/kubepods/pod2/c2"}
SLICE = {"id": "/system.slice"}

SAMPLES: dict[str, list[tuple[dict[str, str], float]]] = {
    "cpus": [({}, 4)],
    "memory_total": [({}, 8 * GIB)],
    "filesystems": [({"mountpoint": "/"}, 0.61), ({"mountpoint": "/data"}, 0.93)],
    "free": [({"mountpoint": "/"}, 40 * GIB), ({"mountpoint": "/data"}, 7.2 * GIB)],
    "container_cpu": [(POD, 0.25), (OTHER, 1.5), (SLICE, 0.01)],
    "container_memory": [(POD, 200 << 20), (OTHER, 900 << 20), (SLICE, GIB)],
    "container_limit": [(OTHER, GIB)],
    "container_throttled": [(OTHER, 0.42)],
}
HISTORY = {"cpu": [0.1, 0.35, 0.2], "memory": [0.5, 0.52, 0.55], "disk": [0.93, 0.93, 0.93], "load": [0.8, 2.4, 1.25]}


def part(name: str, state: str = "ready", last_error: str = "") -> PartStatus:
    uptime = 60.0 if state == "ready" else None
    return PartStatus(name, f"the {name}", state, f"http://127.0.0.1:1/{name}", 12, 0, uptime, last_error, "/s/log")


def status(*parts: PartStatus) -> StackStatus:
    shown = parts or (part("node"), part("prometheus"))
    return StackStatus(7, "http://127.0.0.1:8600", "/state", "2023-11-14T22:13:20.000Z", 100.0, True, shown)


def prometheus(path: str, query: str) -> Answer:
    if path.endswith("query_range"):
        name = next(name for name, text in promql.RANGES.items() if text == query)
        values = [[NOW + index * 15, str(value)] for index, value in enumerate(HISTORY[name])]
        return _prometheus([{"metric": {}, "values": values}])
    name = next(name for name, text in promql.INSTANTS.items() if text == query)
    return _prometheus([{"metric": labels, "value": [NOW, str(value)]} for labels, value in SAMPLES[name]])


def _prometheus(result: object) -> Answer:
    return answer(200, {"status": "success", "data": {"result": result}})


def _labels(name: str, **others: str) -> dict[str, str]:
    return {"alertname": name, "severity": "warning", **others}


RULES = {
    "data": {"groups": [{"name": "starter", "rules": [
        {"name": "HostDown", "health": "ok", "alerts": []},
        {"name": "HostDiskFilling", "health": "ok", "alerts": [
            {"state": "pending", "labels": _labels("HostDiskFilling", mountpoint="/data"), "value": "0.07",
             "annotations": {"summary": "/data is filling up"}, "activeAt": "2023-11-14T22:14:40Z"}]},
        {"name": "LogErrorBurst", "health": "ok", "alerts": [
            {"state": "firing", "labels": _labels("LogErrorBurst", namespace="shop"), "value": "7",
             "annotations": {"summary": "Namespace shop logs errors <b>in a burst</b>"},
             "activeAt": "2023-11-14T22:13:00.000Z"}]},
    ]}]}
}  # fmt: skip
RECEIVED = [
    {"labels": _labels("LogErrorBurst", namespace="shop"), "annotations": {}, "startsAt": "2023-11-14T22:13:00Z"},
    {"labels": _labels("BackupLate"), "annotations": {"description": "none since Monday"},
     "startsAt": "2023-11-14T20:00:00Z"},
]  # fmt: skip
MESSAGES = {
    "messages": [
        {"id": 2, "sentAt": "2023-11-14T22:14:00.000Z", "receiver": "console", "status": "firing",
         "title": "[FIRING:1] LogErrorBurst shop", "text": "", "alerts": []},
        {"id": 1, "sentAt": "2023-11-14T21:14:00.000Z", "receiver": "console", "status": "resolved",
         "title": "[RESOLVED] HostDown", "text": "", "alerts": []},
    ]
}  # fmt: skip
LINES = [
    ("error", "payment-5d8f6b7c44-x9v7m", "payment", "payment refused: provider timed out"),
    ("warn", "payment-5d8f6b7c44-x9v7m", "payment", "payment is slow"),
    ("info", "web-6f7d9c5b8-q2x4z", "web", 'GET /cart?x=<script>alert("x")</script> 200'),
    ("", "web-6f7d9c5b8-q2x4z", "web", "a very-long-word-" + "that-does-not-end-" * 12),
]


def logs(query: str) -> Answer:
    if query == "level:(":
        return answer(400, "the query 'level:(', column 7: expected a value\n")
    lines = [
        {"timestamp": "2023-11-14T22:14:50.123Z", "namespace": "shop", "pod": pod, "container": container,
         "stream": "stdout", "level": level, "message": message, "offset": 1, "path": "/x"}
        for level, pod, container, message in LINES
        if not query or level == query.removeprefix("level:")
    ]  # fmt: skip
    return answer(200, {"took_ms": 1, "total": len(lines), "lines": lines})


def respond(request: Request) -> Answer:
    """All parts are well."""
    url = urlsplit(request.url)
    asked = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    if url.netloc == "prometheus":
        return prometheus(url.path, asked["query"])
    if url.netloc == "logs":
        return logs(asked["q"])
    content = {"/api/v1/rules": RULES, "/api/v2/alerts": RECEIVED, "/api/fenghuo/v1/messages": MESSAGES}
    return answer(200, json.dumps(content[url.path]))


def without(host: str) -> "Responder":
    """The same world in which one part does not answer."""
    return Responder(host)


class Responder:
    """Answers like `respond`, but for one part that is away."""

    def __init__(self, away: str) -> None:
        self._away = away

    def __call__(self, request: Request) -> Answer:
        if urlsplit(request.url).netloc == self._away:
            raise RemoteRefused(request.url, "refused")
        return respond(request)
