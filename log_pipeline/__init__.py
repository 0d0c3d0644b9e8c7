"""The log pipeline: Filebeat events in Kafka, or container log files, to searchable documents, each one counted."""
