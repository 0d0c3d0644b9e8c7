"""Kibana saved objects as code (NDJSON), and the one call that hands them over."""
