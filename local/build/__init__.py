"""What `make build` adds to `sam build`, and the check of its artefacts."""
