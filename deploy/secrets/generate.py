#!/usr/bin/env python3
"""Make every password and key of docker-compose.yml, once: `generate.py FOLDER`.

FOLDER has one folder a service, each of them a volume of its own, so that a service sees its own secrets only. A
file that is there is kept. Files are readable by their service's user alone; Elasticsearch insists on it.
"""

import os
import secrets
import sys
from pathlib import Path

FENGHUO, GRAFANA, ELASTIC, INFLUXDB, POSTGRES, NOBODY_ELSE = 10001, 472, 1000, 1000, 999, 0
"""The user ids of the images."""

KEEPER = "keeper"
"""The folder with one file a secret, from which the services' files are copied. No service mounts it."""

FILES: dict[str, tuple[int, str]] = {
    "elasticsearch/elastic_password": (ELASTIC, "{elastic_password}"),
    "elasticsearch-setup/elastic_password": (FENGHUO, "{elastic_password}"),
    "elasticsearch-setup/kibana_password": (FENGHUO, "{kibana_password}"),
    "elasticsearch-setup/logs_password": (FENGHUO, "{logs_password}"),
    "elasticsearch-setup/reader_password": (FENGHUO, "{reader_password}"),
    "logs/logs_password": (FENGHUO, "{logs_password}"),
    "grafana/admin_password": (GRAFANA, "{grafana_password}"),
    "grafana/reader_password": (GRAFANA, "{reader_password}"),
    "grafana/influxdb_token": (GRAFANA, "{influxdb_token}"),
    "influxdb/password": (INFLUXDB, "{influxdb_password}"),
    "influxdb/token": (INFLUXDB, "{influxdb_token}"),
    "postgresql/password": (POSTGRES, "{postgres_password}"),
    # Kibana reads no password files, but it reads more than one configuration file.
    "kibana/secrets.yml": (
        ELASTIC,
        (
            "elasticsearch.username: kibana_system\n"
            "elasticsearch.password: {kibana_password}\n"
            "xpack.security.encryptionKey: {kibana_key_security}\n"
            "xpack.encryptedSavedObjects.encryptionKey: {kibana_key_objects}\n"
            "xpack.reporting.encryptionKey: {kibana_key_reporting}\n"
        ),
    ),
}
"""Each file with its owner and its text; a name in braces stands for the secret of that name."""


class Kept:
    """The secrets by name, for `str.format_map`: made when first asked for, the same ever after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> str:
        path = self._folder / name
        if not path.exists():
            # hexadecimal, so that no shell, YAML or JSON gives a character a meaning
            put(path, secrets.token_hex(24), NOBODY_ELSE)
        return path.read_text(encoding="ascii")


def put(path: Path, text: str, owner: int) -> None:
    """Write a file whole or not at all, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(0o600)
    new.write_text(text, encoding="ascii")
    new.chmod(0o400)
    if os.geteuid() == 0:
        os.chown(new, owner, owner)
    new.rename(path)


def main(root: Path) -> None:
    """Make what is missing; say what was made, never its content."""
    kept = Kept(root / KEEPER)
    for name, (owner, text) in FILES.items():
        path = root / name
        if not path.exists():
            put(path, text.format_map(kept), owner)
            print(f"made {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
