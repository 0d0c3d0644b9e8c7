"""systemd's units, timers and sockets: what is published, what is asked for, and what happens when nobody answers."""

import errno
import os
import re
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.calls import Answer, Calls, Question
from exporters.collector import Malformed, NoData
from exporters.kernel.systemd import Connection
from exporters.node.systemd import Options, Systemd, parsed_version
from exporters.testing import FakeMachine, FakeSystemd, exposed, samples_in
from tests.exporters.systemd_on_dbus import on_socket

PREFIX = "node_systemd_"
UNLIMITED = (1 << 64) - 1


def populated() -> FakeSystemd:
    """A service, a socket and a timer that are well, a service that failed, one without a file, and a slice."""
    systemd = FakeSystemd()
    ssh = systemd.add("ssh.service")
    systemd.set(ssh, "Service.Type", "s", "notify")
    systemd.set(ssh, "Service.NRestarts", "u", 3)
    systemd.set(ssh, "Service.TasksCurrent", "t", 7)
    systemd.set(ssh, "Service.TasksMax", "t", UNLIMITED)
    systemd.set(ssh, "Unit.ActiveEnterTimestamp", "t", 1_700_000_000_500_000)
    web = systemd.add("web@1.service", "failed")
    systemd.set(web, "Service.Type", "s", "simple")
    systemd.add("lost.service", "inactive", load="not-found")
    listening = systemd.add("ssh.socket")
    for name, value in (("NAccepted", 10), ("NConnections", 2), ("NRefused", 1)):
        systemd.set(listening, f"Socket.{name}", "u", value)
    systemd.set(systemd.add("fstrim.timer"), "Timer.LastTriggerUSec", "t", 1_700_000_001_000_000)
    systemd.set(systemd.add("home.mount"), "Mount.Type", "s", "ext4")
    systemd.add("user.slice")
    return systemd


def collector(tmp_path: Path, systemd: FakeSystemd, options: Options | None = None) -> Systemd:
    machine = FakeMachine(tmp_path)
    machine.answer(systemd=lambda private: systemd)
    return Systemd(machine.host, options)


def published(tmp_path: Path, systemd: FakeSystemd, options: Options | None = None) -> dict[str, float]:
    """Samples by their name without the prefix, those that are 0 left out of the states of units."""
    samples = samples_in(exposed(collector(tmp_path, systemd, options)))
    short = {name.removeprefix(PREFIX): value for name, value in samples.items()}
    return {name: value for name, value in short.items() if value or not name.startswith("unit_state")}


def test_units_timers_and_sockets_are_published(tmp_path: Path) -> None:
    """Mounts and slices are left out by default, and units without a file; the summary counts them all."""
    assert published(tmp_path, populated()) == {
        'version{version="252.31-1~deb12u1"}': 252.31,
        'virtualization_info{virtualization_type="kvm"}': 1,
        'units{state="active"}': 5,
        'units{state="activating"}': 0,
        'units{state="deactivating"}': 0,
        'units{state="inactive"}': 1,
        'units{state="failed"}': 1,
        'unit_state{name="ssh.service",state="active",type="notify"}': 1,
        'unit_state{name="web@1.service",state="failed",type="simple"}': 1,
        'unit_state{name="ssh.socket",state="active",type=""}': 1,
        'unit_state{name="fstrim.timer",state="active",type=""}': 1,
        'socket_accepted_connections_total{name="ssh.socket"}': 10,
        'socket_current_connections{name="ssh.socket"}': 2,
        'socket_refused_connections_total{name="ssh.socket"}': 1,
        'timer_last_trigger_seconds{name="fstrim.timer"}': 1_700_000_001,
        "system_running": 1,
    }


def test_options_add_what_costs_a_question_a_unit(tmp_path: Path) -> None:
    """Restarts and tasks are of services; a limit that is none is not published; a unit that is down started at 0."""
    options = Options(enable_task_metrics=True, enable_restarts_metrics=True, enable_start_time_metrics=True)
    more = published(tmp_path, populated(), options)
    assert {
        name: value for name, value in more.items() if name.startswith(("service", "unit_tasks", "unit_start"))
    } == {
        'service_restart_total{name="ssh.service"}': 3,
        'unit_tasks_current{name="ssh.service"}': 7,
        'unit_start_time_seconds{name="ssh.service"}': 1_700_000_000.5,
        'unit_start_time_seconds{name="web@1.service"}': 0,
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(unit_exclude=re.compile("")), 6),
        (Options(unit_include=re.compile("ssh")), 0),
        (Options(unit_include=re.compile(r"ssh\..+")), 2),
        (Options(unit_include=re.compile(r"ssh\..+"), unit_exclude=re.compile(r".+\.socket")), 1),
    ],
)
def test_units_are_chosen_by_their_whole_name(tmp_path: Path, options: Options, expected: int) -> None:
    """The include pattern must match all of it, the exclude pattern must not."""
    names = [name for name in published(tmp_path, populated(), options) if name.startswith("unit_state")]
    assert len(names) == expected


def test_a_type_is_asked_for_once(tmp_path: Path) -> None:
    """It can change only when systemd reads its files again, which it tells; an old one that does not is asked."""
    systemd = populated()
    mine = collector(tmp_path, systemd)
    exposed(mine)
    systemd.set("/org/freedesktop/systemd1/unit/ssh_2eservice", "Service.Type", "s", "exec")
    systemd.asked.clear()
    assert 'name="ssh.service",state="active",type="notify"' in exposed(mine)
    assert not [question for question in systemd.asked if "Type" in question.arguments]
    systemd.set(systemd.MANAGER, "Manager.UnitsLoadTimestampMonotonic", "t", 2)
    assert 'name="ssh.service",state="active",type="exec"' in exposed(mine)


def test_a_unit_that_went_is_forgotten(tmp_path: Path) -> None:
    """It is not published any more, and asked about anew when it comes back."""
    systemd = populated()
    mine = collector(tmp_path, systemd)
    exposed(mine)
    gone = systemd.units.pop("ssh.service")
    assert "ssh.service" not in exposed(mine)
    systemd.units["ssh.service"] = gone
    systemd.asked.clear()
    exposed(mine)
    assert len([question for question in systemd.asked if "Type" in question.arguments]) == 1


def test_an_old_systemd_tells_less(tmp_path: Path) -> None:
    """Before version 212 neither its own state nor that of timers; no virtualization is bare metal."""
    systemd = populated()
    systemd.set(systemd.MANAGER, "Manager.Version", "s", "systemd 208")
    systemd.set(systemd.MANAGER, "Manager.Virtualization", "s", "")
    samples = published(tmp_path, systemd)
    assert samples['version{version="systemd 208"}'] == 208
    assert samples['virtualization_info{virtualization_type="none"}'] == 1
    assert not [name for name in samples if name.startswith(("timer", "system_running"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("252.31-1~deb12u1", (252.31, "252.31-1~deb12u1")),
        ("257", (257, "257")),
        ("v258~rc1", (258, "v258~rc1")),
        ("unknown", (0, "")),
        ("", (0, "")),
    ],
)
def test_versions(text: str, expected: tuple[float, str]) -> None:
    """The first number of three digits or more."""
    assert parsed_version(text) == expected


@pytest.mark.parametrize(
    ("number", "kind", "expected"),
    [
        (errno.ENOENT, NoData, "no systemd: No such file or directory"),
        (errno.ETIMEDOUT, Malformed, "systemd: expected an answer over D-Bus: Connection timed out"),
        (errno.EACCES, Malformed, "systemd: expected an answer over D-Bus: Permission denied"),
    ],
)
def test_a_systemd_that_does_not_answer(tmp_path: Path, number: int, kind: type[Exception], expected: str) -> None:
    """A machine without it has no data; one that hangs or refuses is a warning, each with the reason."""
    machine = FakeMachine(tmp_path)

    def refused(private: bool) -> FakeSystemd:
        raise OSError(number, os.strerror(number))

    machine.answer(systemd=refused)
    with pytest.raises(kind, match=expected):
        exposed(Systemd(machine.host))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (OSError(errno.EACCES, "refused"), "systemd: expected a list of units: refused"),
        ((), "systemd: expected a list of units"),
        (([("only", "two")],), "systemd: expected a unit of ten fields"),
    ],
)
def test_a_list_of_units_that_is_none(tmp_path: Path, listed: Answer, expected: str) -> None:
    """It is a failure that says what was expected; the version was published before it."""

    class Odd(FakeSystemd):
        def ask(self, questions: Sequence[Question]) -> list[Answer]:
            return [listed if question.member == "ListUnits" else ((0, 0), 0) for question in questions]

    with pytest.raises(Malformed, match=expected):
        exposed(collector(tmp_path, Odd()))


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-Bus is spoken by a library that only this collector needs."""
    monkeypatch.delitem(sys.modules, "exporters.kernel.systemd")
    monkeypatch.setitem(sys.modules, "jeepney", None)
    machine = FakeMachine(tmp_path)
    machine.answer(systemd=Calls().systemd)
    with pytest.raises(Malformed, match=r"systemd: expected .*pip install 'fenghuo\[systemd\]'"):
        exposed(Systemd(machine.host))


MANAGER = FakeSystemd.MANAGER
VERSION = Question(MANAGER, "org.freedesktop.DBus.Properties", "Get", ("org.freedesktop.systemd1.Manager", "Version"))
UNKNOWN = VERSION._replace(arguments=("org.freedesktop.systemd1.Manager", "Nothing"))


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    """More of them than are sent at once; one that systemd refuses does not cost the others."""
    with on_socket(tmp_path / "private", FakeSystemd()):
        connection = Connection(private=True, private_socket=str(tmp_path / "private"))
        answers = connection.ask([VERSION, UNKNOWN] * 100)
        connection.close()
    assert answers[::2] == [(("s", "252.31-1~deb12u1"),)] * 100
    refused = "org.freedesktop.DBus.Error.UnknownProperty: unknown: /org/freedesktop/systemd1"
    assert all(isinstance(answer, OSError) and str(answer.strerror).startswith(refused) for answer in answers[1::2])


def test_a_connection_is_kept_and_made_anew_when_it_has_ended(tmp_path: Path) -> None:
    """systemd ends them when it executes itself anew; a scrape does not fail for that."""
    with on_socket(tmp_path / "private", FakeSystemd()) as connections:
        connection = Connection(private=True, private_socket=str(tmp_path / "private"))
        connection.ask([VERSION])
        connection.ask([VERSION])
        assert len(connections) == 1
        connections[0].shutdown(socket.SHUT_RDWR)
        assert connection.ask([VERSION]) == [(("s", "252.31-1~deb12u1"),)]
        assert len(connections) == 2
        connection.close()


def test_a_systemd_that_hangs_is_given_up(tmp_path: Path) -> None:
    """It accepts connections and says nothing: the questions end with their time, not with systemd's."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "private"))
        listener.listen()
        connection = Connection(private=True, patience=0.05, private_socket=str(tmp_path / "private"))
        with pytest.raises(OSError, match="private: Did not authenticate in") as raised:
            connection.ask([VERSION])
    assert raised.value.errno == errno.ETIMEDOUT


class Mute(FakeSystemd):
    """It answers so many questions, and no more before it is released."""

    def __init__(self, questions: int) -> None:
        super().__init__()
        self.left = questions
        self.released = threading.Event()

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        self.left -= len(questions)
        if self.left < 0:
            self.released.wait(10)
        return super().ask(questions)


def test_a_systemd_that_stops_answering_is_given_up(tmp_path: Path) -> None:
    """The same after it has answered once, with a question that no answer comes to."""
    systemd = Mute(0)
    with on_socket(tmp_path / "private", systemd):
        connection = Connection(private=True, patience=0.05, private_socket=str(tmp_path / "private"))
        try:
            with pytest.raises(TimeoutError):
                connection.ask([VERSION])
        finally:
            systemd.released.set()


def test_what_is_answered_in_time_is_not_lost(tmp_path: Path) -> None:
    """Of more questions than there is time for, those that were answered are; the others are told to be late."""
    systemd = Mute(70)
    with on_socket(tmp_path / "private", systemd):
        connection = Connection(private=True, patience=0.5, private_socket=str(tmp_path / "private"))
        answers = connection.ask([VERSION] * 100)
        systemd.released.set()
        connection.close()
    assert answers[:70] == [(("s", "252.31-1~deb12u1"),)] * 70
    assert all(isinstance(answer, TimeoutError) for answer in answers[70:])


def test_the_types_of_many_units_may_take_several_scrapes(tmp_path: Path) -> None:
    """A scrape that fails for want of time has learnt some, and the next one asks for the others only."""

    class Slow(FakeSystemd):
        def ask(self, questions: Sequence[Question]) -> list[Answer]:
            return [*super().ask(questions[:6]), *(TimeoutError(errno.ETIMEDOUT, "late") for _ in questions[6:])]

    systemd = Slow()
    for number in range(9):
        systemd.set(systemd.add(f"job-{number}.service"), "Service.Type", "s", "oneshot")
    mine = collector(tmp_path, systemd)
    with pytest.raises(Malformed, match="systemd: expected an answer over D-Bus: late"):
        exposed(mine)
    assert exposed(mine).count('type="oneshot"} 1') == 9


@pytest.mark.parametrize(
    "sent",
    [
        b"no D-Bus " * 10,
        b"l\2\0\1\7\0\0\0\1\0\0\0\x0f\0\0\0\5\1u\0\1\0\0\0\x08\1g\0\1s\0\0\2\0\0\0abc",
        b"l\2\0\1\xff\xff\xff\x7f\1\0\0\0\0\0\0\0" + b"x" * 2000,
    ],
    ids=["other bytes", "a string that does not end", "a message that does not end"],
)
def test_what_is_no_dbus_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Bytes that make no message are an error of the connection, whatever the library says of them."""
    monkeypatch.setattr("exporters.kernel.systemd.LONGEST", 1000)
    with on_socket(tmp_path / "private", FakeSystemd()) as connections:
        connection = Connection(private=True, private_socket=str(tmp_path / "private"))
        connection.ask([VERSION])
        connections[0].sendall(sent)
        assert connection.ask([VERSION]) == [(("s", "252.31-1~deb12u1"),)]
        assert len(connections) == 2
        connection.close()


@pytest.mark.parametrize(("private", "number"), [(True, errno.ENOENT), (False, errno.ENOENT)])
def test_a_machine_without_the_socket_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: bool, number: int
) -> None:
    """The address that was tried is named: the bus's, unless it was to be left out."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    connection = Connection(private=private, private_socket=str(tmp_path / "private"))
    with pytest.raises(OSError, match=f"{tmp_path}/{'private' if private else 'bus'}: No such file") as raised:
        connection.ask([VERSION])
    assert raised.value.errno == number


def test_a_bus_address_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable of the environment is named."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "tcp:host=localhost")
    with pytest.raises(OSError, match="DBUS_SYSTEM_BUS_ADDRESS"):
        Connection(private_socket=str(tmp_path / "private")).ask([VERSION])


def test_the_bus_is_greeted_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bus wants to be told hello before it passes anything on; systemd's own socket does not."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    with on_socket(tmp_path / "bus", FakeSystemd()):
        connection = Connection()
        assert connection.ask([VERSION]) == [(("s", "252.31-1~deb12u1"),)]
        connection.close()
