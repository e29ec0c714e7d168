"""Use cases of data quality. Never commit."""
