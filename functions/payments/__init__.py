"""Payments of customers: recorded, reversed, refunded; nothing is ever deleted."""
