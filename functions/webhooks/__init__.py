"""What third parties tell us."""
