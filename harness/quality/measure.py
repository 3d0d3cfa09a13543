"""Everything we say about whether the scorer is right, in one structure: results.json's `quality`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.quality.agreement import reason_agreement
from harness.quality.bootstrap import resampled
from harness.quality.cards import card_precision, lift, mean_ceiling, mean_precision
from harness.quality.curves import area, average_precision, precision_recall, roc_auc, thin
from harness.quality.flags import by_look_alike, by_scenario, share, threshold_measures
from harness.quality.groups import error_rates, group_codes
from harness.quality.intervals import UNKNOWN
from harness.quality.reasons import GivenReasons, gather_reasons
from harness.quality.reliability import reliability
from harness.quality.rule_hits import Basis, rule_rows
from harness.quality.scored import NOT_RANKED, Scored, gather
from streams.decision import PATHS

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Quality:
    """The measures as plain values (keys as in results.json); None where they are undefined (no fraud, no event)."""

    values: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """results.json's `quality`."""
        return dict(self.values)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside events, labels and decisions.

    `explanations`: explanations.parquet, for reasons that followed their decisions. `profiles`: PROFILE_SCHEMA, for
    error rates by segment and region. `causes`: by fraud scenario, the families of evidence it can be seen by.
    `rule_outcomes`: rule code → outcome, so that rules that never fired are listed. `reasons_of`: which decisions carry
    reasons. `seed` is the bootstrap's.
    """

    explanations: pa.Table | None = None
    profiles: pa.Table | None = None
    causes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rule_outcomes: Mapping[str, str] = field(default_factory=dict)
    reasons_of: Basis = "flagged"
    seed: int = 0


def measure_quality(
    decisions: pa.Table,
    events: pa.Table,
    labels: pa.Table,
    k: int,
    *,
    deadline_ms: float | None = None,
    excluded: npt.NDArray[np.bool_] | None = None,
    published: Sequence[Mapping[str, Any]] = (),
    beside: Beside | None = None,
) -> Quality:
    """Measure a run's decisions (decisions.parquet's columns) of the events sent, against the labels.

    `deadline_ms`: response times above it count as not ranked in `precision_at_k_deadline` (None: it is null).
    `excluded`: one entry an event, left out of every measure (see `known_compromised`). `published`: other models'
    figures under the same protocol, passed on. Raises BadInputError when an event has no label.
    """
    beside = beside or Beside()
    everything = gather(decisions, events, labels)
    reasons = gather_reasons(events["event_id"], decisions, beside.explanations)
    return quality_of(
        everything, reasons, k, deadline_ms=deadline_ms, excluded=excluded, published=published, beside=beside
    )


def quality_of(
    everything: Scored,
    reasons: GivenReasons,
    k: int,
    *,
    deadline_ms: float | None,
    excluded: npt.NDArray[np.bool_] | None,
    published: Sequence[Mapping[str, Any]],
    beside: Beside,
) -> Quality:
    """The same of what was brought together before."""
    kept = np.ones(len(everything), bool) if excluded is None else ~excluded
    scored, given = everything.only(kept), reasons.of_events(kept)
    spread = resampled(scored, k, beside.seed)
    days = card_precision(scored, k)
    oracle = card_precision(scored, k, scored.is_fraud.astype(np.float64))
    pr_auc, points = _curve(scored)
    scenarios = by_scenario(scored)
    by_day = {day.day: day.to_dict() for day in days}
    by_day = _with_intervals(by_day, dict(zip(by_day, spread.get("days", []), strict=False)), "precision")
    values: dict[str, Any] = {
        "events": len(scored),
        "frauds": int(scored.is_fraud.sum()),
        "excluded": len(everything) - len(scored),
        "lost": int((~scored.decided).sum()),
        "k": k,
        "precision_at_k": mean_precision(days),
        "precision_at_k_ceiling": mean_ceiling(days),
        "precision_at_k_oracle": mean_precision(oracle),
        **_within_deadline(scored, k, deadline_ms),
        "lift_at_k": lift(days, k),
        **threshold_measures(scored),
        "pr_auc": pr_auc,
        "roc_auc": roc_auc(scored.is_fraud, scored.score),
        "recall_by_scenario": {name: row["recall"] for name, row in scenarios.items()},
        "scenarios": _with_intervals(scenarios, spread.get("scenarios", {}), "recall"),
        "look_alikes": by_look_alike(scored),
        "by_path": {name: _of_path(scored, code, k) for code, name in enumerate(PATHS)},
        "days": list(by_day.values()),
        "precision_recall": points,
        "precision_recall_band": spread.get("curve", []),
        "intervals": spread.get("intervals", {}),
        "bootstrap": spread.get("bootstrap"),
        **_of_reasons_and_groups(scored, given, beside),
        "published": [dict(row) for row in published],
    }
    return Quality(values)


def _curve(scored: Scored) -> tuple[float | None, list[list[float]]]:
    """Average precision, and a few points of the curve; the whole of it is as long as the run."""
    curve = precision_recall(scored.is_fraud, scored.score)
    return area(curve), [] if curve is None else [list(point) for point in thin(curve)]


def _with_intervals(
    rows: Mapping[str, Mapping[str, Any]], intervals: Mapping[str, Mapping[str, float | None]], key: str
) -> dict[str, dict[str, Any]]:
    """Each row with `<key>_low` and `<key>_high` (None where not known)."""
    found = {}
    for name, row in rows.items():
        edges = intervals.get(name, UNKNOWN)
        found[name] = {**row, f"{key}_low": edges["low"], f"{key}_high": edges["high"]}
    return found


def _of_reasons_and_groups(scored: Scored, given: GivenReasons, beside: Beside) -> dict[str, Any]:
    """Reliability, rules, reasons, segments and regions; None where the run has not what they need."""
    by_model = scored.decided & (scored.path == PATHS.index("model"))
    groups: dict[str, Any] = {"by_segment": None, "by_region": None}
    if beside.profiles is not None:
        for column in ("segment", "region"):
            group, names = group_codes(scored, beside.profiles, column)
            groups[f"by_{column}"] = error_rates(scored, group, names) if (group >= 0).any() else None
    return {
        "reliability": reliability(scored.is_fraud[by_model], scored.score[by_model]),
        "rules": rule_rows(scored, given, beside.rule_outcomes, beside.reasons_of),
        "reason_agreement": reason_agreement(scored, given, beside.causes),
        **groups,
    }


def _within_deadline(scored: Scored, k: int, deadline_ms: float | None) -> dict[str, Any]:
    if deadline_ms is None:
        return {"deadline_ms": None, "late_for_deadline": None, "precision_at_k_deadline": None}
    late = scored.decided & (scored.response_ns > deadline_ms * NS_PER_MS)
    in_time = np.where(late, NOT_RANKED, scored.score)
    return {
        "deadline_ms": deadline_ms,
        "late_for_deadline": int(late.sum()),
        "precision_at_k_deadline": mean_precision(card_precision(scored, k, in_time)),
    }


def _of_path(scored: Scored, code: int, k: int) -> dict[str, Any]:
    """The same measures over one path's decisions, and its share of all frauds caught."""
    chosen = scored.path == code
    part = scored.only(chosen)
    frauds = int(scored.is_fraud.sum())
    caught = int((part.is_fraud & part.flagged).sum())
    return {
        "events": len(part),
        "frauds": int(part.is_fraud.sum()),
        **threshold_measures(part),
        "recall_of_all": share(caught, frauds),
        "pr_auc": average_precision(part.is_fraud, part.score),
        "roc_auc": roc_auc(part.is_fraud, part.score),
        "precision_at_k": mean_precision(card_precision(part, k)),
    }
