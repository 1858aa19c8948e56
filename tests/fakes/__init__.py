"""In-memory implementations of every port. The real adapters pass the same contracts (tests/contracts)."""
