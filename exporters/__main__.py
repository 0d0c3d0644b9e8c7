"""`python -m exporters` is `fenghuo exporter`."""

from exporters.cli import command
from fenghuo.cli import run_command

run_command(command, name="python -m exporters")
