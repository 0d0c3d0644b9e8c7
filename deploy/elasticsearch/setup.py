#!/usr/bin/env python3
"""Users and roles of Elasticsearch through its security API: `setup.py URL FOLDER`. Safe to run again.

FOLDER holds the passwords.

    kibana_system   Kibana's own user, which comes without a password
    fenghuo_logs    the log pipeline: may set up index templates, add to logs-* and search there; may change none
    fenghuo_reader  Grafana: may read logs-*
"""

import base64
import json
import sys
import time
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TRIES, PAUSE = 40, 3.0
"""The security index is not there at once on a server that has just started."""

ROLES = {
    "fenghuo_logs": {
        "cluster": ["monitor", "manage_index_templates"],
        "indices": [
            {"names": ["logs-*"], "privileges": ["auto_configure", "create_doc", "read", "view_index_metadata"]}
        ],
    },
    "fenghuo_reader": {"indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]},
}


def steps(folder: Path) -> list[tuple[str, object]]:
    """What to PUT: path and body, in order."""

    def password(user: str) -> str:
        return (folder / f"{user}_password").read_text(encoding="ascii").strip()

    return [
        ("_security/user/kibana_system/_password", {"password": password("kibana")}),
        *((f"_security/role/{name}", role) for name, role in ROLES.items()),
        ("_security/user/fenghuo_logs", {"password": password("logs"), "roles": ["fenghuo_logs"]}),
        ("_security/user/fenghuo_reader", {"password": password("reader"), "roles": ["fenghuo_reader"]}),
    ]


def put(url: str, body: object, password: str) -> None:
    """One call as the user elastic, again while the server is not ready. Exits with what the server said."""
    credentials = base64.b64encode(f"elastic:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    said = ""
    for _ in range(TRIES):
        try:
            with urlopen(Request(url, json.dumps(body).encode(), headers, method="PUT"), timeout=20):
                return
        except HTTPError as error:
            said = f"{error.code} {error.read(2000).decode('utf-8', 'replace')}"
            if error.code in (400, 404, 405):
                break
        except (OSError, HTTPException) as error:
            said = str(error)
        time.sleep(PAUSE)
    sys.exit(f"PUT {url}: {said}")


def main(url: str, folder: Path) -> None:
    """Every step in order; say which was done, never a password."""
    elastic = (folder / "elastic_password").read_text(encoding="ascii").strip()
    for path, body in steps(folder):
        put(f"{url.rstrip('/')}/{path}", body, elastic)
        print(f"set {path}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
