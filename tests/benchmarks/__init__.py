"""Benchmarks: `make bench`. Every figure stands beside something real measured in the same run."""
