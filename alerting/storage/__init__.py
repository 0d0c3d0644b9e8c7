"""Where the engine and the notifiers keep what must survive a `kill -9`."""
