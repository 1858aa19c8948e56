"""The catalogue of goods and services."""
