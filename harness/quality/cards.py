"""Card precision@K per event-day: of the K most suspicious cards of a day, the share that is compromised.

As the Fraud Detection Handbook defines it (Le Borgne, Siblini, Lebichot & Bontempi, ULB, chapter 4, "Precision top-k
metrics"): a card's suspicion is its highest score of the day; a compromised card found on one day is left out on the
days after (it has been blocked); the figure is the mean over the days.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.quality.scored import Bools, Codes, Ints, Scored, Scores

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class CardDay:
    """One event-day. `ceiling` is the best any ranking could reach that day: min(compromised, K) / K, of the cards not
    found before; `found` are compromised cards among the K most suspicious."""

    day: str
    cards: int
    compromised: int
    found: int
    precision: float
    ceiling: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CardDays:
    """One entry a card and day: that card's highest score, and whether it was compromised that day."""

    day: Ints
    card: Codes
    score: Scores
    compromised: Bools


def card_precision(scored: Scored, k: int, score: Scores | None = None) -> list[CardDay]:
    """Per event-day (UTC calendar day), in order. `score` stands in for the events' own (entries < 0: not ranked).

    Cards of equal suspicion at the K-th place are taken in the order of a hash of their ids, which knows nothing of
    labels and does not depend on the order of events.
    """
    grouped = card_days(scored, scored.score if score is None else score)
    known = np.zeros(len(scored.card_names), dtype=bool)
    days: list[CardDay] = []
    calendar, starts = np.unique(grouped.day, return_index=True)
    ends = np.append(starts, len(grouped.day))[1:]
    for day, start, end in zip(calendar, starts, ends, strict=True):
        here = start + np.flatnonzero(~known[grouped.card[start:end]])
        compromised = int(grouped.compromised[here].sum())
        top = here[_top_k(grouped.score[here], grouped.card[here], scored.card_names, k)]
        found = grouped.card[top[grouped.compromised[top]]]
        known[found] = True
        date = (_EPOCH + dt.timedelta(days=int(day))).isoformat()
        days.append(CardDay(date, len(here), compromised, len(found), len(found) / k, min(compromised, k) / k))
    return days


def card_days(scored: Scored, score: Scores) -> CardDays:
    """One entry a card and day, by day; `score` float64 [n] is what cards are ranked by."""
    order = np.lexsort((scored.card, scored.day))
    day, card = scored.day[order], scored.card[order]
    first = np.flatnonzero(np.diff(day, prepend=-1) | (np.diff(card, prepend=-1) != 0))
    if len(order) == 0:
        return CardDays(day, card, score, scored.is_fraud)
    highest = np.maximum.reduceat(score[order], first)
    compromised = np.logical_or.reduceat(scored.is_fraud[order], first)
    return CardDays(day[first], card[first], highest, compromised)


def _top_k(score: Scores, card: Codes, names: Sequence[str], k: int) -> npt.NDArray[np.intp]:
    """Indices of the K highest scores among the ranked (score ≥ 0)."""
    ranked = np.flatnonzero(score >= 0)
    if len(ranked) <= k:
        return ranked
    limit = np.partition(score[ranked], len(ranked) - k)[len(ranked) - k]
    above = ranked[score[ranked] > limit]
    tied = ranked[score[ranked] == limit]
    places = k - len(above)
    if len(tied) > places:
        tied = tied[np.argsort(tie_order([names[card[index]] for index in tied]))]
    return np.concatenate([above, tied[:places]])


def tie_order(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A number a card by which equal suspicion is put in order: a hash of its id."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.fromiter((int.from_bytes(digest, "big") for digest in digests), np.uint64, len(names))


def mean_precision(days: Sequence[CardDay]) -> float | None:
    """Card precision@K: the mean over the days."""
    return float(np.mean([day.precision for day in days])) if days else None


def mean_ceiling(days: Sequence[CardDay]) -> float | None:
    """The mean of the days' ceilings."""
    return float(np.mean([day.ceiling for day in days])) if days else None


def lift(days: Sequence[CardDay], k: int) -> float | None:
    """Card precision@K over what K cards drawn at random would hold (the mean daily share of compromised cards)."""
    shares = [day.compromised / day.cards * min(day.cards, k) / k for day in days if day.cards]
    base = float(np.mean(shares)) if shares else 0.0
    precision = mean_precision(days)
    return None if precision is None or base == 0 else precision / base
