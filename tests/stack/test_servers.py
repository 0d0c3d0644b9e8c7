"""The contract of the server handles, on which every other stack test stands.

Each server keeps what it was given over a crash and an orderly stop, comes back at the same address, and
leaves no process behind.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from fenghuo.errors import RemoteAnswer
from tests.stack.servers.alertmanager import Alertmanager
from tests.stack.servers.base import Server, group_members
from tests.stack.servers.elasticsearch import Elasticsearch
from tests.stack.servers.kafka import Kafka
from tests.stack.servers.postgresql import Postgresql
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.victoriametrics import VictoriaMetrics
from tests.stack.servers.waiting import wait_until

ROOT = Path(__file__).parents[2]


def comes_back(server: Server, end: Callable[[], None], holds: Callable[[], bool]) -> None:
    """Ended in the given way it leaves no process; started again it has its address and its data."""
    address, group = server.address, server.pid
    end()
    assert not server.is_running
    assert group_members(group) == []
    server.start()
    assert server.address == address
    assert holds()


def test_kafka_keeps_messages(kafka: Kafka) -> None:
    """A message that was acknowledged is read after a crash and after a stop."""
    kafka.create_topic("servers-contract")
    producer = Producer({"bootstrap.servers": kafka.address, "acks": "all"})
    producer.produce("servers-contract", b"kept")
    assert producer.flush(10) == 0

    def holds() -> bool:
        consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "servers-contract"})
        consumer.assign([TopicPartition("servers-contract", 0, 0)])
        message = consumer.poll(10)
        consumer.close()
        return message is not None and message.value() == b"kept"

    comes_back(kafka, kafka.kill, holds)
    comes_back(kafka, kafka.stop, holds)
    kafka.delete_topic("servers-contract")


def test_elasticsearch_keeps_documents(elasticsearch: Elasticsearch) -> None:
    """A document that was indexed into a data stream is found after a crash and after a stop."""
    template = {"index_patterns": ["servers-contract"], "data_stream": {}, "priority": 500}
    elasticsearch.call("PUT", "/_index_template/servers-contract", template)
    elasticsearch.call("PUT", "/_data_stream/servers-contract")
    elasticsearch.call("POST", "/servers-contract/_create/1", {"@timestamp": "2026-11-21T00:00:00Z", "is": "kept"})

    def holds() -> bool:
        found = elasticsearch.call("GET", "/servers-contract/_search?q=is:kept")["hits"]["total"]["value"]
        return bool(found == 1)

    comes_back(elasticsearch, elasticsearch.kill, holds)
    comes_back(elasticsearch, elasticsearch.stop, holds)


def test_elasticsearch_lists_and_deletes_data_streams(elasticsearch: Elasticsearch) -> None:
    """The part of the data stream API that our launcher adds answers as the original does."""
    template = {"index_patterns": ["servers-streams-*"], "data_stream": {}, "priority": 501}
    elasticsearch.call("PUT", "/_index_template/servers-streams", template)
    elasticsearch.call("PUT", "/_data_stream/servers-streams-a")
    streams = elasticsearch.call("GET", "/_data_stream/servers-streams-*")["data_streams"]
    assert [(stream["name"], stream["template"], len(stream["indices"])) for stream in streams] == [
        ("servers-streams-a", "servers-streams", 1)
    ]
    assert elasticsearch.call("DELETE", "/_data_stream/servers-streams-*") == {"acknowledged": True}
    assert elasticsearch.call("GET", "/_data_stream/servers-streams-*")["data_streams"] == []
    with pytest.raises(RemoteAnswer, match="404"):
        elasticsearch.call("DELETE", "/_data_stream/servers-streams-a")


def test_postgresql_keeps_rows(postgresql: Postgresql) -> None:
    """A committed row is there after a crash and after a stop, even while a client is connected."""
    dsn = postgresql.create_database("servers_contract")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'kept' AS word")

    def holds() -> bool:
        with psycopg.connect(dsn) as connection:
            return connection.execute("SELECT word FROM kept").fetchall() == [("kept",)]

    comes_back(postgresql, postgresql.kill, holds)
    idle = psycopg.connect(dsn)
    comes_back(postgresql, postgresql.stop, holds)
    idle.close()


def test_prometheus_keeps_samples(prometheus: Prometheus) -> None:
    """It takes on a configuration while it runs; its samples are there after a crash and after a stop."""
    scrape = f"{{job_name: itself, static_configs: [{{targets: ['{prometheus.address}']}}]}}"
    prometheus.start(f"{{global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}, scrape_configs: [{scrape}]}}")
    wait_until(lambda: prometheus.query('up{job="itself"} == 1'), "a scrape")

    def holds() -> bool:
        return bool(prometheus.query('count_over_time(up{job="itself"}[1h])'))

    prometheus.write_config(prometheus.default_config)  # from here on nothing new is scraped
    comes_back(prometheus, prometheus.kill, holds)
    comes_back(prometheus, prometheus.stop, holds)


def test_prometheus_refuses_a_bad_configuration(prometheus: Prometheus) -> None:
    """A configuration that it can't read is an error of the test that wrote it, and the old one stays."""
    with pytest.raises(RemoteAnswer, match="failed to reload config"):
        prometheus.write_config("global: {scrape_intervall: 1s}")
    prometheus.write_config(prometheus.default_config)


def test_alertmanager_keeps_silences(alertmanager: Alertmanager) -> None:
    """A silence is there after an orderly stop; after a crash it starts again."""
    matcher = {"name": "alertname", "value": "kept", "isRegex": False}
    times = {"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z"}
    silence = {"matchers": [matcher], "createdBy": "contract", "comment": "kept", **times}
    alertmanager.call("POST", "/api/v2/silences", silence)

    def holds() -> bool:
        return [found["comment"] for found in alertmanager.call("GET", "/api/v2/silences")] == ["kept"]

    comes_back(alertmanager, alertmanager.stop, holds)
    comes_back(alertmanager, alertmanager.kill, holds)


def test_amtool_judges_a_configuration(alertmanager: Alertmanager) -> None:
    """The checker beside it passes what the server runs on."""
    checked = subprocess.run([alertmanager.amtool, "check-config", alertmanager.config_file], check=False)
    assert checked.returncode == 0


def test_victoriametrics_keeps_samples(victoriametrics: VictoriaMetrics) -> None:
    """A sample that was persisted is found after a crash and after a stop."""
    victoriametrics.call("POST", "/api/v1/import/prometheus", 'servers_contract{is="kept"} 42')

    def holds() -> bool:
        found = victoriametrics.query("last_over_time(servers_contract[1h])")
        return [sample["value"][1] for sample in found] == ["42"]

    wait_until(holds, "the sample")
    victoriametrics.persist()
    comes_back(victoriametrics, victoriametrics.kill, holds)
    comes_back(victoriametrics, victoriametrics.stop, holds)


@pytest.fixture
def kept_up() -> subprocess.Popen[str]:
    """The command that keeps servers up for a developer, with a Prometheus and nothing else."""
    command = [sys.executable, "-m", "tests.stack.servers", "prometheus"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_table(command: subprocess.Popen[str]) -> tuple[int, Path]:
    """The process id and the folder that the table names."""
    assert command.stdout is not None
    server, folder, _ = (command.stdout.readline() for _ in range(3))
    return int(server.split()[-1]), Path(folder.split()[-1])


def test_the_command_stops_all_on_ctrl_c(kept_up: subprocess.Popen[str]) -> None:
    """Ctrl-C ends the servers and removes their folder."""
    with kept_up:
        pid, folder = read_table(kept_up)
        assert group_members(pid) == [pid]
        kept_up.send_signal(signal.SIGINT)
        assert kept_up.wait(10) == 0
    assert group_members(pid) == []
    assert not folder.exists()


def test_no_server_outlives_the_command(kept_up: subprocess.Popen[str]) -> None:
    """Even when the command is killed and can't tidy up."""
    with kept_up:
        pid, folder = read_table(kept_up)
        os.kill(kept_up.pid, signal.SIGKILL)
    wait_until(lambda: not group_members(pid), "the end of the orphaned server", within=5.0)
    shutil.rmtree(folder)  # which nobody was left to do
