"""Writes the supervision of the template from the thresholds in ``billing/domain/indicators.py``."""
