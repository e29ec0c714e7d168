"""Source kinds: how foreign catalogues are read. Knows records, never the portal."""
