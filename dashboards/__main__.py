"""`python -m dashboards` is `fenghuo dashboards`."""

from dashboards.cli import command
from fenghuo.cli import run_command

run_command(command, name="python -m dashboards")
