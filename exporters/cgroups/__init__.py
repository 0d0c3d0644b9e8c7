"""Metrics of cgroups, v1, v2 and hybrid: names, labels and types are cAdvisor's."""
