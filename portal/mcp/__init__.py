"""The Model Context Protocol: the catalogue as tools for language models, read-only."""
