"""Engines that print the same invoice, each in a process of its own that prints on demand."""
