"""The alert engine: evaluates rules over metrics, routes what fires, and tells the right people, once and for sure."""
