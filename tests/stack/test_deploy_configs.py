"""Each configuration that docker-compose.yml mounts, by the checker of the program that reads it.

Grafana, Kibana and Filebeat have no checker that runs here; tests/deploy holds theirs to what is known of them.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.deploy.compose import ROOT, mounts, services
from tests.stack.servers.base import HOST, free_port
from tests.stack.servers.kafka import Kafka
from tests.stack.servers.programs import run
from tests.stack.servers.prometheus import Prometheus

SERVICES = services()
STARTER = ROOT / "alerting/rules/library/starter.yml"


def said_by(*command: str | Path, good: bool = True) -> str:
    """What a checker says; it must find the files good, or bad."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=ROOT)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is good, said
    return said


def staged(service: str, folder: Path) -> Path:
    """What a service mounts, laid out below a folder as in its container; paths in the texts lead there too."""
    for source, target, _ in mounts(SERVICES[service]):
        place = folder / target.lstrip("/")
        if source.startswith("./"):
            place.parent.mkdir(parents=True, exist_ok=True)
            text = (ROOT / source).read_text(encoding="utf-8")
            place.write_text(re.sub(r"(?<=[ =])/(run|var|etc)/", rf"{folder}/\1/", text), encoding="utf-8")
        else:
            place.mkdir(parents=True, exist_ok=True)
    return folder / "etc/fenghuo"


def test_prometheus_takes_its_configuration(prometheus: Prometheus) -> None:
    """promtool, which the image has too."""
    assert "SUCCESS" in said_by(prometheus.promtool, "check", "config", "deploy/prometheus/prometheus.yml")


def test_prometheus_takes_the_configuration_for_a_cluster(prometheus: Prometheus, tmp_path: Path) -> None:
    """As the page for whoever comes from cAdvisor has it; Debian's Prometheus does not know how to ask Kubernetes."""
    page = (ROOT / "docs/container-metrics.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"```yaml\n(scrape_configs:.+?)```", page, re.DOTALL)
    file = tmp_path / "prometheus.yml"
    file.write_text(re.sub(r" +kubernetes_sd_configs: .+\n", "", config), encoding="utf-8")
    assert "SUCCESS" in said_by(prometheus.promtool, "check", "config", file)


def test_prometheus_takes_the_starter_rules(prometheus: Prometheus) -> None:
    """All six, without a duplicate."""
    assert "6 rules found" in said_by(prometheus.promtool, "check", "rules", STARTER)


def test_each_starter_rule_fires_for_what_it_is_for(prometheus: Prometheus) -> None:
    """And stays silent for what is near it; its message says which, how much and what to do."""
    assert "SUCCESS" in said_by(prometheus.promtool, "test", "rules", ROOT / "tests/stack/starter.test.yml")


def test_our_alert_engine_takes_its_configuration(tmp_path: Path) -> None:
    """With the rules that are mounted beside it."""
    config = staged("alerting", tmp_path) / "alerting.yml"

    said_by(sys.executable, "-m", "alerting", "check", f"--config.file={config}")


def test_our_alert_engine_refuses_a_wrong_one(tmp_path: Path) -> None:
    """So that the test above can fail: a rule that is no PromQL."""
    config = staged("alerting", tmp_path) / "alerting.yml"
    rules = config.parent / "rules/starter.yml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("== 0", "== =="), encoding="utf-8")

    said = said_by(sys.executable, "-m", "alerting", "check", f"--config.file={config}", good=False)
    assert "starter.yml" in said


def test_our_log_pipeline_takes_its_configuration(tmp_path: Path) -> None:
    """With the password that the service `secrets` makes."""
    config = staged("logs", tmp_path) / "logs.yml"
    (tmp_path / "run/fenghuo/logs_password").write_text("secret", encoding="utf-8")

    said_by(sys.executable, "-m", "log_pipeline", "check", f"--config.file={config}")


def test_our_log_pipeline_refuses_one_without_its_password(tmp_path: Path) -> None:
    """So that the test above can fail; the missing file is named."""
    config = staged("logs", tmp_path) / "logs.yml"

    said = said_by(sys.executable, "-m", "log_pipeline", "check", f"--config.file={config}", good=False)
    assert str(tmp_path / "run/fenghuo/logs_password") in said


class ComposeKafka(Kafka):
    """A broker with the settings of the compose file, at ports and in a folder of this test."""

    def prepare(self) -> None:
        super().prepare()
        environment = SERVICES["kafka"]["environment"]
        self._properties.write_text("\n".join(self._settings(environment)), encoding="utf-8")
        tool = [*self._java, "kafka.tools.StorageTool", "format"]
        run([*tool, "--cluster-id", environment["CLUSTER_ID"], "--config", self._properties])

    def _settings(self, environment: dict[str, object]) -> Iterator[str]:
        """As the image does it: KAFKA_LOG_DIRS is log.dirs."""
        ports = {"9092": self.port, "19092": free_port(), "9093": free_port()}
        for name, value in environment.items():
            if not name.startswith("KAFKA_") or name == "KAFKA_HEAP_OPTS":
                continue
            text = str(value).replace("/var/lib/kafka/data", str(self.folder / "compose"))
            text = re.sub(r"://(?:kafka)?:", f"://{HOST}:", text).replace("@kafka:", f"@{HOST}:")
            text = re.sub(r"(?<=:)(9092|19092|9093)\b", lambda match: str(ports[match[1]]), text)
            yield f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={text}"


def test_kafka_runs_with_its_settings(tmp_path: Path) -> None:
    """One node; Filebeat's topic comes with its first event, with partitions to share out."""
    with ComposeKafka(tmp_path / "kafka") as broker:
        producer = Producer({"bootstrap.servers": broker.address, "acks": "all"})
        producer.produce("filebeat", b"{}", key=b"/var/log/containers/a.log")

        assert producer.flush(30) == 0
        assert len(producer.list_topics("filebeat", timeout=10).topics["filebeat"].partitions) == 6


@pytest.mark.parametrize("name", ["prometheus.yml", "alerting.yml", "logs.yml"])
def test_what_is_checked_here_is_what_is_mounted(name: str) -> None:
    """A configuration that moves would be checked no more."""
    assert any(source.endswith(f"/{name}") for service in SERVICES.values() for source, _, _ in mounts(service))
