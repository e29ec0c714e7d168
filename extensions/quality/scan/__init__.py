"""The sensitive-data scan of a parsed table: kinds, patterns, the pass over all rows, the masks."""
