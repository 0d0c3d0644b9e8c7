"""Where messages go: one file a kind of receiver, and the catalog that lists them."""
