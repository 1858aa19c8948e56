"""Settings, observability and wiring: one small module per capability, so that imports follow the operation."""
