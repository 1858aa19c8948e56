"""What the web app tells of how it is used."""
