"""The words that judging and telling share: labels, matchers, alerts and the sink between the two halves.

Nothing here reads a clock, a file or a network, and nothing here imports the rest of the product.
"""
