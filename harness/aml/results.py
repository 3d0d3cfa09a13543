"""results.json's `aml`: what a monitor finds, by pattern, customer, typology and market. Keys may be added."""

import msgspec

from harness.aml.depth import Depth
from harness.aml.split import Split


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95% interval; null where it could not be measured."""

    value: float | None
    low: float | None
    high: float | None


class RecallRow(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns found by any member (`recall`) and by half of their members (`recall_half`), and launderers found."""

    patterns: int
    found: int
    found_half: int
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    recall_half: float | None
    recall_half_low: float | None
    recall_half_high: float | None
    customers: int
    customers_found: int
    customer_recall: float | None
    customer_recall_low: float | None
    customer_recall_high: float | None


class PatternRecall(msgspec.Struct, frozen=True, kw_only=True):
    """The same overall, by typology and by market."""

    overall: RecallRow
    by_typology: dict[str, RecallRow]
    by_market: dict[str, RecallRow]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The `customers` most suspicious of the whole stream (`share` of all), looked at once."""

    share: float
    customers: int
    ranked: int
    found: int
    precision: Spread
    lift: Spread
    recall: PatternRecall


class WorklistDay(msgspec.Struct, frozen=True, kw_only=True):
    """One event-day's worklist."""

    day: str
    open: int
    suspicious: int
    listed: int
    found: int
    precision: float | None
    at_random: float


class Worklists(msgspec.Struct, frozen=True, kw_only=True):
    """`k` customers a day, those not looked at before."""

    k: int
    listed: int
    found: int
    precision: Spread
    precision_ceiling: float | None
    lift: Spread
    recall: PatternRecall
    days: list[WorklistDay]


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """From a pattern's first transfer to the worklist with its first member, in hours.

    `p50_h` and `p90_h` are over all patterns, one that was not found counting as longer than any: null where the
    quantile falls among those. `while_active`: found before the pattern's last transfer. `within_days` is by days.
    """

    patterns: int
    found: int
    p50_h: float | None
    p90_h: float | None
    found_mean_h: float | None
    while_active: float | None
    within_days: dict[str, float | None]
    by_day: list[float] = []
    """Share of all patterns found within 1, 2, 3, … days, to the day after which nothing more was found."""


class MarketStability(msgspec.Struct, frozen=True, kw_only=True):
    """PSI of one market's scores against that market's reference; `status` as in `drift`."""

    value: float | None
    threshold: float | None
    status: str
    scores: int


class InvestigationResults(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulated investigators did: by rank and by exploration, and how often they were wrong. `sent`: findings
    that went out while the stream lasted; `sent_otherwise`: messages that went out and are none of the findings. Both
    are None without a topic."""

    capacity_per_day: int
    exploration_per_day: int
    findings: int
    suspicious: int
    explored: int
    explored_suspicious: int
    wrong: int
    file: str
    sent: int | None = None
    sent_otherwise: int | None = None


class AmlResults(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about money laundering; figures that a verdict judges are in `quality` as well."""

    customers: int
    suspicious: int
    patterns: int
    members: int
    members_unseen: int
    customers_excluded: int
    patterns_excluded: int
    patterns_only_begun: int
    scores: int
    scores_unknown: int
    worklists: Worklists
    budgets: list[Budget]
    time_to_detect: Detection
    psi_by_market: dict[str, MarketStability]
    psi_max: float | None
    investigations: InvestigationResults | None = None
    cases: int = 0
    split: Split | None = None
    """Of a file: how it was split by time. None of a world."""
    depths: list[Depth] = []
    """Precision and recall over the number of customers looked at, by the ranking of the whole stream."""
