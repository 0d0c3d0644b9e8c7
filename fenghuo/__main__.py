"""`python -m fenghuo` is the command `fenghuo`."""

from fenghuo.cli import main

main()
