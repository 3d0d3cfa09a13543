"""Sums brought under a ceiling: what is above it is paid in several parts."""

from dataclasses import dataclass

import numpy as np

from streams.drift.amounts import multiplied
from streams.drift.columns import coded, ints
from streams.drift.material import Material, Rows
from streams.labels import NS_PER_S
from streams.markets import MARKETS
from streams.markets.currencies import CURRENCY_RATES
from streams.worlds.arrays import Flags, Floats

NS_PER_MINUTE = 60 * NS_PER_S
UNDER_MIN, UNDER_MAX = 0.85, 0.99
"""How close to the ceiling a part comes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How a sum is split: into at most `most` parts, some `gap_minutes` from one to the next."""

    most: int
    gap_minutes: float


def pressed(material: Material, which: Flags, ceiling_minor: Floats, parts: Parts, rng: np.random.Generator) -> Rows:
    """The stream with these events at or under their ceilings (float64 [n], minor units), each once more as often as
    its sum needs it; what does not fit into the most parts, or is due after the stream's end, is not paid. All parts of
    what was changed are marked.
    """
    stream = material.stream
    amounts = ints(stream.events["amount_minor"]).astype(np.float64)
    over = which & (amounts > ceiling_minor) & (ceiling_minor >= 1.0)
    needed = np.ceil(amounts / np.where(over, ceiling_minor * UNDER_MIN, np.inf)).clip(1, parts.most)
    places = np.flatnonzero(over)
    source = np.repeat(places, needed[places].astype(np.int64) - 1)
    gaps = rng.uniform(0.5, 1.5, len(source)) * parts.gap_minutes * NS_PER_MINUTE
    times = stream.time_ns[source] + np.rint(_summed(source, gaps)).astype(np.int64)
    # parts due after the stream's end would come alone, without anybody else's events around them
    within = times <= stream.time_ns.max(initial=0)
    source, times = source[within], times[within]
    added = stream.copies(source, times, material.suffix)
    factors = np.where(over, _part(amounts, needed, ceiling_minor, rng), 1.0)
    of_added = _part(amounts[source], needed[source], ceiling_minor[source], rng)
    first = multiplied(stream, material.domain, factors).marked(over, material.place)
    others = multiplied(added, material.domain, of_added).marked(np.ones(len(added), np.bool_), material.place)
    return first.with_added(others)


def _part(amounts: Floats, needed: Floats, ceiling_minor: Floats, rng: np.random.Generator) -> Floats:
    """What share of its sum a part is: an equal one, or less where it would not lie under the ceiling."""
    under = np.floor(ceiling_minor * rng.uniform(UNDER_MIN, UNDER_MAX, len(amounts)))
    return np.minimum(amounts / needed, under) / np.maximum(amounts, 1.0)


def _summed(groups: np.ndarray, values: Floats) -> Floats:
    """Running sums of values within runs of the same group."""
    if len(values) == 0:
        return values
    total = np.cumsum(values)
    begins = np.append(True, groups[1:] != groups[:-1])
    before = (total - values)[begins]
    return np.asarray(total - before[np.cumsum(begins) - 1])


def reporting_ceiling(rows: Rows) -> Floats:
    """The amount from which the law of the market looks at cash, in minor units of each transfer's currency, float64
    [n]; the payer's market, or the payee's where that is not known; NaN where there is none."""
    countries = [coded(rows.events[side]) for side in ("from_country", "to_country")]
    cents = [_thresholds(words)[codes] for codes, words in countries]
    usd_cents = np.where(np.isnan(cents[0]), cents[1], cents[0])
    codes, words = coded(rows.events["currency"])
    rates = np.array([CURRENCY_RATES[word].minor_per_usd if word in CURRENCY_RATES else np.nan for word in words])
    return np.asarray(usd_cents / 100.0 * rates[codes])


def _thresholds(words: list[str]) -> Floats:
    found = [MARKETS[word].reporting_threshold_usd_minor if word in MARKETS else np.nan for word in words]
    return np.array([*found, np.nan])  # the last: country not known
