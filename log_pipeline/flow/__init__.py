"""The way from a source to a sink: batches, retries, commits. Knows ports, not the servers behind them."""
