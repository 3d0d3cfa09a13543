"""Has a build become slower? Base and head measured in rounds within one job, held against base measured twice.

A machine that others use too is now faster and now slower, so nothing is compared with a figure from elsewhere, not
even of another round. Each round measures base, head, and base again: head against base is the effect, base against
base the noise that the effect has to beat.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Outcome = Literal["pass", "regression", "inconclusive"]
ORDERS: tuple[tuple[str, str, str], ...] = (
    ("base", "head", "again"),
    ("head", "again", "base"),
    ("again", "base", "head"),
)
"""Each of the three is first, second and last equally often, so that a machine that warms up favours none."""
RESAMPLES = 4_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a metric has become worse. `tolerance`: smaller effects are let pass, as a share. `alpha`: of the one-sided
    test, for all metrics together (Holm). `doubt`: an effect beyond the bounds whose p lies between `alpha` and this is
    inconclusive. `noise_max`: more noise than this, as a share, hides too much to pass.

    Seven metrics reach `alpha` in six rounds at the earliest: a regression is only ever found by going on.
    """

    tolerance: float = 0.10
    alpha: float = 0.01
    doubt: float = 0.20
    noise_max: float = 0.30


@dataclass(frozen=True, slots=True)
class Rounds:
    """One metric (lower is better, above 0) of every round, in the rounds' order."""

    base: tuple[float, ...]
    head: tuple[float, ...]
    again: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.base) == len(self.head) == len(self.again) > 0:
            raise ValueError("every round needs base, head and base again")
        if min(*self.base, *self.head, *self.again) <= 0:
            raise ValueError("a metric must be above 0 in every run")


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one metric. Shares: .2 is 20% more. `noise` is what base against base would have shown, at
    most, in 95 of 100 such jobs; `p` that of the test, after Holm's correction."""

    metric: str
    base: float
    head: float
    effect: float
    noise: float
    p: float
    outcome: Outcome


def effect_log(rounds: Rounds) -> float:
    """Median over rounds of ln(head / geometric mean of that round's two base runs): slow drift cancels out."""
    head, base, again = (np.log(part) for part in (rounds.head, rounds.base, rounds.again))
    return float(np.median(head - (base + again) / 2.0))


def noise_log(rounds: Rounds, rng: np.random.Generator) -> float:
    """The 95% bound of the same median when there is nothing to find, from base against base.

    ln(base / again) has twice a run's variance, head against the mean of two one and a half times: scaled by √¾. Signs
    are flipped at random, for which of the two was called base means nothing.
    """
    twice = np.log(rounds.base) - np.log(rounds.again)
    drawn = rng.choice(twice, (RESAMPLES, len(twice))) * rng.choice([-1.0, 1.0], (RESAMPLES, len(twice)))
    return float(np.quantile(np.abs(np.median(drawn, axis=1)), 0.95)) * math.sqrt(0.75)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values (Holm, Scandinavian Journal of Statistics 6, 1979), in the order given."""
    adjusted = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        highest = max(highest, min(1.0, p[index] * (len(p) - rank)))
        adjusted[index] = highest
    return adjusted


def find_changes(metrics: Mapping[str, Rounds], bounds: Bounds, rng: np.random.Generator) -> list[Change]:
    """Judge every metric; the order is kept."""
    raw = [slower_by_chance(rounds) for rounds in metrics.values()]
    return [
        _change(metric, rounds, p, bounds, rng) for (metric, rounds), p in zip(metrics.items(), holm(raw), strict=True)
    ]


def slower_by_chance(rounds: Rounds) -> float:
    """How likely head would be slower so often if all three runs of a round were of one build.

    Mann & Whitney's U within each round (in how many of its two runs base was faster than head: 0, 1 or 2, a tie counts
    half), summed over the rounds (van Elteren, Bulletin de l'Institut International de Statistique 37, 1960): what a
    round has in common cancels. Each of the three ranks is equally likely then, so the sum's distribution is exact: n
    rounds of uniform 0, 1, 2. One-sided; at least 3 ** −n.
    """
    wins = sum(
        (head > other) + 0.5 * (head == other)
        for pair in (rounds.base, rounds.again)
        for head, other in zip(rounds.head, pair, strict=True)
    )
    chances = np.ones(1)
    for _ in rounds.head:
        chances = np.convolve(chances, np.full(3, 1.0 / 3.0))
    return float(chances[math.floor(wins) :].sum())


def _change(metric: str, rounds: Rounds, p: float, bounds: Bounds, rng: np.random.Generator) -> Change:
    effect, noise = math.expm1(effect_log(rounds)), math.expm1(noise_log(rounds, rng))
    outcome: Outcome = "pass"
    if effect > max(bounds.tolerance, noise) and p <= bounds.doubt:
        outcome = "regression" if p <= bounds.alpha else "inconclusive"
    elif noise > bounds.noise_max:
        outcome = "inconclusive"
    both = (*rounds.base, *rounds.again)
    return Change(metric, float(np.median(both)), float(np.median(rounds.head)), effect, noise, p, outcome)


def overall(changes: Sequence[Change]) -> Outcome:
    """A regression anywhere is one; else whatever is in doubt leaves the whole in doubt."""
    found = {change.outcome for change in changes}
    for outcome in ("regression", "inconclusive"):
        if outcome in found:
            return outcome
    return "pass"
