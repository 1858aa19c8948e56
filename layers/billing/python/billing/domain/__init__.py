"""Pure rules of invoicing. Standard library only; no I/O, no clock of its own."""
