"""Is the scorer right? Ranking, recall and false positives of a run's decisions against the truth."""

from harness.quality.exclusions import known_compromised
from harness.quality.measure import Beside, Quality, measure_quality, quality_of
from harness.quality.rule_hits import rule_outcomes
from harness.quality.stored import gather_stored, stored_reasons

__all__ = [
    "Beside",
    "Quality",
    "gather_stored",
    "known_compromised",
    "measure_quality",
    "quality_of",
    "rule_outcomes",
    "stored_reasons",
]
