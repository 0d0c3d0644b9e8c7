"""The mounted configurations fit one another: names, ports, paths, users."""

import json
from pathlib import Path
from typing import Any

import yaml

from dashboards.app import GENERATED
from tests.deploy.compose import ROOT, mounts, services

SERVICES = services()


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def mounted(service: str, target: str) -> str:
    """Where a path inside a container comes from."""
    for source, inside, _ in mounts(SERVICES[service]):
        if target == inside or target.startswith(inside + "/"):
            return source + target.removeprefix(inside)
    raise AssertionError(f"{service} has nothing mounted at {target}")


def test_prometheus_scrapes_our_services_under_the_jobs_that_rules_and_boards_name() -> None:
    """`honor_labels` for the containers' own labels; the two exporters of the host are one host."""
    jobs = {job["job_name"]: job for job in read("deploy/prometheus/prometheus.yml")["scrape_configs"]}
    targets = {name: [t for static in job["static_configs"] for t in static["targets"]] for name, job in jobs.items()}

    assert targets["node"] == ["node-exporter:9100"]
    assert targets["cgroup"] == ["cgroup-exporter:9101"]
    assert targets["fenghuo"] == ["alerting:9093", "logs:9600"]
    assert [name for name, job in jobs.items() if job.get("honor_labels")] == ["cgroup"]
    assert jobs["node"]["static_configs"][0]["labels"] == jobs["cgroup"]["static_configs"][0]["labels"]


def test_every_host_that_a_configuration_calls_is_a_service() -> None:
    """`http://NAME:PORT` and `NAME:PORT` name services of the compose file."""
    called = {
        read("deploy/alerting/alerting.yml")["sources"][0]["url"],
        read("deploy/logs/logs.yml")["sink"]["url"],
        read("deploy/logs/logs.yml")["source"]["brokers"],
        *read("deploy/filebeat/filebeat.yml")["output.kafka"]["hosts"],
        *read("deploy/kibana/kibana.yml")["elasticsearch.hosts"],
        *(source["url"] for source in read("deploy/grafana/provisioning/datasources/datasources.yml")["datasources"]),
    }

    assert {address.removeprefix("http://").partition(":")[0] for address in called} <= SERVICES.keys()


def test_filebeat_and_the_log_pipeline_meet_in_kafka() -> None:
    """One topic, Kafka's listener for the compose network."""
    output = read("deploy/filebeat/filebeat.yml")["output.kafka"]
    source = read("deploy/logs/logs.yml")["source"]

    assert [output["topic"]] == source["topics"]
    assert output["hosts"] == [source["brokers"]]
    assert "INTERNAL://kafka:19092" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_filebeat_keeps_the_lines_of_a_file_in_order_and_loses_none() -> None:
    """A key, so that a file is one partition; all replicas; short files are read; long lines are joined."""
    config = read("deploy/filebeat/filebeat.yml")
    (source,) = config["filebeat.inputs"]

    assert config["output.kafka"]["key"] == "%{[log.file.path]}"
    assert config["output.kafka"]["required_acks"] == -1
    assert source["type"] == "filestream"
    assert source["parsers"] == [{"container": {"stream": "all", "format": "auto"}}]
    assert source["prospector.scanner.fingerprint.enabled"] is False
    assert "/var/log/containers/*.log" in source["paths"]


def test_filebeat_sees_the_folders_that_it_reads_and_those_that_links_lead_to() -> None:
    """Under the same paths as on the host."""
    seen = {(source, target) for source, target, _ in mounts(SERVICES["filebeat"]) if source.startswith("/")}

    assert seen == {(path, path) for path in ("/var/log/containers", "/var/log/pods", "/var/lib/docker/containers")}


def test_the_chain_that_carries_logs_does_not_carry_its_own() -> None:
    """One line of trouble would make the next."""
    quiet = {name for name, service in SERVICES.items() if service.get("logging", {}).get("driver") == "local"}

    assert quiet == {"filebeat", "kafka", "logs", "elasticsearch"}


def test_grafana_finds_the_generated_boards() -> None:
    """The provider's folder is where they are mounted, and the first page is one of them."""
    (provider,) = read("deploy/grafana/provisioning/dashboards/fenghuo.yml")["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert Path(ROOT, mounted("grafana", provider["options"]["path"])) == GENERATED / "grafana"
    assert json.loads(Path(ROOT, mounted("grafana", home)).read_text(encoding="utf-8"))["uid"]


def test_grafanas_data_sources_have_fixed_ids_and_one_is_the_default() -> None:
    """Of the kind that the boards ask for."""
    sources = read("deploy/grafana/provisioning/datasources/datasources.yml")["datasources"]

    assert [source["type"] for source in sources if source.get("isDefault")] == ["prometheus"]
    assert len({source["uid"] for source in sources}) == len(sources)


def test_the_alert_engine_reads_the_starter_rules() -> None:
    """They are mounted where its configuration looks for them."""
    (pattern,) = read("deploy/alerting/alerting.yml")["rule_files"]
    target = Path("/etc/fenghuo", pattern).with_name("starter.yml")

    assert Path(ROOT, mounted("alerting", str(target))) == ROOT / "alerting/rules/library/starter.yml"
