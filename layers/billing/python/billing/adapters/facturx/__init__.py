"""Factur-X: the document as EN 16931 CII XML, and what a PDF says of the XML inside it."""
