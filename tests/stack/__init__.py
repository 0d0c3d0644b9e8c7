"""Tests against real servers. They need what `scripts/install-servers.sh` installs; see tests/README.md."""
