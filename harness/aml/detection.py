"""How long a pattern went unnoticed: from its first transfer to the worklist that held its first member."""

import numpy as np

from harness.aml.recall import FoundPatterns
from harness.aml.results import Detection
from harness.aml.truth import Truth
from harness.quality.flags import share
from harness.quality.scored import Scores
from streams.labels import NS_PER_DAY, NS_PER_HOUR

DAYS = (1, 3, 7, 14, 30)


def time_to_detect(truth: Truth, found: FoundPatterns) -> Detection:
    """Over all patterns, so that those never found count: as longer than any time there is."""
    patterns = truth.patterns
    waited = np.where(found.any_member, (found.first_ns - patterns.first_ns) / NS_PER_HOUR, np.inf)
    known = waited[found.any_member]
    active = found.any_member & (found.first_ns <= patterns.last_ns)
    day_h = NS_PER_DAY / NS_PER_HOUR
    return Detection(
        patterns=len(patterns),
        found=int(found.any_member.sum()),
        p50_h=_quantile(waited, 0.5),
        p90_h=_quantile(waited, 0.9),
        found_mean_h=float(known.mean()) if len(known) else None,
        while_active=share(int(active.sum()), len(patterns)),
        within_days={str(days): share(int((waited <= days * day_h).sum()), len(patterns)) for days in DAYS},
        by_day=_by_day(waited / day_h),
    )


def _by_day(waited_days: Scores) -> list[float]:
    """Share found within 1, 2, … days, as far as anything is found."""
    known = waited_days[np.isfinite(waited_days)]
    last = max(1, int(np.ceil(known.max()))) if len(known) else 0
    return [float((waited_days <= day).mean()) for day in range(1, last + 1)]


def _quantile(waited: Scores, q: float) -> float | None:
    """The smallest waiting time that at least a share `q` does not exceed; None where that one never ended."""
    if len(waited) == 0:
        return None
    found = float(np.quantile(waited, q, method="inverted_cdf"))
    return found if np.isfinite(found) else None
