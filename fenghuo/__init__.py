"""The shared kit of fenghuo and its one command.

The kit knows no product: `exporters`, `alerting`, `log_pipeline` and `dashboards` import it, never the
other way round. A thing enters the kit when a second product needs it, not before.
"""

__version__ = "0.1.0"
