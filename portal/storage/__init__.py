"""Content-addressed files, on a folder or in S3."""
