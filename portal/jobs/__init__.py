"""Leased jobs in the database, and the worker that runs them."""
