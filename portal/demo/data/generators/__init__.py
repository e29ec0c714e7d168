"""Invented tables of the sample catalogue, one module for each field of public life.

Every generator takes a seeded `Random` and yields rows {field_name: value} for the items of
its entry in entries.jsonl. Nothing here describes a real person, company or place of business.
"""
