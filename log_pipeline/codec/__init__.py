"""Bytes to events and back: Filebeat JSON, container log lines, document ids. Pure; nothing here reads or waits."""
