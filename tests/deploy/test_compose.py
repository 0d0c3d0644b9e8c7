"""docker-compose.yml keeps its promises: valid, pinned, on loopback, healthy, without a password."""

import json
import re
from typing import Any

import jsonschema
import pytest

from fenghuo import __version__
from tests.deploy.compose import ROOT, is_one_shot, load, mounts, services, variables

SERVICES = services()
LASTING = [name for name, service in SERVICES.items() if not is_one_shot(service)]
each_service = pytest.mark.parametrize("name", SERVICES)


def test_it_is_valid_by_the_compose_specification() -> None:
    """The schema that docker compose itself uses."""
    schema = json.loads((ROOT / "tests/fixtures/deploy/compose-spec.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(load())] == []


def test_the_schema_refuses_what_is_wrong() -> None:
    """So that the test above can fail."""
    schema = json.loads((ROOT / "tests/fixtures/deploy/compose-spec.json").read_text(encoding="utf-8"))
    wrong = load()
    wrong["services"]["kafka"]["prots"] = []

    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)


def test_everything_that_the_chain_needs_is_there() -> None:
    """The engines of production and our own services."""
    engines = {"prometheus", "grafana", "influxdb", "kafka", "elasticsearch", "kibana", "filebeat", "postgresql"}
    ours = {"node-exporter", "cgroup-exporter", "alerting", "logs"}

    assert engines | ours == set(LASTING)


@each_service
def test_an_image_is_pinned_to_an_exact_version(name: str) -> None:
    """Tomorrow's `up` starts what today's did."""
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?", SERVICES[name]["image"])


def test_our_image_is_of_the_version_that_it_holds() -> None:
    """One image for all of our services, built here."""
    ours = [service for service in SERVICES.values() if service["image"].startswith("fenghuo:")]

    assert {service["image"] for service in ours} == {f"fenghuo:{__version__}"}
    assert {service["build"]["dockerfile"] for service in ours} == {"deploy/image/Dockerfile"}


def test_the_images_of_elastic_are_of_one_version() -> None:
    """Kibana refuses an Elasticsearch of another; Filebeat goes with them."""
    tags = {service["image"].rpartition(":")[2] for service in SERVICES.values() if "elastic.co" in service["image"]}

    assert len(tags) == 1


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Nobody else on the network sees them."""
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_what_is_in_the_hosts_network_listens_inside_the_compose_network_only() -> None:
    """On the gateway's address, which Prometheus knows by the exporter's name."""
    gateway = variables()["FENGHUO_GATEWAY"]
    in_host = {name for name, service in SERVICES.items() if service.get("network_mode") == "host"}

    assert in_host == {"node-exporter"}
    assert f"--web.listen-address={gateway}:9100" in SERVICES["node-exporter"]["command"]
    assert SERVICES["prometheus"]["extra_hosts"] == [f"node-exporter:{gateway}"]
    assert load()["networks"]["default"]["ipam"]["config"] == [
        {"subnet": variables()["FENGHUO_SUBNET"], "gateway": gateway}
    ]


def test_what_reads_process_ids_of_others_is_in_the_hosts_tree_of_processes() -> None:
    """The kernel writes cgroup.procs for whoever reads it: 0 for a process that is not in the reader's own tree."""
    assert [name for name, service in SERVICES.items() if service.get("pid") == "host"] == ["cgroup-exporter"]


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_service_has_a_health_check_and_limits(name: str) -> None:
    """What hangs is seen; what leaks is stopped."""
    service = SERVICES[name]

    assert service["healthcheck"]["test"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["restart"] == "unless-stopped"


@each_service
def test_a_service_waits_for_what_it_needs_to_be_healthy_or_done(name: str) -> None:
    """`started` is never enough; a one-shot is waited for to its good end."""
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        done = is_one_shot(SERVICES[needed])
        assert how["condition"] == ("service_completed_successfully" if done else "service_healthy")


@each_service
def test_no_service_may_more_than_it_needs(name: str) -> None:
    """No privileged container; all capabilities dropped, and those given back are the start-ups' of two images."""
    service = SERVICES[name]
    given_back = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}

    assert not service.get("privileged", False)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", [])) <= given_back
    assert not [source for source, _, _ in mounts(service) if "docker.sock" in source]


@each_service
def test_what_is_mounted_is_there_and_read_only(name: str) -> None:
    """Files of the repository exist; the host's folders and secrets can't be written; volumes are declared."""
    declared = load()["volumes"]
    for source, target, read_only in mounts(SERVICES[name]):
        if source.startswith("."):
            assert (ROOT / source).exists(), f"{source} is mounted and is not there"
        elif not source.startswith("/"):
            assert source in declared
        is_data = not source.startswith((".", "/", "secrets-")) or name == "secrets"
        assert read_only or is_data, f"{source} at {target} could be written"


def test_every_volume_is_used() -> None:
    """One that nobody mounts is a left-over."""
    used = {source for service in SERVICES.values() for source, _, _ in mounts(service)}

    assert set(load()["volumes"]) - used == set()


@each_service
def test_no_password_stands_in_the_file(name: str) -> None:
    """Passwords, tokens and keys come from files of the service's own volume."""
    smells = re.compile(r"PASSWORD|TOKEN|SECRET|KEY", re.IGNORECASE)
    for variable, value in SERVICES[name].get("environment", {}).items():
        if smells.search(variable):
            assert variable.endswith("_FILE"), f"{variable} holds a secret itself"
            assert value.startswith("/run/fenghuo/")


@each_service
def test_only_the_services_that_have_secrets_see_them_and_only_their_own(name: str) -> None:
    """One volume a service, apart from the two one-shots that act for the user elastic."""
    mounted = [source for source, _, _ in mounts(SERVICES[name]) if source.startswith("secrets-")]
    allowed = {"kibana-views": ["secrets-elasticsearch-setup"]}.get(name, [f"secrets-{name}"])

    assert name == "secrets" or mounted in ([], allowed)


def test_the_example_of_the_environment_names_every_variable_with_its_default() -> None:
    """And none that is not there."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert dict(re.findall(r"^#(\w+)=(.*)$", text, re.MULTILINE)) == variables()


def test_the_image_of_our_services_installs_by_the_lock_and_does_not_run_as_root() -> None:
    """Hashes for what comes from outside, nothing else is fetched."""
    text = (ROOT / "deploy/image/Dockerfile").read_text(encoding="utf-8")
    stages: list[str] = re.findall(r"^FROM (\S+)", text, re.MULTILINE)

    assert len(set(stages)) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", stages[0])
    assert "--require-hashes" in text
    assert "--no-deps --no-build-isolation ." in text
    assert "\nUSER fenghuo\n" in text


def test_what_the_image_copies_is_let_in_by_dockerignore() -> None:
    """A path that is left out fails the build."""
    copied: list[Any] = []
    for line in (ROOT / "deploy/image/Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied += line.split()[1:-1]
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [path for path in copied if not any(path == start or path.startswith(start + "/") for start in let_in)] == []
