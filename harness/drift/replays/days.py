"""Figures by event-day, for the timelines: what the monitors looked at, drawn against the days of the burn-in."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from harness.drift.recorded import Recorded
from harness.drift.replays.replayed import Days
from harness.drift.settings import Settings
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.reference_bins import ReferenceBins, psi_of

EVENTS_MIN = 50
"""A day with fewer has no figure."""
SCORE = "score"
FEATURES_MAX = 3
WHOLE_FROM_NS = 21 * NS_PER_HOUR
"""The last day is whole when events come after this hour of it."""
Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64] | npt.NDArray[np.float32]


def by_day(stream: Recorded, moved: Sequence[str], settings: Settings) -> Days:
    """Of a whole stream; of `moved` the foremost features are drawn (what is blamed and is none is left out)."""
    batch = stream.batch
    first = int(batch.event_time_ns.min()) // NS_PER_DAY
    day = batch.event_time_ns // NS_PER_DAY - first
    days = int(day.max()) + 1
    burnt_in = settings.burn_in_weeks * 7
    by_model = np.where(batch.is_model, batch.score, np.nan)
    indices = {SCORE: _indices(by_model[batch.is_model], day[batch.is_model], days, burnt_in)}
    given = ~np.isnan(batch.features).all(axis=1)
    drawn = [name for name in moved if name in stream.names.features]
    for name in drawn[:FEATURES_MAX]:
        values = batch.features[given, stream.names.features.index(name)]
        indices[name] = _indices(values, day[given], days, burnt_in)
    if int(batch.event_time_ns.max()) % NS_PER_DAY < WHOLE_FROM_NS:
        # half a day differs from whole ones in its hours alone
        indices = {name: [*values[:-1], None] for name, values in indices.items()}
    events = np.bincount(day, minlength=days)
    return Days(
        first_day=datetime.fromtimestamp(first * NS_PER_DAY / 1e9, UTC).date().isoformat(),
        events=events.tolist(),
        indices=indices,
        alert_rate=_means(batch.is_alert.astype(np.float64), day, days),
        score_mean=_means(by_model, day, days),
        bad_rate=_bad_rate(stream, first, days),
    )


def _indices(values: Values, day: Ints, days: int, burnt_in: int) -> list[float | None]:
    """PSI of each day against all days of the burn-in."""
    reference = values[day < burnt_in]
    if len(reference) < EVENTS_MIN:
        return [None] * days
    bins = ReferenceBins.fit(reference)
    return [
        psi_of(bins, bins.count(part)) if len(part) >= EVENTS_MIN else None
        for part in (values[day == each] for each in range(days))
    ]


def _means(values: Values, day: Ints, days: int) -> list[float | None]:
    known = ~np.isnan(values)
    counts = np.bincount(day[known], minlength=days)
    sums = np.bincount(day[known], weights=values[known], minlength=days)
    return [float(total / n) if n >= EVENTS_MIN else None for total, n in zip(sums, counts, strict=True)]


def _bad_rate(stream: Recorded, first: int, days: int) -> list[float | None]:
    """Bad ones among the labels that arrived on each day."""
    arrivals = stream.arrivals
    if arrivals is None:
        return [None] * days
    at = arrivals.at_ns // NS_PER_DAY - first
    kept = (at >= 0) & (at < days)
    return _means(arrivals.is_bad[kept].astype(np.float64), at[kept], days)
