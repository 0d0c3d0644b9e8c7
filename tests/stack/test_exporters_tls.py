"""A real Prometheus scrapes the exporter over TLS, with a password and with a certificate of its own."""

from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from tests.exporters.running import exporter
from tests.exporters.web.certificates import self_signed, signed
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

pytestmark = pytest.mark.stack

WEB = """
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: authority.crt
  client_allowed_sans: [prometheus.example.org]
basic_auth_users:
  prometheus: {hashed}
"""

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: welcome
    scheme: https
    basic_auth: {{username: prometheus, password: scraping}}
    tls_config: {{ca_file: "{folder}/server.crt", cert_file: "{folder}/known.crt", key_file: "{folder}/known.key"}}
    static_configs: [{{targets: ["{address}"]}}]
  - job_name: wrong_password
    scheme: https
    basic_auth: {{username: prometheus, password: guessing}}
    tls_config: {{ca_file: "{folder}/server.crt", cert_file: "{folder}/known.crt", key_file: "{folder}/known.key"}}
    static_configs: [{{targets: ["{address}"]}}]
  - job_name: other_name
    scheme: https
    basic_auth: {{username: prometheus, password: scraping}}
    tls_config: {{ca_file: "{folder}/server.crt", cert_file: "{folder}/other.crt", key_file: "{folder}/other.key"}}
    static_configs: [{{targets: ["{address}"]}}]
  - job_name: plain
    static_configs: [{{targets: ["{address}"]}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A web configuration with its certificates, and two clients'."""
    self_signed(tmp_path, "server", "IP:127.0.0.1")
    authority = self_signed(tmp_path, "authority")
    signed(tmp_path, "known", authority, "DNS:prometheus.example.org")
    signed(tmp_path, "other", authority, "DNS:other.example.org")
    hashed = bcrypt.hashpw(b"scraping", bcrypt.gensalt(6)).decode()
    (tmp_path / "web.yml").write_text(WEB.format(hashed=hashed), encoding="utf-8")
    return tmp_path


@pytest.fixture
def scraping(prometheus: Prometheus, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with four jobs, of which one has what it takes."""
    with exporter(f"--web.config.file={folder / 'web.yml'}") as (url, _):
        prometheus.start(CONFIG.format(address=url.removeprefix("https://"), folder=folder))
        yield prometheus
    prometheus.start(prometheus.default_config)


def test_prometheus_is_let_in_by_certificate_and_password(scraping: Prometheus) -> None:
    """And by nothing less; it tells its user why."""
    wait_until(lambda: len(scraping.query('up{job="welcome"} == 1')) == 1, "the job that is let in", 30)
    refused = 'up{job=~"wrong_password|other_name|plain"} == 0'
    wait_until(lambda: len(scraping.query(refused)) == 3, "a refusal of each other job", 30)
    assert len(scraping.query('node_load1{job="welcome"}')) == 1
    targets = scraping.call("GET", "/api/v1/targets?state=active")["data"]["activeTargets"]
    errors = {target["scrapePool"]: target["lastError"] for target in targets}
    assert errors["welcome"] == ""
    assert "401 Unauthorized" in errors["wrong_password"]
    assert "400 Bad Request" in errors["plain"]
