"""TLS and authentication: what `--web.config.file` says, in the form of the Prometheus exporters' toolkit.

Only this package knows `ssl`, `bcrypt` and YAML, and it is imported only where that flag is given: an exporter that
listens on loopback pays for none of them.
"""
