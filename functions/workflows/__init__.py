"""Tasks that state machines call."""
