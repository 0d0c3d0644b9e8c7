"""The boards: one module each, all alike in their parts, none knowing another."""
