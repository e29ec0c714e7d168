"""`/data/v1`: the interfaces that grants open."""
