"""Grafana boards and Kibana views as code: built by functions, linted, rendered to files that are committed.

This package knows queries and layout. It asks no server anything, apart from handing the Kibana objects over.
"""
