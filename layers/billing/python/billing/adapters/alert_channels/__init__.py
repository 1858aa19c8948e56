"""The channels that tell people of alerts. Each reads whom it tells when it does: a change needs no deployment."""
