"""Do genuine cards behave like people's cards? Bursts, habits, amounts and rhythm against what studies of them show.

Every limit and its source: docs/world-audit.md.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, norm, skew

from models.separability.checks import Check, Findings, rounded
from models.separability.material import Ints, Truth
from streams.labels import NS_PER_DAY, NS_PER_HOUR

EVENTS_MIN = 20
"""Fewer events of a card than this say nothing about its habits."""
CARDS_MIN = 20
BURSTINESS_MIN, BURSTINESS_MAX, BEYOND_RHYTHM_MIN = 0.05, 0.60, 0.02
REPEAT_MIN, REPEAT_MAX = 0.30, 0.95
ZIPF_MIN, ZIPF_MAX, ZIPF_EVENTS_MIN, ZIPF_RANKS = 0.5, 1.5, 50, 10
HILL_MIN, HILL_MAX, TAIL_SHARE = 1.2, 5.0, 0.01
BODY_DISTANCE_MAX, BODY = 0.08, (0.05, 0.95)
DAILY_MIN, WEEKLY_MIN = 2.0, 1.1
Floats = NDArray[np.float64]


def measure(truth: Truth, seed: int) -> Findings:
    """All checks of genuine events, from the first to the last."""
    genuine = np.flatnonzero(~truth.fraud)
    cards = _by_card(truth.codes("card_id")[genuine], truth.time_ns[genuine])
    time_ns = truth.time_ns[genuine]
    amount = truth.events["amount_minor"].to_numpy()[genuine]
    checks = (
        *_burst_checks(cards, time_ns, np.random.default_rng([seed, 3])),
        *_place_checks(truth, genuine, cards),
        *_amount_checks(amount[amount > 0].astype(np.float64)),
        *_rhythm_checks(time_ns),
    )
    return Findings(checks, {})


class Cards:
    """Events sorted by card, then time: `order` int64 [n] row numbers, `start` and `count` int64 [cards]."""

    def __init__(self, order: Ints, start: Ints) -> None:
        self.order, self.start = order, start
        self.count: Ints = np.diff(np.append(start, len(order)))
        self.of_row: Ints = np.repeat(np.arange(len(start)), self.count)


def _by_card(card: Ints, time_ns: Ints) -> Cards:
    order = np.lexsort((time_ns, card))
    first = np.flatnonzero(np.diff(card[order], prepend=card[order][:1] - 1))
    return Cards(order, first)


def burstiness(gaps: Floats, card: Ints, cards: int) -> Floats:
    """Burstiness of each card's gaps between events: float64 [cards], −1 regular, 0 as by chance, 1 all in bursts.

    (√(n+1)·r − √(n−1)) / ((√(n+1) − 2)·r + √(n−1)) for n gaps whose standard deviation over mean is r: Kim & Jo 2016
    (Phys. Rev. E 94, 032311); Goh & Barabási's (r − 1)/(r + 1) freed of its dependence on n. NaN for
    fewer than two gaps.
    """
    n = np.bincount(card, minlength=cards).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(card, weights=gaps, minlength=cards) / n
        square = np.bincount(card, weights=(gaps - mean[card]) ** 2, minlength=cards) / n
        r = np.sqrt(square) / mean
        up, down = np.sqrt(n + 1), np.sqrt(n - 1)
        found: Floats = (up * r - down) / ((up - 2) * r + down)
    return np.where(n >= 2, found, np.nan)


def _gaps(cards: Cards, time_ns: Ints) -> tuple[Floats, Ints]:
    inner = np.diff(cards.of_row) == 0
    gaps = np.diff(time_ns[cards.order]).astype(np.float64)
    return gaps[inner], cards.of_row[1:][inner]


def _burst_checks(cards: Cards, time_ns: Ints, rng: np.random.Generator) -> tuple[Check, ...]:
    names = ("burstiness of a card's events, median", "burstiness beyond the daily rhythm, median")
    enough = cards.count >= EVENTS_MIN
    if enough.sum() < CARDS_MIN:
        return tuple(Check("behaviour", name, None, detail="too few cards with enough events") for name in names)
    found = burstiness(*_gaps(cards, time_ns), len(cards.count))
    rhythm = burstiness(*_gaps(*_redrawn(cards, time_ns, rng)), len(cards.count))
    middle, beyond = float(np.median(found[enough])), float(np.median((found - rhythm)[enough]))
    return (
        Check("behaviour", names[0], middle, BURSTINESS_MIN, BURSTINESS_MAX,
              f"{int(enough.sum())} cards with {EVENTS_MIN} events or more; chance gives 0"),
        Check("behaviour", names[1], beyond, low=BEYOND_RHYTHM_MIN,
              detail="against the same events on other days at the same hours"),
    )  # fmt: skip


def _redrawn(cards: Cards, time_ns: Ints, rng: np.random.Generator) -> tuple[Cards, Ints]:
    """Each event at its time of day, but on a day drawn from its card's own span: rhythm without bursts."""
    ordered = time_ns[cards.order]
    day = ordered // NS_PER_DAY
    low, high = day[cards.start], day[np.append(cards.start[1:], len(day)) - 1]
    drawn = rng.integers(low[cards.of_row], high[cards.of_row] + 1)
    moved = drawn * NS_PER_DAY + ordered % NS_PER_DAY
    return _by_card(cards.of_row, moved), moved


def _place_checks(truth: Truth, genuine: Ints, cards: Cards) -> tuple[Check, ...]:
    names = ("purchases where the card has been before, share", "Zipf exponent of a card's visits")
    place = next((name for name in ("merchant_id", "terminal_id") if truth.has(name)), None)
    if place is None:
        return tuple(Check("behaviour", name, None, detail="no merchant_id and no terminal_id") for name in names)
    code = truth.codes(place)[genuine][cards.order]
    position = np.arange(len(code)) - cards.start[cards.of_row]
    late = (position >= cards.count[cards.of_row] // 2) & (cards.count[cards.of_row] >= EVENTS_MIN) & (code >= 0)
    repeat = _seen_before(cards.of_row, code)
    shown = "merchants" if place == "merchant_id" else "terminals"
    return (
        Check("behaviour", names[0], float(repeat[late].mean()) if late.any() else None, REPEAT_MIN, REPEAT_MAX,
              f"second half of each card's events, by {shown}"),
        Check("behaviour", names[1], zipf_exponent(cards, code), ZIPF_MIN, ZIPF_MAX,
              f"visits to the {ZIPF_RANKS} first {shown} of cards with {ZIPF_EVENTS_MIN} events or more"),
    )  # fmt: skip


def _seen_before(card: Ints, place: Ints) -> NDArray[np.bool_]:
    key = card * (int(place.max(initial=0)) + 2) + place + 1
    _, first = np.unique(key, return_index=True)
    seen = np.ones(len(key), np.bool_)
    seen[first] = False
    return seen


def zipf_exponent(cards: Cards, place: Ints) -> float | None:
    """Exponent α of visits ∝ rank^−α over the ranks 1 to `ZIPF_RANKS` of each card's places, all cards together.

    `place` is in the cards' order, -1 where it is not known. None when too few cards have enough visits.
    """
    known = (place >= 0) & (cards.count[cards.of_row] >= ZIPF_EVENTS_MIN)
    owners = np.unique(cards.of_row[known])
    if len(owners) < CARDS_MIN:
        return None
    pairs, visits = np.unique(np.stack([cards.of_row[known], place[known]]), axis=1, return_counts=True)
    order = np.lexsort((-visits, pairs[0]))
    card, visits = pairs[0][order], visits[order]
    start = np.flatnonzero(np.diff(card, prepend=-1))
    rank = np.arange(len(card)) - np.repeat(start, np.diff(np.append(start, len(card)))) + 1
    total = np.bincount(rank, weights=visits)[1 : ZIPF_RANKS + 1]
    if len(total) < ZIPF_RANKS:
        return None
    return float(-np.polyfit(np.log(np.arange(1, ZIPF_RANKS + 1)), np.log(total), 1)[0])


def hill(values: Floats, share: float = TAIL_SHARE) -> float | None:
    """Tail index of the largest `share` of values (Hill 1975, Annals of Statistics 3): the α of P(X > x) ∝ x^−α."""
    k = int(len(values) * share)
    if k < EVENTS_MIN:
        return None
    top = np.sort(values)[-(k + 1) :]
    spread = float(np.mean(np.log(top[1:] / top[0])))
    return 1.0 / spread if spread > 0 else None


def _amount_checks(amount: Floats) -> tuple[Check, ...]:
    if len(amount) < 100:
        return (Check("behaviour", "tail index of amounts (Hill)", None, detail="too few amounts"),)
    log = np.log(amount)
    standard = np.sort((log - log.mean()) / max(float(log.std()), 1e-12))
    place = (np.arange(len(standard)) + 0.5) / len(standard)
    body = (place >= BODY[0]) & (place <= BODY[1])
    distance = float(np.abs(norm.cdf(standard[body]) - place[body]).max())
    digits = (amount / 10 ** np.floor(np.log10(amount))).astype(np.int64)
    benford = np.log10(1 + 1 / np.arange(1, 10))
    found = np.bincount(digits.clip(1, 9), minlength=10)[1:] / len(digits)
    return (
        Check("behaviour", "tail index of amounts (Hill)", hill(amount), HILL_MIN, HILL_MAX,
              f"largest {TAIL_SHARE:.0%} of {len(amount)} genuine amounts"),
        Check("behaviour", "distance of the body of amounts from a log-normal", distance, high=BODY_DISTANCE_MAX,
              detail=f"largest difference of distributions from the {BODY[0]:.0%} to the {BODY[1]:.0%} point; skewness "
              f"of the logarithm {skew(log):+.2f}, excess kurtosis {kurtosis(log):+.2f}"),
        Check("behaviour", "first digits of amounts, mean deviation from Benford's law",
              float(np.abs(found - benford).mean()), detail="prices need not follow it"),
    )  # fmt: skip


def _rhythm_checks(time_ns: Ints) -> tuple[Check, ...]:
    hours = np.bincount(time_ns % NS_PER_DAY // NS_PER_HOUR, minlength=24).astype(np.float64)
    day = time_ns // NS_PER_DAY
    whole = (day > day.min()) & (day < day.max())
    weeks = int(day.max() - day.min() - 1) // 7
    if weeks < 2:
        weekly = Check("behaviour", "busiest over quietest day of the week", None, detail="less than two whole weeks")
    else:
        kept = whole & (day <= day.min() + 7 * weeks)
        per_day = np.bincount((day[kept] + 3) % 7, minlength=7).astype(np.float64)
        weekly = Check("behaviour", "busiest over quietest day of the week",
                       rounded(per_day.max() / max(per_day.min(), 1.0)), low=WEEKLY_MIN,
                       detail=f"{weeks} whole weeks")  # fmt: skip
    daily = Check("behaviour", "busiest over quietest hour of the day", hours.max() / max(hours.min(), 1.0),
                  low=DAILY_MIN, detail="hours in UTC")  # fmt: skip
    return daily, weekly
