"""Each concrete dependency behind its port. Adapters never import one another."""
