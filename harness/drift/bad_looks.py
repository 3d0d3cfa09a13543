"""What bad events looked like in the label burn-in, and what cases of them may differ from it by.

Of every feature the mean rank among those bad ones, a case (what is reported of a key within a week) counting once; and
last, the rank of how many events a case has. Cases of one crime come together: the burn-in's two halves say how much
more their mean varies than that of independent ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.drift.cases import Case, Cases, means, sizes
from harness.drift.monitor import ArrivedLabels
from harness.drift.volume import rank_allowance

HALVES_MARGIN = 1.0
"""Times what the burn-in's two halves differed by."""
SPREAD_MIN = 0.2
"""Cases of one crime may all be alike: so much their ranks spread at least."""
DISPERSION_MIN = 1.5
SURGE_MIN = 1.15
"""What a smaller surge does to a mean rank, bounds for so few cases cover."""
Floats = npt.NDArray[np.float64]


def ranks_among(values: Floats, known: Floats) -> Floats:
    """Ranks, 0–1, of values [n, C] among the sorted `known` [m, C]; equal ones share the middle of their places."""
    found = np.empty(values.shape)
    for column in range(values.shape[1]):
        low, high = (np.searchsorted(known[:, column], values[:, column], side) for side in ("left", "right"))
        found[:, column] = (low + high) / (2.0 * len(known))
    return found


@dataclass(frozen=True, slots=True)
class BadLooks:
    """What was learned of F features and the size of cases: sorted features [n, F] and sizes [cases, 1] of the bad
    ones, the `usual` mean ranks [F + 1], how far single cases `spread` around them, what the halves differed by, and
    the `dispersion`: times the variance of independent cases. `last_ns`: when the last of these cases began."""

    features: Floats
    sizes: Floats
    usual: Floats
    spread: Floats
    halves: Floats
    dispersion: Floats
    last_ns: int

    @classmethod
    def learned(cls, first: list[ArrivedLabels], cases: Cases) -> "BadLooks":
        """From the labels of the burn-in (at least two bad ones), which are added to `cases`."""
        features = np.sort(_comparable(np.concatenate([arrived.bad_features for arrived in first])), axis=0)
        for arrived in first:
            _add(cases, arrived, features)
        size = np.sort(sizes(cases.found).astype(np.float64))[:, np.newaxis]
        values = _values(cases.found, size)
        half = len(values) // 2
        moved = values[:half].mean(axis=0) - values[half:].mean(axis=0)
        spread = np.maximum(values.std(axis=0), SPREAD_MIN)
        dispersion = moved**2 / (spread**2 * (1 / half + 1 / (len(values) - half)))
        return cls(
            features=features,
            sizes=size,
            usual=values.mean(axis=0),
            spread=spread,
            halves=np.abs(moved),
            dispersion=np.maximum(DISPERSION_MIN, dispersion),
            last_ns=cases.found[-1].began_ns,
        )

    def add(self, cases: Cases, arrived: ArrivedLabels) -> None:
        """Add the bad ones of newly arrived labels to their cases."""
        _add(cases, arrived, self.features)

    def shifts(self, cases: list[Case]) -> Floats:
        """What the mean ranks of these cases differ from the usual by, float64 [F + 1]."""
        return np.asarray(_values(cases, self.sizes).mean(axis=0) - self.usual)

    def bounds(self, cases: list[Case], z: float, least: float) -> Floats:
        """What the shifts of these cases may come to, float64 [F + 1]: `least` in any case, or by chance `z` standard
        deviations; on top what the halves differed by, and what a surge of volume does to what counts events."""
        chance = z * self.spread * np.sqrt(self.dispersion * (1 / len(cases) + 1 / len(self.sizes)))
        by_volume = float(np.mean([rank_allowance(case.surge / SURGE_MIN) for case in cases]))
        return np.asarray(np.maximum(least, chance) + HALVES_MARGIN * self.halves + by_volume)


def _add(cases: Cases, arrived: ArrivedLabels, known: Floats) -> None:
    bad = arrived.is_bad
    ranks = ranks_among(_comparable(arrived.bad_features), known)
    cases.add(arrived.key[bad], arrived.at_ns[bad], ranks, arrived.bad_surge)


def _comparable(features: npt.NDArray[np.float32]) -> Floats:
    """Missing values are the smallest."""
    return np.nan_to_num(features.astype(np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)


def _values(cases: list[Case], size: Floats) -> Floats:
    """Mean ranks of the cases, and last the rank of their size, float64 [n, F + 1]."""
    of_size = ranks_among(sizes(cases).astype(np.float64)[:, np.newaxis], size)
    return np.concatenate([means(cases), of_size], axis=1)
