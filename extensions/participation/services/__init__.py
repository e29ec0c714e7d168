"""Use cases of participation, the only writers."""
