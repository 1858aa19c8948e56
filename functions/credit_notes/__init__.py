"""Credit notes: issued from invoices, delivered as they are."""
