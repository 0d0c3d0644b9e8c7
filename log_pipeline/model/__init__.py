"""What the log pipeline talks about: positions, events and their outcomes. Values only; nothing here acts."""
