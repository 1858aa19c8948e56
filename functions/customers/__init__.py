"""Customers, businesses and individuals."""
