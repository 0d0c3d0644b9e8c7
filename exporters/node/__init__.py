"""Collectors of the machine: names, labels, types and values are node_exporter's."""
