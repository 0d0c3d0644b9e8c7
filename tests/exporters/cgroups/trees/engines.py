"""Machines without Kubernetes: Docker, Podman, Slurm, and systemd alone."""

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees.layout import Layout
from tests.exporters.cgroups.trees.names import docker, id_of, podman
from tests.exporters.cgroups.trees.processes import HOST
from tests.exporters.cgroups.trees.v2 import Limits

NGINX, REDIS = "nginx:1.27", "redis:7"
USER = "/user.slice/user-1000.slice/user@1000.service"

DELEGATED = "cpu memory pids"
"""What systemd passes on to a user's own manager."""


def docker_host(machine: FakeMachine) -> None:
    """v2, systemd driver: a container of its own, one on the host's network, one in the network of the first."""
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/docker.service", "/system.slice/containerd.service")
    layout.add(f"/system.slice/docker-{id_of('web')}.scope", "web", "web", limits=Limits(150_000, 128 << 20), kills=1)
    layout.add(f"/system.slice/docker-{id_of('cache')}.scope", HOST)
    layout.add(f"/system.slice/docker-{id_of('debug')}.scope", "web")
    docker(machine, id_of("web"), "web", NGINX, {"com.docker.compose.project": "shop"})
    docker(machine, id_of("cache"), "cache", REDIS, {}, "host")
    docker(machine, id_of("debug"), "debug", "busybox", {}, f"container:{id_of('web')}")
    layout.write_v2()


def docker_v1(machine: FakeMachine) -> None:
    """v1, cgroupfs driver, disks with the scheduler BFQ."""
    layout = Layout(machine, bfq=True, processors=2)
    layout.add_units("/system.slice/docker.service")
    layout.add(f"/docker/{id_of('web')}", "web", "web", limits=Limits(150_000, 128 << 20), kills=1)
    layout.add(f"/docker/{id_of('cache')}", HOST)
    docker(machine, id_of("web"), "web", NGINX, {})
    docker(machine, id_of("cache"), "cache", REDIS, {}, "host")
    layout.write_v1()


def podman_host(machine: FakeMachine) -> None:
    """v2, crun: containers of root in `machine.slice`, those of user 1000 below that user's own manager."""
    layout = Layout(machine)
    layout.add_units("/init.scope")
    layout.add(USER, passes_on=DELEGATED)
    layout.add_units(f"{USER}/init.scope")
    for stem, name in (("/machine.slice", "db"), (f"{USER}/user.slice", "blog")):
        layout.add(f"{stem}/libpod-conmon-{id_of(name)}.scope", HOST, idle=True)
        layout.add(f"{stem}/libpod-{id_of(name)}.scope", limits=Limits(memory=64 << 20))
        layout.add(f"{stem}/libpod-{id_of(name)}.scope/container", name)
    podman(machine, "var/lib/containers/storage", [(id_of("db"), "db", "docker.io/library/postgres:16")])
    machine.write("root/etc/passwd", "ada:x:1000:1000::/home/ada:/bin/sh\n")
    home = "home/ada/.local/share/containers/storage"
    podman(machine, home, [(id_of("blog"), "blog", "docker.io/library/ghost:5"), (id_of("gone"), "gone", REDIS)])
    layout.write_v2()


def systemd(machine: FakeMachine) -> None:
    """v2, no containers: services, of which one has groups of its own, escaped names, mounts, sessions, a manager."""
    layout = Layout(machine)
    layout.add_units("/init.scope", "/system.slice/cron.service")
    layout.add("/system.slice/nginx.service", limits=Limits(quota=20_000, memory=1 << 30), passes_on="memory pids")
    layout.add("/system.slice/nginx.service/supervisor", HOST)
    layout.add("/system.slice/nginx.service/workers", HOST, HOST, kills=3)
    layout.add_units(r"/system.slice/system-serial\x2dgetty.slice/serial-getty@ttyS0.service")
    layout.add("/dev-hugepages.mount")
    layout.add("/system.slice/home.mount")
    layout.add_units("/user.slice/user-1000.slice/session-3.scope")
    layout.add(USER, passes_on=DELEGATED)
    layout.add_units(f"{USER}/init.scope", f"{USER}/app.slice/gpg-agent.service")
    layout.write_v2()


def slurm(machine: FakeMachine) -> None:
    """v1: jobs of a user, each with its steps, and tasks below those."""
    layout = Layout(machine, processors=2)
    layout.add_units("/system.slice/slurmd.service")
    job = "/slurm/uid_20821/job_10"
    layout.add(job, limits=Limits(memory=2 << 30))
    layout.add(f"{job}/step_batch", HOST)
    layout.add(f"{job}/step_0/task_0", HOST, HOST, kills=1)
    layout.write_v1()
