"""Worklists: per event-day, the K most suspicious customers whom nobody has looked at yet.

K is the investigators' capacity a day. A customer is ranked by its scores so far and leaves the ranking once it was
on a worklist, whatever was found. It counts as found when it had taken part in laundering by then: an alert before is
false, and whoever was cleared before laundering began is not found in this stream.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harness.aml.ranking import CustomerScores, Places, Ranking, day_end_ns, days_of
from harness.aml.truth import NEVER, Truth
from harness.quality.flags import share
from harness.quality.scored import Bools, Int64s

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Worklist:
    """One event-day. `open` customers could be looked at, `suspicious` of them had taken part in laundering by its end;
    `listed` were put on the list, `found` of them suspicious. `at_random`: how many would be found among as many drawn
    at random from the open ones."""

    day: str
    open: int
    suspicious: int
    listed: int
    found: int
    precision: float | None
    at_random: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Worked:
    """All worklists of a stream, and when each customer was listed, int64 [customers] (NEVER: not), and found."""

    lists: list[Worklist]
    listed_ns: Int64s
    found_ns: Int64s

    @property
    def precision(self) -> float | None:
        """Of all customers put on worklists, the share that was suspicious."""
        return share(sum(day.found for day in self.lists), sum(day.listed for day in self.lists))

    @property
    def lift(self) -> float | None:
        """Found, over how many would be found by drawing as many at random each day."""
        at_random = sum(day.at_random for day in self.lists)
        return share(sum(day.found for day in self.lists), at_random) if at_random > 0 else None


def work(scores: CustomerScores, truth: Truth, k: int) -> Worked:
    """Make the worklists of every event-day of the stream."""
    ranking = Ranking(scores, truth)
    listed_ns = np.full(len(truth), NEVER)
    found_ns = np.full(len(truth), NEVER)
    lists = []
    for day in days_of(truth):
        ranking.advance(day)
        now = day_end_ns(day)
        suspicious = truth.suspicious_by(now) & ranking.is_open
        chosen = ranking.order()[:k]
        hits = chosen[suspicious[chosen]]
        lists.append(_worklist(day, ranking.is_open, suspicious, chosen, len(hits)))
        listed_ns[chosen], found_ns[hits] = now, now
        ranking.remove(chosen)
    return Worked(lists, listed_ns, found_ns)


def ceiling(worked: Worked, truth: Truth) -> float | None:
    """The precision of a ranking that knows who has begun, with as many places a day: no ranking can do better."""
    found = 0
    for day, made in zip(days_of(truth), worked.lists, strict=True):
        begun = int(truth.suspicious_by(day_end_ns(day)).sum())
        found += min(begun - found, made.listed)
    return share(found, sum(made.listed for made in worked.lists))


def _worklist(day: int, is_open: Bools, suspicious: Bools, chosen: Places, found: int) -> Worklist:
    there, wanted, listed = int(is_open.sum()), int(suspicious.sum()), len(chosen)
    return Worklist(
        day=(_EPOCH + dt.timedelta(days=day)).isoformat(),
        open=there,
        suspicious=wanted,
        listed=listed,
        found=found,
        precision=share(found, listed),
        at_random=listed * wanted / there if there else 0.0,
    )
