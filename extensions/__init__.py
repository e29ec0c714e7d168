"""Features that plug in, one folder each."""
