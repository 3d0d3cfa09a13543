"""A known drift as its replay leaves it, for tables and pages."""

from typing import Any

from harness.drift.replays.campaign import Trial
from harness.drift.replays.ready import ready
from harness.drift.replays.replayed import BothSides, Days, Latency, Replayed, Side
from streams.labels import NS_PER_DAY

START_NS = 20_460 * NS_PER_DAY
CHOSEN = {each.name: each for each in ready([], {"scorer.engine": "inprocess"}, {})}


def side(precision: float, **changes: Any) -> Side:
    plain = {"events": 1_000, "bad": 10, "k": 10, "precision_at_k": precision, "recall": 0.5, "pr_auc": 0.4}
    return Side(**{**plain, **changes})


def days(first_day: str = "2026-01-07") -> Days:
    level: list[float | None] = [0.01] * 14 + [None] * 7 + [0.4] * 9
    return Days(
        first_day=first_day,
        events=[1_000] * 30,
        indices={"score": level, "amount": level},
        alert_rate=level,
        score_mean=level,
        bad_rate=[None] * 30,
    )


def replayed(**changes: Any) -> Replayed:
    """A drift that was noticed, blamed rightly, and cost precision."""
    alarm = {"kind": "monitor", "monitor": "csi", "name": "amount", "group": "all", "event_time_ns": START_NS}
    plain: dict[str, Any] = {
        "name": "amount-inflation", "about": "Amounts rise.", "domain": "fraud", "seed": 1,
        "kinds": ["amount-inflation"], "is_control": False, "onset": "2026-01-28T00:00:00Z",
        "onset_ns": START_NS + 21 * NS_PER_DAY, "onset_day": 21.0, "detected": True, "alarms_after_control": 0,
        "delay_events": 1_234, "delay_days": 0.75, "detected_by": "csi amount", "false_alarms": 1,
        "events_watched": 20_000, "false_alarms_per_100k": 5.0, "blamed": ["amount", "sum_1d", "sum_7d", "x"],
        "true": ["amount"], "is_blamed_rightly": True, "in_words": "features moved: amount", "drifts": [],
        "quality": {who: BothSides(before=side(0.3), after=side(0.2)) for who in ("decided", "rules", "model")},
        "latency": Latency(of="service", before_p99_ms=2.0, after_p99_ms=2.5, spread_ms=(1.5, 3.0), affected=False),
        "alarms": [alarm | {"why": "amount: CSI 0.4 | week"}], "days": days(),
    }  # fmt: skip
    return Replayed(**{**plain, **changes})


def control(**changes: Any) -> Replayed:
    quiet: dict[str, Any] = {
        "detected": False,
        "delay_events": None,
        "delay_days": None,
        "detected_by": None,
        "blamed": [],
        "true": [],
    }
    named = {"name": "payday", "kinds": ["payday"], "is_control": True, "false_alarms": 0, "is_blamed_rightly": None}
    return replayed(**{**quiet, **named, **changes})


def trial(found: Replayed | None, name: str = "amount-inflation", reason: str = "") -> Trial:
    return Trial(CHOSEN[name], found, None, reason)
