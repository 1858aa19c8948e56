"""Writes supervision.yaml from the thresholds in ``billing/domain/indicators.py``."""
