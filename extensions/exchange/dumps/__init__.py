"""Dumps of the whole catalogue: forms, making, keeping."""
