"""One function per operation: load, decide, save, return."""
