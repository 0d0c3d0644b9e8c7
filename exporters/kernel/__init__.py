"""System calls in plain Python, one file each; `exporters.calls` is their only user."""
