"""The overview holds what the parts answer, and a reason where one does not."""

import asyncio
from collections.abc import Callable

import pytest

from fenghuo.httpcall import Answer, Request
from fenghuo.testing import FakeCaller, ManualClock, answer
from fenghuo.up.page.contexts import ContainerRow, Overview
from fenghuo.up.page.gather import Gatherer
from fenghuo.up.page.promql import Series, range_url, read_result
from fenghuo.up.page.read import containers_panel
from tests.fenghuo.up.page import answers


def gather(respond: Callable[[Request], Answer] = answers.respond, query: str = "") -> Overview:
    gatherer = Gatherer(answers.ADDRESSES, FakeCaller(respond), ManualClock(answers.NOW), answers.status)
    return asyncio.run(gatherer.overview(query))


def test_the_host_in_four_tiles() -> None:
    tiles = {tile.title: (tile.value, tile.note, tile.share) for tile in gather().host.tiles}
    assert tiles == {
        "CPU": ("20 %", "of 4 CPUs", 0.2),
        "Memory": ("55 %", "4.4 GiB of 8.0 GiB", 0.55),
        "Disk": ("93 %", "/data, 7.2 GiB free", 0.93),
        "Load": ("1.25", "1 minute", 0.3125),
    }


def test_containers_the_heaviest_first_and_no_slices_among_them() -> None:
    panel = gather().containers
    assert panel.rows == (
        ContainerRow("shop", "payment-5d8f6b7c44-x9v7m", "payment", 1.5, 900 << 20, 1 << 30, 0.42),
        ContainerRow("shop", "web-6f7d9c5b8-q2x4z", "web", 0.25, 200 << 20, None, None),
    )
    assert (panel.total, panel.are_cgroups, panel.problem) == (2, False, "")


def test_a_machine_without_containers_shows_its_control_groups() -> None:
    def respond(request: Request) -> Answer:
        reply = answers.respond(request)
        if "container_" not in request.url:
            return reply
        return answer(200, {"data": {"result": [{"metric": answers.SLICE, "value": [0, "5"]},
                                                {"metric": {"id": "/"}, "value": [0, "9"]}]}})  # fmt: skip

    panel = gather(respond).containers
    assert [(row.container, row.memory) for row in panel.rows] == [("/system.slice", 5.0)]
    assert panel.are_cgroups


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"container": "web", "name": "ab" * 32, "id": "/kubepods/pod1/" + "ab" * 32}, "web"),
        ({"name": "grafana", "id": "/docker/" + "ab" * 32}, "grafana"),
        ({"name": "", "id": "/system.slice/docker-" + "cd" * 32 + ".scope"}, "cdcdcdcdcdcd"),
        ({"container": "POD", "id": "/kubepods/pod1/" + "ab" * 32}, None),
        ({"id": "/system.slice/ssh.service"}, None),
    ],
)
def test_containers_of_every_runtime_have_a_name(labels: dict[str, str], shown: str | None) -> None:
    panel = containers_panel({"container_memory": [Series(labels, (1.0,))]})
    assert (panel.rows[0].container if not panel.are_cgroups else None) == shown


def test_alerts_firing_first_and_each_once() -> None:
    panel = gather().alerts
    assert [(row.state, row.name, row.summary) for row in panel.rows] == [
        ("firing", "LogErrorBurst", "Namespace shop logs errors <b>in a burst</b>"),
        ("firing", "BackupLate", "none since Monday"),
        ("pending", "HostDiskFilling", "/data is filling up"),
    ]
    assert (panel.firing, panel.pending) == (2, 1)
    assert panel.rows[0].since == 1_699_999_980.0


def test_rules_that_cannot_be_evaluated_are_a_blind_spot_and_said_so() -> None:
    def respond(request: Request) -> Answer:
        if request.url != "http://alerting/api/v1/rules":
            return answers.respond(request)
        rules = [{"name": "HostDown", "health": "err", "lastError": "no answer"}, {"name": "Other", "health": "ok"}]
        return answer(200, {"data": {"groups": [{"rules": rules}]}})

    assert gather(respond).alerts.warning == "1 of 2 rules can't be evaluated; HostDown: no answer"
    assert gather().alerts.warning == ""


def test_messages_and_lines_newest_first() -> None:
    overview = gather()
    assert [(row.status, row.title) for row in overview.messages.rows] == [
        ("firing", "LogErrorBurst shop"),
        ("resolved", "HostDown"),
    ]
    assert [row.level for row in overview.logs.rows] == ["error", "warn", "info", ""]


def test_a_search_is_handed_on_and_its_mistake_handed_back() -> None:
    found = gather(query="level:error").logs
    assert (found.query, found.total, [row.level for row in found.rows]) == ("level:error", 1, ["error"])
    wrong = gather(query="level:(").logs
    assert wrong.problem == "the log pipeline: answered 400: the query 'level:(', column 7: expected a value"


@pytest.mark.parametrize(
    ("away", "panels"),
    [
        ("prometheus", {"host": "Prometheus", "containers": "Prometheus"}),
        ("alerting", {"alerts": "the alert engine", "messages": "the alert engine"}),
        ("logs", {"logs": "the log pipeline"}),
    ],
)
def test_a_part_that_is_away_costs_its_own_panels_only(away: str, panels: dict[str, str]) -> None:
    overview = gather(answers.without(away))
    problems = {
        name: getattr(overview, name).problem
        for name in ("host", "containers", "alerts", "messages", "logs")
        if getattr(overview, name).problem
    }
    assert problems == {name: f"{who}: does not answer (refused)" for name, who in panels.items()}


@pytest.mark.parametrize("body", ["[]", "null", '{"data": 1}', '"x"', "not json"])
def test_an_answer_of_another_shape_is_a_reason_too(body: str) -> None:
    overview = gather(lambda _: answer(200, body))
    for panel in (overview.host, overview.containers, overview.messages, overview.logs):
        assert "answered" in panel.problem


def test_before_the_first_scrape_the_page_says_so() -> None:
    overview = gather(lambda request: answers.respond(request) if "prometheus" not in request.url
                      else answer(200, {"data": {"result": []}}))  # fmt: skip
    assert "the first scrapes take some seconds" in overview.host.problem
    assert [tile.value for tile in overview.host.tiles] == ["-", "-", "-", "-"]
    assert "no control group yet" in overview.containers.problem


def test_numbers_that_are_none_are_left_out() -> None:
    rows = {"data": {"result": [{"metric": {}, "values": [[0, "NaN"], [15, "0.5"], [30, "+Inf"]]}]}}
    assert read_result(rows)[0].values == (0.5,)


def test_a_history_is_aligned_so_that_it_moves_rather_than_changes() -> None:
    assert range_url("http://p", "up", 1000.0) == range_url("http://p", "up", 1004.0)
    assert range_url("http://p", "up", 1000.0) != range_url("http://p", "up", 1015.0)


def test_the_title_counts_what_fires_and_marks_a_sick_stack() -> None:
    assert gather().title == "(2) fenghuo"
    sick = Gatherer(
        answers.ADDRESSES,
        FakeCaller(answers.respond),
        ManualClock(),
        lambda: answers.status(answers.part("x", "silent")),
    )
    assert asyncio.run(sick.overview("")).title == "! (2) fenghuo"


BAD_SERIES = [
    {"metric": "cpu", "value": [0, "1"]},
    {"metric": {"namespace": 5, "id": 7}, "value": [0, "1"]},
    {"metric": None, "value": [0, "1"]},
]


@pytest.mark.parametrize("series", BAD_SERIES)
def test_series_of_another_shape_cost_their_panels_only(series: object) -> None:
    def respond(request: Request) -> Answer:
        if "prometheus" not in request.url:
            return answers.respond(request)
        return answer(200, {"data": {"result": [series]}})

    overview = gather(respond)
    assert overview.containers.problem.startswith("Prometheus: answered in an unknown shape")
    assert overview.logs.rows


@pytest.mark.parametrize("body", [b'{"lines": [], "total": 1e999}', b"[" * 100_000])
def test_an_answer_that_is_no_usable_json_is_a_reason_too(body: bytes) -> None:
    overview = gather(lambda request: answer(200, body) if "logs" in request.url else answers.respond(request))
    assert overview.logs.problem.startswith("the log pipeline: answered")
    assert overview.alerts.rows
