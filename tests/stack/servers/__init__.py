"""Real servers on loopback for tests, benchmarks and developers: one module a server, one handle a process.

    with Kafka(folder) as kafka:
        kafka.create_topic("filebeat", partitions=4)
        ...

Nothing here mentions pytest; the fixtures are in `tests/stack/conftest.py`.
"""
