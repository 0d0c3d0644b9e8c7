"""What others may ask over HTTP; each module adds its routes to the one application."""
