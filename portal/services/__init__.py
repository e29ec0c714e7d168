"""Use cases: the only writers. They never commit."""
