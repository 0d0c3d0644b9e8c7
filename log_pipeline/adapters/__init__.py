"""The outside world: each module implements ports for one kind of source, sink or store, and translates its errors."""
