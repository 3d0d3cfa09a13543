"""Of patterns and launderers, how many are found: overall, by typology and by market.

A pattern can be found by any of its members, and found well by half of them. A customer is found at an instant; it
stands for a pattern when it had taken part in that pattern by then. Intervals are Wilson's: a pattern is one
observation, as is a customer.
"""

from dataclasses import dataclass

import numpy as np

from harness.aml.results import PatternRecall, RecallRow
from harness.aml.truth import NEVER, Truth
from harness.quality.flags import share
from harness.quality.intervals import wilson
from harness.quality.scored import Bools, Int64s

ALWAYS = NEVER - 1
"""The instant at which those are found who are chosen with the whole stream in view."""


@dataclass(frozen=True, slots=True)
class FoundPatterns:
    """One entry a pattern: when its first member was found (NEVER: none), and whether half of its members were."""

    first_ns: Int64s
    any_member: Bools
    half: Bools


def found_patterns(truth: Truth, found_ns: Int64s) -> FoundPatterns:
    """`found_ns` int64 [customers]: when each customer was found (NEVER: not)."""
    when = found_ns[truth.member_customer]
    counts = (when < NEVER) & (truth.member_begin_ns <= when)
    first = np.full(len(truth.patterns), NEVER)
    np.minimum.at(first, truth.member_pattern[counts], when[counts])
    found = np.bincount(truth.member_pattern[counts], minlength=len(truth.patterns))
    return FoundPatterns(first, first < NEVER, (found > 0) & (2 * found >= truth.patterns.members))


def pattern_recall(truth: Truth, found_ns: Int64s) -> PatternRecall:
    """Recall of patterns and of customers when those are found at those instants (NEVER: not)."""
    found = found_patterns(truth, found_ns)
    patterns, every = truth.patterns, np.ones(len(truth.patterns), bool)
    typologies = sorted({patterns.typology_names[code] for code in patterns.typology})
    markets = [(code, truth.market_names[code]) for code in np.unique(truth.market[truth.is_suspicious]) if code >= 0]
    return PatternRecall(
        overall=_row(truth, found, found_ns, every, truth.is_suspicious),
        by_typology={
            name: _of_typology(truth, found, found_ns, patterns.typology_names.index(name)) for name in typologies
        },
        by_market={
            name: _row(truth, found, found_ns, patterns.market == code, truth.is_suspicious & (truth.market == code))
            for code, name in sorted(markets, key=lambda pair: pair[1])
        },
    )


def _of_typology(truth: Truth, found: FoundPatterns, found_ns: Int64s, code: int) -> RecallRow:
    patterns = truth.patterns.typology == code
    members = np.zeros(len(truth), bool)
    members[truth.member_customer[patterns[truth.member_pattern]]] = True
    return _row(truth, found, found_ns, patterns, members)


def _row(truth: Truth, found: FoundPatterns, found_ns: Int64s, patterns: Bools, customers: Bools) -> RecallRow:
    whole = int(patterns.sum())
    any_member, half = int((found.any_member & patterns).sum()), int((found.half & patterns).sum())
    suspicious, caught = int(customers.sum()), int((customers & (found_ns < NEVER)).sum())
    edges = {
        name: wilson(part, of)
        for name, part, of in (
            ("any", any_member, whole),
            ("half", half, whole),
            ("customers", caught, suspicious),
        )
    }
    return RecallRow(
        patterns=whole,
        found=any_member,
        found_half=half,
        recall=share(any_member, whole),
        recall_low=edges["any"]["low"],
        recall_high=edges["any"]["high"],
        recall_half=share(half, whole),
        recall_half_low=edges["half"]["low"],
        recall_half_high=edges["half"]["high"],
        customers=suspicious,
        customers_found=caught,
        customer_recall=share(caught, suspicious),
        customer_recall_low=edges["customers"]["low"],
        customer_recall_high=edges["customers"]["high"],
    )
