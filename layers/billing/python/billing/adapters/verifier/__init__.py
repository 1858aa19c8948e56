"""What a customer runs on an export, far from here."""
