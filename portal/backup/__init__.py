"""Back-ups: one file with the database, every stored object and what else the portal needs."""
