"""The accounts: what was read, what became of it, and that the sums agree."""
