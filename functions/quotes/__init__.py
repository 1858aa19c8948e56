"""Quotes: drafts, versions, answers, and the invoices they become."""
