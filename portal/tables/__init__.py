"""Tabular data: parse, type, query, export."""
