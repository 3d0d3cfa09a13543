"""Do frauds come as frauds come: in campaigns, amid the card's own spending, at merchants that others use too?"""

import numpy as np

from models.separability.checks import DIGITS, Check, Findings
from models.separability.material import Ints, Truth
from streams.labels import NS_PER_DAY

SHARE_MIN, SHARE_MAX = 0.0001, 0.02
AMID_MIN, AMID_MAX, AROUND_DAYS = 0.5, 2.0, 7
FRESH_MAX, FRESH_SCENARIO_MAX, SCENARIO_FRAUDS_MIN = 0.10, 0.75, 20
PERSISTENCE_MIN, PERSISTENCE_MAX = 0.10, 0.95
CAMPAIGN_GAP_NS = 7 * NS_PER_DAY
CAMPAIGN_MEAN_MIN, CAMPAIGN_MEAN_MAX, CAMPAIGN_SPREAD_MIN = 1.2, 20.0, 0.3


def measure(truth: Truth) -> Findings:
    """All checks of frauds among the card's other events."""
    lengths = campaign_lengths(truth)
    fresh = _fresh(truth)
    table = [
        {"frauds": int(length), "campaigns": int(count)}
        for length, count in zip(*np.unique(lengths, return_counts=True), strict=True)
    ]
    share = float(truth.fraud.mean())
    persistence, after = _persistence(truth)
    checks = (
        Check("motifs", "share of frauds", share, SHARE_MIN, SHARE_MAX, f"{int(truth.fraud.sum())} frauds"),
        _amid(truth),
        *fresh.checks,
        Check("motifs", "fraud follows fraud on a card, lag-1 correlation", persistence, PERSISTENCE_MIN,
              PERSISTENCE_MAX, f"after a fraud the card's next event is fraud in {after:.1%}"),
        Check("motifs", "frauds in a campaign on one card, mean", float(lengths.mean()), CAMPAIGN_MEAN_MIN,
              CAMPAIGN_MEAN_MAX, f"{len(lengths)} campaigns, {float((lengths == 1).mean()):.0%} of a single fraud, "
              f"median {np.median(lengths):g}, longest {lengths.max()}"),
        Check("motifs", "frauds in a campaign, standard deviation over mean", float(lengths.std() / lengths.mean()),
              low=CAMPAIGN_SPREAD_MIN, detail="campaigns of one length would be a signature"),
    )  # fmt: skip
    return Findings(checks, {"campaigns": table, **fresh.tables})


def campaign_lengths(truth: Truth) -> Ints:
    """Frauds of each campaign: on one card, no more than seven days from one to the next. int64 [campaigns]."""
    stolen = np.flatnonzero(truth.fraud)
    card = truth.codes("card_id")[stolen]
    order = np.lexsort((truth.time_ns[stolen], card))
    card, time_ns = card[order], truth.time_ns[stolen][order]
    begins = (np.diff(card, prepend=card[:1] - 1) != 0) | (np.diff(time_ns, prepend=time_ns[:1]) > CAMPAIGN_GAP_NS)
    starts = np.flatnonzero(begins)
    return np.diff(np.append(starts, len(card)))


def _amid(truth: Truth) -> Check:
    """Genuine events on a card's fraud days, against its days around them."""
    card, day = truth.codes("card_id"), truth.time_ns // NS_PER_DAY
    span = int(day.max()) + 2 * AROUND_DAYS + 2
    key = card * span + day + AROUND_DAYS
    stolen = np.unique(key[truth.fraud])
    genuine, events = np.unique(key[~truth.fraud], return_counts=True)
    name = "genuine events on a card's fraud days, against the days around them"

    def on(days: Ints) -> Ints:
        at = np.searchsorted(genuine, days).clip(max=max(len(genuine) - 1, 0))
        return np.where(genuine[at] == days, events[at], 0)

    offsets = [offset for offset in range(-AROUND_DAYS, AROUND_DAYS + 1) if offset]
    around = np.concatenate([stolen + offset for offset in offsets])
    there = around % span - AROUND_DAYS
    around = around[(there >= day.min()) & (there <= day.max()) & ~np.isin(around, stolen)]
    usual = float(on(around).mean()) if len(around) else 0.0
    if usual == 0.0:
        return Check("motifs", name, None, detail="the cards have no other days")
    own = float(on(stolen).mean())
    return Check("motifs", name, own / usual, AMID_MIN, AMID_MAX,
                 f"{own:.2f} a day on {len(stolen)} fraud days, {usual:.2f} within {AROUND_DAYS} days")  # fmt: skip


def _fresh(truth: Truth) -> Findings:
    """Frauds at merchants where no other card ever buys: mules that exist to be caught."""
    names = ("frauds at merchants without genuine customers, share", "the same for the most isolated scenario")
    if not truth.has("merchant_id"):
        return Findings(tuple(Check("motifs", name, None, detail="no merchant_id") for name in names), {})
    place = truth.codes("merchant_id")
    visited = np.zeros(int(place.max()) + 2, np.bool_)
    visited[place[~truth.fraud & (place >= 0)]] = True
    known = truth.fraud & (place >= 0)
    fresh = ~visited[place]
    rows: list[dict[str, str | int | float]] = []
    for code, name in enumerate(truth.scenarios):
        here = known & (truth.scenario == code)
        if here.sum() >= SCENARIO_FRAUDS_MIN:
            rows.append(
                {"scenario": name, "frauds": int(here.sum()), "fresh_share": round(float(fresh[here].mean()), DIGITS)}
            )
    worst = max(rows, key=lambda row: float(row["fresh_share"]), default=None)
    return Findings(
        (
            Check("motifs", names[0], float(fresh[known].mean()) if known.any() else None, high=FRESH_MAX,
                  detail=f"{int(fresh[known].sum())} of {int(known.sum())} frauds"),
            Check("motifs", names[1], float(worst["fresh_share"]) if worst else None, high=FRESH_SCENARIO_MAX,
                  detail=str(worst["scenario"]) if worst else ""),
        ),
        {"fresh_merchants": rows},
    )  # fmt: skip


def _persistence(truth: Truth) -> tuple[float | None, float]:
    """Lag-1 correlation of fraud along each card's events, and how often a fraud follows a fraud."""
    card = truth.codes("card_id")
    order = np.lexsort((truth.time_ns, card))
    same = np.diff(card[order]) == 0
    fraud = truth.fraud[order].astype(np.float64)
    before, after = fraud[:-1][same], fraud[1:][same]
    if not before.any() or not after.any():
        return None, 0.0
    return float(np.corrcoef(before, after)[0, 1]), float(after[before > 0].mean())
