"""The change feed: what happened in a company, in order."""
