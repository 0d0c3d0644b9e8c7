"""`python -m fenghuo.up` is the command `fenghuo up`."""

from fenghuo.cli import run_command
from fenghuo.up.cli import command

if __name__ == "__main__":
    run_command(command, name="python -m fenghuo.up")
