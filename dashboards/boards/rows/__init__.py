"""Rows of panels, one module a subject, that the boards put together."""
