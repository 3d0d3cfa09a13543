"""The autoencoder's exact arithmetic, and that it finds genuine events familiar."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.autoencoder import (
    ACTIVATION_LIMIT,
    GRID,
    INPUT_LIMIT,
    Autoencoder,
    AutoencoderSettings,
    compress,
    fit_autoencoder,
    to_grid,
)
from models.features.catalog import FEATURES

MakeRows = Callable[[np.random.Generator, int], np.ndarray]


def exact_error(model: Autoencoder, row: np.ndarray) -> Fraction:
    """The mean squared error of one standardised row in rational arithmetic: no rounding but onto the grid."""
    inputs = [Fraction(value) for value in model.standardise(row[None])[0].tolist()]
    activation = inputs
    for index, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
        low = -ACTIVATION_LIMIT if index == len(model.weights) - 1 else 0
        sums = [
            sum((a * Fraction(w) for a, w in zip(activation, column, strict=True)), Fraction(b))
            for column, b in zip(weight.T.tolist(), bias.tolist(), strict=True)
        ]
        clipped = [min(max(total, Fraction(low)), Fraction(ACTIVATION_LIMIT)) for total in sums]
        activation = [Fraction(round(value * int(GRID)), int(GRID)) for value in clipped]
    squares = [(a - b) ** 2 for a, b in zip(inputs, activation, strict=True)]
    return sum(squares, Fraction(0)) / len(squares)


def test_arithmetic_is_exact(autoencoder: Autoencoder, fresh_rows: np.ndarray) -> None:
    for row in (*fresh_rows[:6], *fresh_rows[:300:97]):
        expected = np.float32(float(exact_error(autoencoder, row)))
        assert autoencoder.errors(row[None])[0] == expected


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e9, 1e9, width=32), st.floats(-1e9, 1e9, width=32))
def test_compression_is_odd_monotone_and_near_the_logarithm(a: float, b: float) -> None:
    low, high = sorted((a, b))
    squeezed = compress(np.array([low, high, -low], dtype=np.float32))
    assert squeezed[0] <= squeezed[1]
    assert squeezed[2] == -squeezed[0]
    assert np.log1p(abs(low)) <= abs(squeezed[0]) + 1e-9
    assert abs(squeezed[0]) <= 3.0 * np.log1p(abs(low)) + 1e-9


def test_inputs_are_bounded_on_the_grid_and_missing_ones_central(autoencoder: Autoencoder) -> None:
    rows = np.full((3, len(FEATURES)), np.nan, dtype=np.float32)
    rows[1], rows[2] = np.inf, -np.inf
    found = autoencoder.standardise(rows)
    assert (found[0] == 0.0).all()
    assert np.abs(found).max() <= INPUT_LIMIT
    np.testing.assert_array_equal(found, to_grid(found))


def test_what_breaks_the_usual_pattern_has_the_larger_error(make_rows: MakeRows) -> None:
    rng = np.random.default_rng(2)
    genuine = make_rows(rng, 3_000)
    common = rng.lognormal(2.0, 1.5, 3_000).astype(np.float32)
    half = [column for column, feature in enumerate(FEATURES) if feature.kind == "number"][::2]
    genuine[:, half] = common[:, None] * rng.lognormal(0, 0.1, (3_000, len(half))).astype(np.float32)
    model = fit_autoencoder(genuine, AutoencoderSettings((16, 6, 16), 3_000, 25, 64), rng)
    broken = genuine.copy()
    broken[:, half] = rng.permuted(genuine[:, half], axis=0)
    assert np.median(model.errors(broken)) > 1.5 * np.median(model.errors(genuine))


def test_same_seed_same_autoencoder(make_rows: MakeRows) -> None:
    genuine = make_rows(np.random.default_rng(8), 600)
    small = AutoencoderSettings((8, 4, 8), 500, 2)
    first, second = (fit_autoencoder(genuine, small, np.random.default_rng(9)) for _ in range(2))
    for a, b in zip(first.weights + first.biases, second.weights + second.biases, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_beyond_the_exact_bound_are_refused(make_rows: MakeRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.autoencoder.SUM_LIMIT", 1.0)
    with pytest.raises(ArithmeticError, match="exact bound"):
        fit_autoencoder(make_rows(np.random.default_rng(8), 300), AutoencoderSettings((4,), 300, 1),
                        np.random.default_rng(9))  # fmt: skip
