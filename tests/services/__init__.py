"""Real services for the tests: Elasticsearch, S3, PostgreSQL, Redis and Chromium."""
