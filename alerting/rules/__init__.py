"""Rules: what they are, how their files are read, how their labels and annotations are filled in."""
