"""Judged queries: see README.md."""

from pathlib import Path

CATALOGUE = Path(__file__).parent / "catalogue.csv"
