"""The report of a run: one HTML file that opens offline."""

from harness.report.html import write_report

__all__ = ["write_report"]
