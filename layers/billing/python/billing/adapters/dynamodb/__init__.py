"""The one table: keys, items, transactions. Access patterns are in docs/data-model.md."""
