"""What a search found, in words and as capacity.json."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.capacity.search import Capacity
from harness.capacity.trial import Limit, Point
from harness.slo_option import LatencyLimit

CAPACITY_FILE, PAGE_FILE = "capacity.json", "capacity.html"


def settled(points: Sequence[Point]) -> list[Point]:
    """By rate, runs of one rate as they were made. Where one run of a rate failed for the harness's sake, its other
    failures say nothing of the scorer either: only further runs of a rate have the floor beside them."""
    cleared = {point.rate_per_s for point in points if point.limited_by == "harness"}
    return [
        replace(point, limited_by="harness") if point.limited_by and point.rate_per_s in cleared else point
        for point in sorted(points, key=lambda point: point.rate_per_s)
    ]


def limited_by(found: Capacity, points: Sequence[Point]) -> Limit | None:
    """What kept the next rate from being held; None when no rate failed."""
    failed = _failed(found, points)
    return failed[-1].limited_by if failed else None


def _failed(found: Capacity, points: Sequence[Point]) -> list[Point]:
    return [point for point in settled(points) if point.rate_per_s == found.not_held_per_s and not point.held]


def sentences(found: Capacity, points: Sequence[Point], limit: LatencyLimit) -> list[str]:
    """The answer, and why it is not higher."""
    words = [_answer(found, limited_by(found, points), limit)]
    if not found.complete:
        words.insert(0, "The search was stopped before its end; so far:")
    failed = _failed(found, points)
    if failed:
        last = failed[-1]
        words.append(f"Not held: {last.rate_per_s:,.0f} events/s: {'; '.join(last.reasons)}.")
    if failed and failed[-1].limited_by == "harness":
        words.append(
            "Load and broker, not the scorer, were the limit there: more load processes (--senders), a larger machine "
            "or a broker on another one (--bootstrap-servers) can show more."
        )
    return words


def _answer(found: Capacity, limit_of: Limit | None, limit: LatencyLimit) -> str:
    if found.rate_per_s is None:
        return f"No rate was held with {limit}."
    least = "at least " if found.not_held_per_s is None or limit_of == "harness" else ""
    runs = f"held in {found.runs_held} of {found.runs} runs"
    more = "; the highest rate allowed" if found.not_held_per_s is None and found.complete else ""
    return f"Capacity: {least}{found.rate_per_s:,.0f} events/s with {limit} ({runs}{more})."


def content(
    found: Capacity, points: Sequence[Point], limit: LatencyLimit, setting: Mapping[str, Any]
) -> dict[str, Any]:
    """capacity.json; `setting` says what was measured, and how."""
    by = limited_by(found, points)
    return {
        "capacity_per_s": found.rate_per_s,
        "at_least": found.rate_per_s is not None and (found.not_held_per_s is None or by == "harness"),
        "complete": found.complete,
        "not_held_per_s": found.not_held_per_s,
        "limited_by": by,
        "runs": found.runs,
        "runs_held": found.runs_held,
        "slo": {"quantile": limit.q, "limit_ms": limit.limit_ms},
        "setting": dict(setting),
        "curve": [point.to_dict() for point in settled(points)],
    }
