"""Typologies compiled to flat arrays: one variant for each way that markets have a typology's bands.

A band becomes a closed interval of float32 (a flag or category: of its code), so that the kernel knows one kind only.
Thresholds are rounded to float32, as the columns are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.columns import Column
from rules.typologies.checks import overridden, span, weight_max
from rules.typologies.language import Band, BandedRule, TypologyFile

_INFINITY = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class CompiledBand:
    """A band as the kernel sees it, and where it stands: `rule` and `band` are indexes in the typology."""

    low: np.float32
    high: np.float32
    weight: float
    rule: int
    band: int

    def holds(self, value: np.float32) -> bool:
        """Whether a value falls into it."""
        return bool(self.low <= value <= self.high or (np.isnan(self.low) and np.isnan(value)))


@dataclass(frozen=True, slots=True)
class Variant:
    """A typology as one or more markets have it."""

    rules: tuple[BandedRule, ...]
    bands: tuple[tuple[CompiledBand, ...], ...]
    alert_at: float
    weight_max: float


@dataclass(frozen=True, slots=True)
class TypologyProgram:
    """All variants of all typologies.

    `variant_of` int32 [P, M + 1]: the variant of each typology in each market; the last column is for rows of no known
    market. `first_rule` int32 [V + 1]: its rules are first_rule[v] up to first_rule[v + 1]. `rule_column` int32 [R],
    `first_band` int32 [R + 1], `lows` and `highs` float32 [B] (closed; NaN: a
    missing value), `weights` float64 [B]. `scale` float64 [V]: one
    over the highest sum of weights. `alert_at` float64 [P, M + 1].
    """

    variant_of: NDArray[np.int32]
    first_rule: NDArray[np.int32]
    rule_column: NDArray[np.int32]
    first_band: NDArray[np.int32]
    lows: NDArray[np.float32]
    highs: NDArray[np.float32]
    weights: NDArray[np.float64]
    scale: NDArray[np.float64]
    alert_at: NDArray[np.float64]


def variants_of(
    file: TypologyFile, columns: Mapping[str, Column], thresholds_usd: Mapping[str, float], default_usd: float
) -> tuple[list[Variant], list[int]]:
    """The variants of a typology, and which one each market has (in the order of `thresholds_usd`, then that of a
    market that is not known)."""
    variants: list[Variant] = []
    known: dict[tuple[str, float], int] = {}
    by_threshold = any(rule.in_thresholds for rule in file.rules)
    chosen = []
    for market, threshold in [*thresholds_usd.items(), ("", default_usd)]:
        key = (market if market in file.markets else "", threshold if by_threshold else 0.0)
        if key not in known:
            known[key] = len(variants)
            variants.append(_variant(file, market, columns, threshold))
        chosen.append(known[key])
    return variants, chosen


def _variant(file: TypologyFile, market: str, columns: Mapping[str, Column], threshold_usd: float) -> Variant:
    override = file.markets.get(market)
    rules = tuple(overridden(rule, override) for rule in file.rules)
    bands = tuple(
        tuple(_compiled(rule, number, columns[rule.column], threshold_usd if rule.in_thresholds else 1.0))
        for number, rule in enumerate(rules)
    )
    alert_at = override.alert_at if override and override.alert_at is not None else file.alert_at
    return Variant(rules, bands, alert_at, weight_max(rules))


def _compiled(rule: BandedRule, number: int, column: Column, unit: float) -> list[CompiledBand]:
    return [
        CompiledBand(low, high, band.weight, number, index)
        for index, band in enumerate(rule.bands)
        for low, high in _intervals(band, column, unit)
    ]


def _intervals(band: Band, column: Column, unit: float) -> list[tuple[np.float32, np.float32]]:
    """The closed intervals of float32 that a band is: several for categories, NaN for a missing value."""
    if band.is_missing:
        return [(np.float32(np.nan), np.float32(np.nan))]
    if band.is_true is not None:
        flag = np.float32(band.is_true)
        return [(flag, flag)]
    if band.in_ is not None:
        codes = [np.float32(column.categories.index(name)) for name in band.in_ if name in column.categories]
        return [(code, code) for code in codes]
    low, high = span(band)
    top = np.float32(high * unit)
    return [(np.float32(low * unit), np.float32(np.nextafter(top, -_INFINITY)) if top < _INFINITY else _INFINITY)]


def compile_typologies(
    variants: Sequence[Sequence[Variant]], variant_of: Sequence[Sequence[int]], column_at: Mapping[str, int]
) -> TypologyProgram:
    """Flatten the variants of typologies (`variant_of` counts within each one's own); `column_at` numbers columns."""
    every = [variant for of_one in variants for variant in of_one]
    offsets = np.cumsum([0, *(len(of_one) for of_one in variants)])[:-1]
    by_rule = [bands for variant in every for bands in variant.bands]
    bands = [band for of_rule in by_rule for band in of_rule]
    alert_at = [
        [of_one[number].alert_at for number in chosen] for of_one, chosen in zip(variants, variant_of, strict=True)
    ]
    return TypologyProgram(
        variant_of=(np.array(variant_of, np.int32) + offsets[:, None]).astype(np.int32),
        first_rule=np.cumsum([0, *(len(variant.rules) for variant in every)], dtype=np.int32),
        rule_column=np.array([column_at[rule.column] for variant in every for rule in variant.rules], np.int32),
        first_band=np.cumsum([0, *(len(of_rule) for of_rule in by_rule)], dtype=np.int32),
        lows=np.array([band.low for band in bands], np.float32),
        highs=np.array([band.high for band in bands], np.float32),
        weights=np.array([band.weight for band in bands], np.float64),
        scale=np.array([1.0 / variant.weight_max for variant in every], np.float64),
        alert_at=np.array(alert_at, np.float64),
    )
