"""The variants of an ablation: each differs from the default in one thing."""

from dataclasses import dataclass, replace
from typing import Literal

from models.features.catalog import FEATURES
from models.fitting import FitSettings
from models.imbalance import METHODS

DEFAULT = "default"
Group = Literal["parts", "imbalance", "families"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A name, what it is in words, its settings, and whether the reconstruction error itself is the score."""

    name: str
    group: Group
    words: str
    fit: FitSettings
    error_is_score: bool = False


def variants(fit: FitSettings) -> tuple[Variant, ...]:
    """All variants of the settings `fit`, the default first."""
    found = [Variant(DEFAULT, "parts", "as trained by default", fit)]
    other = "trees alone" if fit.with_autoencoder else "trees and autoencoder"
    found.append(Variant(other, "parts", other, replace(fit, with_autoencoder=not fit.with_autoencoder)))
    alone = replace(fit, with_autoencoder=True)
    found.append(Variant("autoencoder alone", "parts", "the reconstruction error is the score", alone, True))
    for method in METHODS:
        if method != fit.imbalance.method:
            ways = replace(fit, imbalance=replace(fit.imbalance, method=method))
            found.append(Variant(method, "imbalance", f"trained with {method.replace('_', ' ')}", ways))
    for family in dict.fromkeys(feature.family for feature in FEATURES):
        left_out = replace(fit, without_families=(*fit.without_families, family))
        found.append(Variant(f"without {family}", "families", f"without the {family} features", left_out))
    return tuple(found)
