"""What a model is of: card transactions or the sides of transfers, with the columns that describe them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.catalog import FEATURE_INDEX, FEATURES, Feature
from models.graph.catalog import AML_FEATURE_INDEX, AML_FEATURES

Values = NDArray[np.float32]
POWERS_MAX = 12.0
"""An amount is no more than 10 to this: a float64 still tells its cents."""


@dataclass(frozen=True, slots=True)
class ModelDomain:
    """`features` are the catalogue's, in the kernel's order; `amounts` gives the money (float64 [n]) that rows (float32
    [n, F]) are about, by which a matrix of costs counts."""

    name: str
    features: tuple[Feature, ...]
    amounts: Callable[[Values], NDArray[np.float64]]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(feature.name for feature in self.features)


def _card_amounts(values: Values) -> NDArray[np.float64]:
    return values[:, FEATURE_INDEX["amount"]].astype(np.float64)


def _transfer_amounts(values: Values) -> NDArray[np.float64]:
    powers = values[:, AML_FEATURE_INDEX["amount_log_usd"]].astype(np.float64)
    return np.asarray(10.0 ** np.minimum(powers, POWERS_MAX), dtype=np.float64)


CARD_FRAUD = ModelDomain("fraud", FEATURES, _card_amounts)
LAUNDERING = ModelDomain("aml", AML_FEATURES, _transfer_amounts)
DOMAINS: dict[str, ModelDomain] = {domain.name: domain for domain in (CARD_FRAUD, LAUNDERING)}
