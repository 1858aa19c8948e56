"""What every operation of the HTTP API shares: requests in, answers and problems out."""
