"""The ledger's rows as files: CSV, JSON lines, Parquet, and one page for people."""

from producer.report.writing import RowSource, write_reports

__all__ = ["RowSource", "write_reports"]
