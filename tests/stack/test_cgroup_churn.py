"""Pods come and go while the exporter runs: each scrape tells those that are there, of those only what is theirs, and
leaves nothing behind.

50 containers a minute are made and removed for an hour with a scrape every 15 seconds (`make soak`), or as many in a
few seconds as fast as it goes. Needs root.
"""

import contextlib
import http.client
import json
import math
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.exporters.beside import running_process
from tests.stack.cgroups import container_path, folders_of, make, own_pods, pod_path, processor_seconds, remove, told
from tests.stack.test_exporters_soak import Held, held

pytestmark = pytest.mark.stack

SEEN, STARTED = "container_last_seen", "container_start_time_seconds"
USED, IN_USE = "container_cpu_usage_seconds_total", "container_memory_usage_bytes"
RUNNING, THREADS = "container_processes", "container_threads"
METRICS = {SEEN, STARTED, USED, IN_USE, RUNNING, THREADS}
"""Of each controller one: whatever lives has them all."""

NOTES = ("sandbox-namespace", "sandbox-name", "container-name", "image-name")
LINE = re.compile(r"(\w+)\{(.*)\} (\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')

ASKED_AGAIN = 5.5
"""Seconds after which the exporter has asked again for names that were late: after one and three, at a scrape."""

LISTED_AGAIN = 9.0
"""The same for names that only the list of log files has: it may have been made within the same tick of the clock."""

LATE = 2.0
"""Seconds after which the names of some containers are written."""

COARSE = 0.02
"""Seconds by which a time stamp of a folder may be behind."""

SPARE_KIB = 8192
"""What may be taken more than after the warm-up: texts of labels are kept for 100 to 200 scrapes. A leak of 6 KB a
container is more in the long run.
"""

ENTER = 'for folder; do echo $$ > "$folder/cgroup.procs"; done'
SLEEPER = f"{ENTER}; i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; echo ready; exec sleep 4000"

SCRAPES_IN_THE_STORM = 200
_PAUSE = threading.Event()


@dataclass
class Container:
    """A container that was made. Times are monotonic seconds, `born` is Unix seconds."""

    pod: int
    path: str
    has_bundle: bool
    late: float = 0.0
    process: subprocess.Popen[str] | None = None
    born: float = field(default_factory=time.time)
    made: float = math.inf
    going: float = math.inf
    gone: float = math.inf
    first_asked: float = math.inf
    is_named: bool = False

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def names_due(self) -> float:
        """From when on a scrape must have its names."""
        if not self.has_bundle:
            return self.first_asked + LISTED_AGAIN
        return self.first_asked + ASKED_AGAIN if self.late else self.first_asked


class Node:
    """Makes and removes pods and their containers, with what kubelet and containerd write of them below `root`."""

    def __init__(self, top: str, root: Path, first: int = 0, latest: float = LATE) -> None:
        self.top = top
        self.latest = latest
        self.living: list[Container] = []
        self.dead: list[Container] = []
        self._root = root
        self._number = first
        self._chance = random.Random(first)

    def start(self, *, with_process: bool = False) -> None:
        """Make a container, three to a pod; every third is known by its log file only, every fifth is known late."""
        self._number += 1
        number = self._number
        container = Container(number // 3, container_path(self.top, number // 3, number), number % 3 != 0)
        container.late = self.latest if number % 5 == 0 or self.latest > LATE else 0.0
        self._make(container, with_process)

    def restart(self) -> None:
        """Make a container anew that has used the processor: the same id, another cgroup, and no process."""
        before = next((one for one in self.living if one.process is not None and not one.late), None)
        if before is not None:
            self.stop(before)
            self._make(Container(before.pod, before.path, before.has_bundle), with_process=False)

    def stop(self, container: Container | None = None) -> None:
        """Remove a container, and its pod with the last."""
        container = container if container is not None else self._chance.choice(self.living)
        container.going = time.monotonic()
        self.living.remove(container)
        self.kill(container)
        remove(container.path)
        container.gone = time.monotonic()
        self.dead.append(container)
        shutil.rmtree(self._bundle(container), ignore_errors=True)
        self._link(container).unlink(missing_ok=True)
        if all(one.pod != container.pod for one in self.living):
            remove(pod_path(self.top, container.pod))

    def clear(self) -> None:
        """Remove all."""
        for container in self.living.copy():
            self.stop(container)

    def kill(self, container: Container) -> None:
        """End its process; the container stays."""
        if container.process is not None:
            container.process.kill()
            container.process.communicate()
            container.process = None

    def write_names(self) -> None:
        """Write down the names that are due by now."""
        for container in self.living:
            if not container.is_named and time.monotonic() >= container.made + container.late:
                self._name(container)

    def _make(self, container: Container, with_process: bool) -> None:
        if container.late == 0:
            self._name(container)
        make(container.path)
        if with_process:
            command = ["sh", "-c", SLEEPER, "sh", *map(str, folders_of(container.path))]
            container.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert told(container.process) == "ready"
        container.made = time.monotonic()
        self.living.append(container)

    def _name(self, container: Container) -> None:
        container.is_named = True
        if container.has_bundle:
            notes = {f"io.kubernetes.cri.{key}": name for key, name in zip(NOTES, names_of(container), strict=True)}
            self._bundle(container).mkdir(parents=True)
            (self._bundle(container) / "config.json").write_text(json.dumps({"annotations": notes}))
        self._link(container).parent.mkdir(parents=True, exist_ok=True)
        self._link(container).symlink_to("/nowhere")

    def _bundle(self, container: Container) -> Path:
        return self._root / "run/containerd/io.containerd.runtime.v2.task/k8s.io" / container.id

    def _link(self, container: Container) -> Path:
        namespace, pod, name, _ = names_of(container)
        return self._root / "var/log/containers" / f"{pod}_{namespace}_{name}-{container.id}.log"


def names_of(container: Container) -> tuple[str, str, str, str]:
    """Namespace, pod, container, image."""
    image = "registry.example/app:1" if container.has_bundle else ""
    return f"team-{container.pod % 7}", f"app-{container.pod}", f"main-{int(container.id, 16) % 3}", image


@dataclass
class Scrape:
    """What was published of our cgroups by path, and what went wrong."""

    began: float
    ended: float
    values: dict[str, dict[str, float]]
    names: dict[str, tuple[str, ...]]
    failures: list[str]


class Prometheus:
    """Scrapes the exporter, on one kept connection, and checks what it tells of some nodes' containers."""

    def __init__(self, client: http.client.HTTPConnection, *nodes: Node) -> None:
        self._client = client
        self.nodes = list(nodes)
        self.scrapes = 0
        self._lacking = failed(self._lines())

    def scrape(self) -> list[str]:
        """What is wrong, a line each."""
        scrape = self.read()
        self.scrapes += 1
        found = scrape.failures
        for node in self.nodes:
            living, dead = node.living.copy(), node.dead.copy()
            gone = {container.path for container in dead if container.gone < scrape.began}
            gone -= {container.path for container in living}
            found += [f"{path}: is gone" for path in sorted(gone & scrape.values.keys())]
            for container in living:
                found += problems(container, scrape)
        return found

    def _lines(self) -> list[str]:
        self._client.request("GET", "/metrics")
        answer = self._client.getresponse()
        assert answer.status == 200
        return answer.read().decode().splitlines()

    def read(self) -> Scrape:
        """A scrape that is not checked."""
        began = time.monotonic()
        lines = self._lines()
        scrape = Scrape(began, time.monotonic(), {}, {}, sorted(failed(lines) - self._lacking))
        ours = f'id="{self.nodes[0].top}'
        for line in lines:
            if ours in line and line.partition("{")[0] in METRICS:
                metric, labelled, value = LINE.findall(line)[0]
                labels = dict(LABEL.findall(labelled))
                scrape.values.setdefault(labels["id"], {})[metric] = float(value)
                scrape.names[labels["id"]] = tuple(labels[name] for name in ("namespace", "pod", "container", "image"))
        scrape.failures += [line for line in lines if line.startswith("container_scrape_error 1")]
        return scrape


def failed(lines: list[str]) -> set[str]:
    """The collectors that say that they failed, which is also what they say where a machine has nothing for them."""
    return {line for line in lines if line.startswith("cgroup_scrape_collector_success") and line.endswith(" 0.0")}


def problems(container: Container, scrape: Scrape) -> Iterator[str]:
    """What a scrape tells of a container that it should not, or does not tell that it should."""
    values = scrape.values.get(container.path, {})
    who = f"{container.path[-80:]} made {scrape.began - container.made:.3f} s before"
    if container.made > scrape.began or container.going < scrape.ended:
        return  # it came or went meanwhile
    container.first_asked = min(container.first_asked, scrape.ended)
    if missing := METRICS - values.keys():
        yield f"{who}: has no {', '.join(sorted(missing))}"
        return
    if values[STARTED] < container.born - COARSE:
        yield f"{who}: began {container.born - values[STARTED]:.3f} s too early"
    with contextlib.suppress(OSError):  # it goes right now
        if values[USED] > (used := processor_seconds(container.path)):
            yield f"{who}: used {values[USED]} s, in truth {used} s"
    if values[RUNNING] != (expected := int(container.process is not None)):
        yield f"{who}: has {values[RUNNING]:g} processes, not {expected}"
    if scrape.began >= container.names_due and scrape.names[container.path] != names_of(container):
        yield f"{who}: is called {scrape.names[container.path]}, not {names_of(container)}"


@contextlib.contextmanager
def scraped(root: Path) -> Iterator[tuple[Prometheus, Node, subprocess.Popen[bytes]]]:
    """An exporter of the test's own cgroups, and a node with them."""
    with own_pods() as top:
        flags = ["--collect=cgroup", f"--path.rootfs={root}", f"--cgroup.include=^{top}"]
        with (
            running_process([sys.executable, "-m", "exporters", *flags]) as (port, process),
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client,
        ):
            node = Node(top, root)
            try:
                yield Prometheus(client, node), node, process
            finally:
                node.clear()


def replace_some(node: Node, number: int) -> None:
    """One step of churn: eight containers come, two of them with a process, and as many go, or begin anew."""
    for place in range(8):
        node.start(with_process=place < 2)
    node.restart()
    busy = [container for container in node.living if container.process is not None]
    if busy and number % 2:
        node.kill(busy[0])
    while len(node.living) > 48:
        node.stop()


def at_rest(prometheus: Prometheus, node: Node, process: subprocess.Popen[bytes]) -> Held:
    """What the exporter holds when nothing is left to tell of."""
    node.clear()
    assert prometheus.read().values.keys() == {node.top}
    return held(process.pid)


def check(last: Held, first: Held) -> None:
    """Nothing has piled up."""
    print(f"{first} → {last}")
    assert last.threads <= first.threads
    assert last.files <= first.files
    assert last.resident_kib <= first.resident_kib + SPARE_KIB


def test_containers_come_and_go(tmp_path: Path) -> None:
    """400 containers to warm up and 800 more, with a scrape after each eight; then their names are waited for."""
    with scraped(tmp_path) as (prometheus, node, process):
        for number in range(150):
            replace_some(node, number)
            node.write_names()
            assert prometheus.scrape() == []
            if number == 50:
                first = at_rest(prometheus, node, process)
        last_due = time.monotonic() + LATE + LISTED_AGAIN
        while time.monotonic() < last_due:
            node.write_names()
            _PAUSE.wait(0.5)
            assert prometheus.scrape() == []
        assert len(node.living) > 40
        check(at_rest(prometheus, node, process), first)


@pytest.mark.soak
def test_fifty_containers_a_minute_for_an_hour(tmp_path: Path) -> None:
    """As it would be: a container comes and one goes every 1.2 s, a scrape is every 15 s."""
    with scraped(tmp_path) as (prometheus, node, process):
        first, began = held(process.pid), time.monotonic()
        for number in range(3000):
            _PAUSE.wait(max(0.0, began + 1.2 * number - time.monotonic()))
            change_one(node, number)
            node.write_names()
            if time.monotonic() >= began + 15 * prometheus.scrapes:
                assert prometheus.scrape() == []
            if number == 1500:
                first = at_rest(prometheus, node, process)
        assert prometheus.scrapes >= 240
        check(at_rest(prometheus, node, process), first)


def change_one(node: Node, number: int) -> None:
    """One container comes, one of five with a process, of which some begin anew or are killed; one goes of 40."""
    if number % 30 == 29:
        node.restart()
    else:
        node.start(with_process=number % 5 == 0)
    if len(node.living) > 40:
        node.stop()
    busy = [container for container in node.living if container.process is not None]
    if busy and number % 17 == 0:
        node.kill(busy[0])


def test_cgroups_that_vanish_while_a_scrape_runs(tmp_path: Path) -> None:
    """Hundreds a second are made and removed beside the scrapes, each of which tells those that stay, and only them."""
    with scraped(tmp_path) as (prometheus, calm, process):
        stormy, over = Node(calm.top, tmp_path, first=1_000_000, latest=math.inf), threading.Event()
        prometheus.nodes.append(stormy)
        for _ in range(20):
            calm.start()
        assert prometheus.scrape() == []
        first, found = held(process.pid), []
        storm = threading.Thread(target=blow, args=(stormy, over))
        storm.start()
        began = time.monotonic()
        try:
            for _ in range(SCRAPES_IN_THE_STORM):
                calm.write_names()
                found += prometheus.scrape()
        finally:
            over.set()
            storm.join()
            stormy.clear()
        print(f"{len(stormy.dead)} containers in {time.monotonic() - began:.0f} s, {prometheus.scrapes} scrapes")
        assert found == []
        assert len(stormy.dead) > 10 * SCRAPES_IN_THE_STORM
        assert prometheus.scrape() == []
        assert held(process.pid).files <= first.files


def blow(node: Node, over: threading.Event) -> None:
    """Make and remove containers as fast as it goes, some of which live through a scrape or two."""
    while not over.is_set():
        node.start()
        if len(node.living) > 60:
            node.stop()
