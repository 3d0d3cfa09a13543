"""Contributions are exact and told in words."""

import numpy as np
import pytest
import shap

from models.boosting import load_trees
from models.bundle import Bundle
from models.explain import Explainer, in_figures, in_words, with_unit
from models.features.catalog import FEATURE_INDEX, FEATURES
from models.onnx_model import OnnxModel


def test_contributions_sum_to_the_margin_and_equal_shap(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    rows = fresh_rows[:60]
    output = OnnxModel(bundle).score(rows)
    found = Explainer(bundle).contributions(rows, output.reconstruction_error)
    np.testing.assert_allclose(found.sum(axis=1), output.margin, atol=1e-4)
    augmented = np.column_stack([rows, output.reconstruction_error])
    expected = shap.TreeExplainer(load_trees(bundle.booster)).shap_values(augmented)
    np.testing.assert_allclose(found[:, :-1], expected, atol=1e-4)


def test_contributions_do_not_depend_on_the_batch(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    rows = fresh_rows[:40]
    errors = OnnxModel(bundle).score(rows).reconstruction_error
    explainer = Explainer(bundle)
    whole = explainer.contributions(rows, errors)
    single = [explainer.contributions(rows[i : i + 1], errors[i : i + 1])[0] for i in range(len(rows))]
    np.testing.assert_array_equal(np.array(single), whole)


def test_reasons_are_the_largest_positive_contributions(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    rows = fresh_rows[:20]
    errors = OnnxModel(bundle).score(rows).reconstruction_error
    explainer = Explainer(bundle)
    shares = explainer.contributions(rows, errors)[:, :-1]
    for row, reasons in enumerate(explainer.reasons(rows, errors, top=4)):
        expected = sorted((share for share in shares[row].tolist() if share > 0), reverse=True)[:4]
        assert [reason.contribution for reason in reasons] == expected
        assert all(reason.kind == "feature" and "{" not in reason.text for reason in reasons)
    assert explainer.reasons(rows[:0], errors[:0]) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("amount_to_mean_30d", 10.204, "amount is 10.2 times this card's 30-day mean"),
        ("amount", 1234.5, "amount is 1,234.50"),
        ("count_1h", 1, "1 transaction on this card in the last hour"),
        ("count_24h", 12, "12 transactions on this card in the last 24 hours"),
        ("seconds_since_last", 42, "42 seconds since this card's last transaction"),
        ("seconds_since_last", 5400, "1.5 hours since this card's last transaction"),
        ("speed_from_last_kmh", 1250.4, "a speed of 1,250 km/h since this card's last transaction"),
        ("hour", 3.25, "time of day is 03:15 UTC"),
        ("terminal_risk_7d", 0.125, "12.5% of the transactions at this terminal in 7 days were fraud"),
        ("card_age_days", 0.5, "card first seen 12 hours ago"),
        ("is_night", 0, "it is not night (22–06 UTC)"),
        ("is_new_device", 1, "first time on this device"),
        ("is_new_device", 0, "not the first time on this device"),
        ("category_code", 1, "merchant category is fuel"),
        ("category_code", -1, "merchant category is one not seen in training"),
        ("distance_from_last_km", np.nan, "distance from last km is not known"),
    ],
)
def test_words(name: str, value: float, expected: str) -> None:
    assert in_words(FEATURES[FEATURE_INDEX[name]], value, ("books", "fuel")) == expected


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_words_at_its_bounds(feature: object) -> None:
    assert isinstance(feature, type(FEATURES[0]))
    for value in (feature.low, feature.high, np.nan):
        words = in_words(feature, value)
        assert "{" not in words
        assert "nan" not in words.split()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (0.01234, "0.0123"), (3.0, "3"), (10.24, "10.2"), (999.6, "1,000"), (-2.5, "-2.5"), (1e-9, "0")],
)
def test_figures(value: float, expected: str) -> None:
    assert in_figures(value) == expected
    assert with_unit(value, "km") == f"{expected} km"
