"""Invoices: drafts, issue, delivery, payments, and the proof of the ledger."""
