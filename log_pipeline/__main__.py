"""`python -m log_pipeline` is `fenghuo logs`."""

from fenghuo.cli import run_command
from log_pipeline.cli import command

run_command(command, name="python -m log_pipeline")
