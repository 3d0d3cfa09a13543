"""Why the model flags an event: exact TreeSHAP contributions, the largest ones in words."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import xgboost
from numpy.typing import NDArray

from models.boosting import load_trees
from models.bundle import ERROR_FEATURE, Bundle
from models.features.catalog import FEATURES, Feature
from models.usual import Comparison
from streams.decision import Reason


class Explainer:
    """Contributions of a bundle's trees. The reconstruction error counts as one more feature; `features` are those of
    the bundle's catalogue.

    For one thread at a time.
    """

    def __init__(self, bundle: Bundle, features: Sequence[Feature] = FEATURES) -> None:
        self._features = tuple(features)
        self._booster = load_trees(bundle.booster)
        self._names = {"category_code": bundle.category_names, "channel_code": bundle.channel_names}
        self._error_p99 = float(bundle.manifest["autoencoder"]["error_p99"])
        bins = bundle.feature_bins()
        self._compared = [
            Comparison(feature, bins[feature.name]) if feature.name in bins else None for feature in self._features
        ]

    def contributions(
        self, values: NDArray[np.float32], reconstruction_error: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Shapley values in log-odds, float32 [n, F + 2]: the features, the reconstruction error, the base value.

        A row sums to its margin, and is the same bits whichever rows stand beside it. Exact: Lundberg et al., From
        local explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2 (2020),
        algorithm 2, as XGBoost computes it (it lets other Python threads run meanwhile).
        """
        rows = np.column_stack([values, reconstruction_error]).astype(np.float32, copy=False)
        matrix = xgboost.DMatrix(rows, missing=np.nan, nthread=1)
        found: NDArray[np.float32] = self._booster.predict(matrix, pred_contribs=True, strict_shape=False)
        return found

    def reasons(
        self, values: NDArray[np.float32], reconstruction_error: NDArray[np.float32], top: int = 3
    ) -> list[list[Reason]]:
        """For each row (values float32 [n, F], errors float32 [n]) the at most `top` features that raise the score
        most, the largest first."""
        return list(self.told(values, reconstruction_error, top))

    def told(
        self, values: NDArray[np.float32], reconstruction_error: NDArray[np.float32], top: int = 3
    ) -> Iterator[list[Reason]]:
        """As `reasons`, row by row: the contributions are computed at once, a row's words when it is asked for."""
        if len(values) == 0:
            return
        shares = self.contributions(values, reconstruction_error)[:, :-1]
        largest = np.argsort(-shares, axis=1, kind="stable")[:, :top]
        for row, columns in enumerate(largest.tolist()):
            told, error = values[row].tolist(), float(reconstruction_error[row])
            moved = [(column, float(shares[row, column])) for column in columns]
            yield [self._reason(column, told, error, share) for column, share in moved if share > 0]

    def every_reason(
        self, values: NDArray[np.float32], reconstruction_error: float, shares: NDArray[np.float32]
    ) -> list[tuple[float, Reason]]:
        """All features of one row (float32 [F]) as value and reason, the largest |share| first; `shares` float32
        [F + 1] are its contributions without the base value."""
        told = values.tolist()
        order = np.argsort(-np.abs(shares), kind="stable").tolist()
        return [
            (
                [*told, reconstruction_error][column],
                self._reason(column, told, reconstruction_error, float(shares[column])),
            )
            for column in order
        ]

    def words(self, column: int, value: float) -> str:
        """A feature's value as a sentence, with what it is compared with."""
        feature, compared = self._features[column], self._compared[column]
        text = in_words(feature, value, self._names.get(feature.name, ()))
        if compared is None:
            return text
        if math.isnan(value):
            return text + compared.of_missing()
        return text + compared.of(value, lambda number: with_unit(number, feature.unit))

    def _reason(self, column: int, row: Sequence[float], error: float, share: float) -> Reason:
        if column == len(self._features):
            if math.isnan(error):  # a model without an autoencoder
                text = "no reconstruction error"
                return Reason(code=ERROR_FEATURE, text=text, kind="feature", contribution=share, cause="anomaly")
            text = f"unlike genuine transactions: reconstruction error {in_figures(error)}"
            text = f"{text} (99% of genuine ones are under {in_figures(self._error_p99)})"
            return Reason(code=ERROR_FEATURE, text=text, kind="feature", contribution=share, cause="anomaly")
        feature = self._features[column]
        text = self.words(column, row[column])
        return Reason(code=feature.name, text=text, kind="feature", contribution=share, cause=feature.family)


def in_words(feature: Feature, value: float, names: tuple[str, ...] = ()) -> str:
    """A feature's value as a sentence by the catalogue's phrase; `names` are the words of a category's codes."""
    if math.isnan(value):
        return f"{feature.name.replace('_', ' ')} is not known"
    if feature.kind == "flag":
        return feature.phrase if value >= 0.5 else _negated(feature.phrase)
    if feature.kind == "category":
        code = int(value)
        return feature.phrase.replace("{value}", names[code] if 0 <= code < len(names) else "one not seen in training")
    return feature.phrase.replace("{value}", with_unit(value, feature.unit))


def _negated(phrase: str) -> str:
    if phrase.startswith("it is "):
        return f"it is not {phrase.removeprefix('it is ')}"
    return f"not the {phrase}"


def in_figures(value: float) -> str:
    """Three significant figures without an exponent, thousands set apart: 0.0123, 10.2, 1,250."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else str(value)
    places = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{min(places, 6)}f}".rstrip("0").rstrip(".") if places else f"{value:,.0f}"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= size:
            count = in_figures(seconds / size)
            return f"{count} {unit[:-1] if count == '1' else unit}"
    return f"{in_figures(seconds)} {'second' if seconds == 1 else 'seconds'}"


def _counted(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit[:-1] if round(value) == 1 else unit}"


def _time_of_day(hours: float) -> str:
    minutes = round(hours * 60) % 1_440
    return f"{minutes // 60:02d}:{minutes % 60:02d} UTC"


_UNITS: dict[str, Callable[[float], str]] = {
    "money": lambda value: f"{value:,.2f}",
    "s": _duration,
    "days": lambda value: _duration(value * 86_400.0),
    "h": _time_of_day,
    "share": lambda value: f"{in_figures(value * 100.0)}%",
    **{
        unit: partial(_counted, unit=unit)
        for unit in ("transactions", "cards", "merchants", "devices", "refunds", "frauds")
    },
}


def with_unit(value: float, unit: str) -> str:
    """A number with its unit, as a person would write it; units without a form of their own follow the number."""
    form = _UNITS.get(unit)
    return form(value) if form else f"{in_figures(value)} {unit}".strip()
