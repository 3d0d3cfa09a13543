"""Case files: what an investigator gets for an alert. Facts, the drawn subgraph, and a draft of the report to file."""

from harness.aml.case_file.facts import Alerted, CaseFacts, Market, build_cases
from harness.aml.case_file.writing import CASES_FOLDER, write_cases

__all__ = ["CASES_FOLDER", "Alerted", "CaseFacts", "Market", "build_cases", "write_cases"]
