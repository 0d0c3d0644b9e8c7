"""Every PromQL expression of the boards, by name; one module a subject.

Variables of the boards may stand in them (`$namespace`); nothing here knows Grafana's panels.
"""
