"""Bulk jobs: one operation over many chosen documents."""
