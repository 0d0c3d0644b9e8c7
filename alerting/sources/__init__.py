"""Where conditions are looked up; each implements `engine.ports.Source`."""
