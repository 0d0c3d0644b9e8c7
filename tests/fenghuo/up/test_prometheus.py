"""A Prometheus is found, checked, installed where allowed; otherwise one command is named."""

import asyncio
from pathlib import Path

import pytest

from fenghuo.errors import RemoteRefused, StartError
from fenghuo.httpcall import Answer
from fenghuo.testing import FakeCaller, answer
from fenghuo.up.prometheus import Machine, Ran, check_remote, provide, require_new_enough, run_command
from fenghuo.up.testing import FakeMachine

GOOD = Ran(0, "prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+b5)\n")
OLD = Ran(0, "prometheus, version 2.31.2+ds1 (branch: debian/sid)\n")
VERSION = "/usr/bin/prometheus --version"
APT = "env DEBIAN_FRONTEND=noninteractive apt-get -qq"


def ask(machine: FakeMachine, root: bool = True, explicit: str = "") -> str:
    said: list[str] = []
    return asyncio.run(provide(explicit, Machine(machine.run, machine.which, lambda: root), said.append))


def test_the_one_on_the_path_is_taken() -> None:
    assert ask(FakeMachine({"prometheus": "/usr/bin/prometheus"}, {VERSION: GOOD})) == "/usr/bin/prometheus"


def test_one_too_old_names_found_and_needed_version() -> None:
    with pytest.raises(StartError) as caught:
        ask(FakeMachine({"prometheus": "/usr/bin/prometheus"}, {VERSION: OLD}))
    assert str(caught.value) == (
        "Prometheus 2.31.2+ds1 at /usr/bin/prometheus is too old, 2.40 or newer is needed; run `sudo apt-get install"
        " prometheus`, or name one with --prometheus PATH or --prometheus-url URL"
    )


@pytest.mark.parametrize(
    ("output", "found"),
    [("prometheus, version 3.5.0 (branch: HEAD)", True), ("version v2.40.0", True), ("2.42.0", False), ("", False)],
)
def test_versions_are_read_or_refused(output: str, found: bool) -> None:
    if found:
        require_new_enough(output, "x")
    else:
        with pytest.raises(StartError, match="tells no Prometheus version"):
            require_new_enough(output, "x")


def test_root_installs_it_after_an_update() -> None:
    machine = FakeMachine({"apt-get": "/usr/bin/apt-get"}, {VERSION: GOOD})
    assert ask(machine) == "/usr/bin/prometheus"
    assert machine.ran == [f"{APT} update", f"{APT} install -y --no-install-recommends prometheus", VERSION]


def test_sudo_installs_it_when_it_asks_for_no_password() -> None:
    machine = FakeMachine({"apt-get": "/usr/bin/apt-get", "sudo": "/usr/bin/sudo"}, {VERSION: GOOD})
    assert ask(machine, root=False) == "/usr/bin/prometheus"
    assert machine.ran[:2] == ["sudo -n true", f"sudo -n {APT} update"]


@pytest.mark.parametrize(
    "machine",
    [
        FakeMachine({"apt-get": "/usr/bin/apt-get"}),
        FakeMachine({"apt-get": "/usr/bin/apt-get", "sudo": "/usr/bin/sudo"}, {"sudo -n true": Ran(1, "password")}),
    ],
)
def test_without_rights_the_one_command_is_named(machine: FakeMachine) -> None:
    with pytest.raises(StartError, match="run `sudo apt-get install prometheus`"):
        ask(machine, root=False)


def test_an_install_that_fails_says_why() -> None:
    failed = Ran(100, "Reading lists\nE: Unable to locate package prometheus\n")
    install = f"{APT} install -y --no-install-recommends prometheus"
    with pytest.raises(StartError, match="could not install prometheus: E: Unable to locate package prometheus"):
        ask(FakeMachine({"apt-get": "/usr/bin/apt-get"}, {install: failed}))


def test_a_machine_without_apt_is_told_what_else_there_is() -> None:
    with pytest.raises(StartError, match="--prometheus-url URL"):
        ask(FakeMachine({}))


def test_a_named_binary_that_is_missing_is_not_replaced() -> None:
    machine = FakeMachine({"apt-get": "/usr/bin/apt-get", "prometheus": "/usr/bin/prometheus"})
    with pytest.raises(StartError, match="there is no program /opt/prometheus"):
        ask(machine, explicit="/opt/prometheus")
    assert machine.ran == []


RESULT = answer(200, {"status": "success", "data": {"resultType": "scalar", "result": [0, "1"]}})


@pytest.mark.parametrize(
    "reply",
    [answer(200, {"status": "success", "data": {"version": "2.53.1"}}), answer(404, "no"), answer(200, {"data": {}})],
)
def test_a_remote_that_is_new_or_only_compatible_is_taken(reply: Answer) -> None:
    caller = FakeCaller(lambda request: reply if "buildinfo" in request.url else RESULT)
    asyncio.run(check_remote("http://metrics.example/", caller))


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(404, "not found"), "answered 404"),
        (answer(302, ""), "answered 302"),
        (answer(401, "Unauthorized"), "answered 401"),
        (answer(200, "<html>It works!</html>"), "no JSON"),
        (answer(200, {"database": "ok"}), "no answer of its kind"),
        (answer(200, []), "no answer of its kind"),
    ],
)
def test_a_server_that_is_no_prometheus_is_refused(reply: Answer, why: str) -> None:
    """Of a wrong address one hears at once, and not when the first rule finds nothing."""
    with pytest.raises(StartError, match=f"no Prometheus answers at http://metrics.example .*{why}.*check --prome"):
        asyncio.run(check_remote("http://user:word@metrics.example", FakeCaller(lambda _: reply)))


def test_a_binary_named_from_this_folder_is_found_from_every_other() -> None:
    """Children run in the state folder."""
    machine = FakeMachine({"bin/prometheus": "bin/prometheus"}, {f"{Path.cwd()}/bin/prometheus --version": GOOD})
    assert ask(machine, explicit="bin/prometheus") == f"{Path.cwd()}/bin/prometheus"


def test_a_command_that_is_late_is_not_waited_for_through_its_children() -> None:
    """apt-get's dpkg may go on with the pipe in its hands; Ctrl-C must not wait for it."""

    async def scenario() -> Ran:
        async with asyncio.timeout(5):
            return await run_command(("sh", "-c", "sleep 8 & wait"), 0.05)

    assert asyncio.run(scenario()) == Ran(127, "no end within 0.05 s")


def test_a_remote_that_is_old_or_away_is_refused() -> None:
    old = FakeCaller(lambda _: answer(200, {"status": "success", "data": {"version": "2.15.2"}}))
    with pytest.raises(StartError, match=r"Prometheus 2\.15\.2 at http://metrics\.example/ is too old"):
        asyncio.run(check_remote("http://user:word@metrics.example/", old))
    away = FakeCaller()
    away.script.append(RemoteRefused("http://metrics.example/", "refused"))
    with pytest.raises(StartError, match=r"no Prometheus answers at http://metrics.example \(refused\)"):
        asyncio.run(check_remote("http://metrics.example", away))


def test_commands_end_late_or_missing_as_values() -> None:
    assert asyncio.run(run_command(("sh", "-c", "echo out; echo err >&2; exit 3"), 10)) == Ran(3, "out\nerr\n")
    assert asyncio.run(run_command(("/no/such/program",), 10)).code == 127
    assert asyncio.run(run_command(("sleep", "60"), 0.05)) == Ran(127, "no end within 0.05 s")
