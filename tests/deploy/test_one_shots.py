"""The services that run once: secrets are made, Elasticsearch's users are set up."""

import asyncio
import base64
import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

import yaml

from fenghuo.testing import RecordingServer, Reply
from tests.deploy.compose import ROOT, mounts, services

GENERATE = str(ROOT / "deploy/secrets/generate.py")
SETUP = str(ROOT / "deploy/elasticsearch/setup.py")


async def run(*arguments: str) -> tuple[int, str, str]:
    """A script as its container runs it: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def generate(folder: Path) -> dict[str, str]:
    """Make the secrets; every file below the folder with its content."""
    code, _, said = asyncio.run(run(GENERATE, str(folder)))
    assert code == 0, said
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_every_secret_file_that_a_service_is_told_of_is_made(tmp_path: Path) -> None:
    """Each path below /run/fenghuo in the compose file and in the mounted configurations."""
    made = generate(tmp_path)
    for name, service in services().items():
        volume = next((source for source, target, _ in mounts(service) if target == "/run/fenghuo"), None)
        if volume is None:
            continue
        folder = volume.removeprefix("secrets-")
        told = {file for text in texts_of(service) for file in re.findall(r"/run/fenghuo/([\w-]+(?:\.\w+)?)", text)}
        assert {f"{folder}/{file}" for file in told} <= made.keys(), name


def texts_of(service: dict[str, Any]) -> list[str]:
    """A service's definition, and every configuration that it mounts."""
    paths = [ROOT / source for source, _, _ in mounts(service) if source.startswith("./deploy")]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.yml"))]
    return [json.dumps(service), *(file.read_text(encoding="utf-8") for file in files)]


def test_a_second_run_keeps_every_secret(tmp_path: Path) -> None:
    """Or a restart would lock everybody out."""
    assert generate(tmp_path) == generate(tmp_path)


def test_two_installations_have_no_secret_in_common(tmp_path: Path) -> None:
    """And each is long enough."""
    one, other = generate(tmp_path / "one"), generate(tmp_path / "other")
    kept = [name for name in one if name.startswith("keeper/")]

    assert kept
    assert [name for name in kept if one[name] == other[name] or len(one[name]) < 32] == []


def test_secrets_are_for_their_owners_eyes_only(tmp_path: Path) -> None:
    """Elasticsearch refuses a password file that others may read."""
    generate(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}

    assert modes == {0o400}


def test_those_who_share_a_secret_get_the_same(tmp_path: Path) -> None:
    """The password that is set up is the one that the service comes with."""
    made = generate(tmp_path)
    kibana = yaml.safe_load(made["kibana/secrets.yml"])

    assert kibana["elasticsearch.password"] == made["elasticsearch-setup/kibana_password"]
    assert made["logs/logs_password"] == made["elasticsearch-setup/logs_password"]
    assert made["grafana/reader_password"] == made["elasticsearch-setup/reader_password"]
    assert made["grafana/influxdb_token"] == made["influxdb/token"]
    assert made["elasticsearch/elastic_password"] == made["elasticsearch-setup/elastic_password"]


def test_the_output_tells_no_secret(tmp_path: Path) -> None:
    """It goes to the container's log."""
    _, said, _ = asyncio.run(run(GENERATE, str(tmp_path)))
    values = {path.read_text() for path in (tmp_path / "keeper").iterdir()}

    assert "made grafana/admin_password" in said
    assert [value for value in values if value in said] == []


def test_elasticsearch_gets_its_users_and_roles(tmp_path: Path) -> None:
    """Kibana's password, a role that may add and change nothing, a role that may only read, a user for each."""
    made = generate(tmp_path)

    async def work() -> tuple[tuple[int, str, str], RecordingServer]:
        async with RecordingServer() as server:
            return await run(SETUP, server.url, str(tmp_path / "elasticsearch-setup")), server

    (code, said, _), server = asyncio.run(work())
    sent = {request.path: request.json() for request in server.requests}
    elastic = base64.b64encode(f"elastic:{made['elasticsearch/elastic_password']}".encode()).decode()

    assert code == 0
    assert {request.method for request in server.requests} == {"PUT"}
    assert {request.headers["Authorization"] for request in server.requests} == {f"Basic {elastic}"}
    assert sent["/_security/user/kibana_system/_password"] == {"password": made["elasticsearch-setup/kibana_password"]}
    assert sent["/_security/user/fenghuo_logs"] == {
        "password": made["logs/logs_password"],
        "roles": ["fenghuo_logs"],
    }
    assert set(sent["/_security/role/fenghuo_logs"]["indices"][0]["privileges"]).isdisjoint({"all", "write", "delete"})
    assert sent["/_security/role/fenghuo_reader"] == {
        "indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]
    }
    assert "set _security/user/fenghuo_reader" in said
    assert made["logs/logs_password"] not in said


def test_a_setup_that_elasticsearch_refuses_fails_with_its_words(tmp_path: Path) -> None:
    """The services behind it are not started."""
    generate(tmp_path)

    async def work() -> tuple[int, str, str]:
        async with RecordingServer() as server:
            server.replies.append(Reply(400, b'{"error":"passwords must be longer"}'))
            return await run(SETUP, server.url, str(tmp_path / "elasticsearch-setup"))

    code, _, said = asyncio.run(work())
    assert code == 1
    assert "passwords must be longer" in said


def test_the_health_check_of_our_image_tells_well_from_ill() -> None:
    """2xx is well; 503 and nobody there are not."""
    healthy = str(ROOT / "deploy/image/healthy.py")

    async def work() -> list[int]:
        async with RecordingServer() as server:
            server.replies.extend([Reply(200), Reply(503)])
            codes = [(await run(healthy, f"{server.url}/-/ready"))[0] for _ in range(2)]
        return [*codes, (await run(healthy, f"{server.url}/-/ready"))[0]]

    assert os.access(healthy, os.X_OK), "the image runs it by its name"
    assert asyncio.run(work()) == [0, 1, 1]
