"""`python -m alerting` is `fenghuo alerting`."""

from alerting.cli import command
from fenghuo.cli import run_command

if __name__ == "__main__":
    run_command(command, name="python -m alerting")
