"""Judging: rules are evaluated on time, their alerts live through the state table, every step is stored."""
