"""What a public link opens, to whoever holds it."""
