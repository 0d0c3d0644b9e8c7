"""What the log pipeline answers over HTTP besides metrics and health."""
