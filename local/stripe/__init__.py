"""Stripe as it answers over its API, in a process of the local cloud: a customer, a bank and a dashboard act on it."""
