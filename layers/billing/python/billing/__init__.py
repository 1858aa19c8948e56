"""Everything that is ours and shared: rules, ports, use cases, adapters, API plumbing, wiring."""
