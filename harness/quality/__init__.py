"""Is the scorer right? Ranking, recall and false positives of a run's decisions against the truth."""

from harness.quality.exclusions import known_compromised
from harness.quality.measure import Quality, measure_quality

__all__ = ["Quality", "known_compromised", "measure_quality"]
