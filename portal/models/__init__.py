"""Typed database models, one noun a file."""
