"""Models of data quality, one noun a file."""

from extensions.quality.models.issue import QualityIssue
from extensions.quality.models.report import QualityReport
from extensions.quality.models.scan import TableScan

__all__ = ["QualityIssue", "QualityReport", "TableScan"]
