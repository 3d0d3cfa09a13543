"""Is the scorer right? Ranking, recall and false positives of a run's decisions against the truth."""

from harness.quality.exclusions import known_compromised
from harness.quality.measure import Beside, Quality, measure_quality
from harness.quality.rule_hits import rule_outcomes

__all__ = ["Beside", "Quality", "known_compromised", "measure_quality", "rule_outcomes"]
