"""An autoencoder of genuine events: how unlike them an event is, by its reconstruction error.

The arithmetic is made exact on purpose. A score must not depend on the micro-batch it was computed in, but a matrix
product sums in an order that changes with the batch, and vectorised logarithms differ from scalar ones in the last
bit. So every value and weight lies on a grid of 2^-16 within known bounds: then all products and sums fit the 53 bits
of a double without any rounding, whatever the order, and the rest is made of operations that IEEE 754 rounds
correctly (+, −, ×, √). NumPy here and onnxruntime later give the same bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor

from models.features.catalog import FEATURES, Feature

Matrix = NDArray[np.float64]

GRID = 65_536.0
"""Values and weights are multiples of 1/GRID."""
INPUT_LIMIT = 6.0
"""Standardised inputs are clipped to ± this many robust deviations."""
ACTIVATION_LIMIT = 64.0
"""Hidden and output activations are clipped to ± this, which bounds every sum (see `_check_bound`)."""
ROOTS = 4
"""The power transform takes this many square roots: λ = 2^-4 of Box & Cox (1964), close to a logarithm."""
SUM_LIMIT = 2.0**20
"""Products lie on a grid of 2^-32, so sums below 2^21 are exact in a double; half of that leaves room for the bias."""


@dataclass(frozen=True, slots=True)
class AutoencoderSettings:
    """Size and training of the autoencoder; `rows_max` bounds the sample it is trained on."""

    hidden: tuple[int, ...] = (20, 8, 20)
    rows_max: int = 40_000
    epochs: int = 12
    batch: int = 256
    learning_rate: float = 2e-3


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """Standardisation and network. `compressed` bool [F] marks heavy-tailed columns; `centre`, `inverse_scale` float64
    [F]; layer i computes `inputs @ weights[i] + biases[i]`, hidden layers followed by a clipped ReLU."""

    compressed: NDArray[np.bool_]
    centre: Matrix
    inverse_scale: Matrix
    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]

    def standardise(self, values: NDArray[np.float32]) -> Matrix:
        """Rows float32 [n, F] → float64 [n, F] on the grid: compressed, centred, scaled, clipped; NaN becomes 0, the
        centre."""
        spread = np.where(self.compressed, compress(values), values.astype(np.float64))
        scaled = (spread - self.centre) * self.inverse_scale
        known = np.where(np.isnan(scaled), 0.0, scaled)
        return to_grid(np.clip(known, -INPUT_LIMIT, INPUT_LIMIT))

    def reconstruct(self, inputs: Matrix) -> Matrix:
        """Standardised rows through the network, float64 [n, F] on the grid."""
        activation = inputs
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            low = -ACTIVATION_LIMIT if index == len(self.weights) - 1 else 0.0
            activation = to_grid(np.clip(activation @ weight + bias, low, ACTIVATION_LIMIT))
        return activation

    def errors(self, values: NDArray[np.float32], rows_at_once: int = 65_536) -> NDArray[np.float32]:
        """Mean squared reconstruction error of each row, float32 [n]; bit for bit what the graph computes."""
        found = np.empty(len(values), dtype=np.float32)
        for start in range(0, len(values), rows_at_once):
            inputs = self.standardise(values[start : start + rows_at_once])
            deviation = inputs - self.reconstruct(inputs)
            found[start : start + rows_at_once] = (deviation * deviation).sum(axis=1) / float(inputs.shape[1])
        return found


def to_grid(values: Matrix) -> Matrix:
    """Round to multiples of 1/GRID, halves to even."""
    return np.asarray(np.rint(values * GRID) * (1.0 / GRID), dtype=np.float64)


def compress(values: NDArray[np.float32]) -> Matrix:
    """Signed power transform sign(x) · ((1 + |x|)^λ − 1) / λ with λ = 2^-ROOTS, close to the signed logarithm.

    Box & Cox, An analysis of transformations, Journal of the Royal Statistical Society B 26(2), 1964, p. 214. Square
    roots instead of a logarithm because IEEE 754 rounds them correctly.
    """
    exact = values.astype(np.float64)
    root = 1.0 + np.abs(exact)
    for _ in range(ROOTS):
        root = np.sqrt(root)
    return np.asarray((root - 1.0) * 2.0**ROOTS * np.sign(exact), dtype=np.float64)


def fit_autoencoder(
    genuine: NDArray[np.float32],
    settings: AutoencoderSettings,
    rng: np.random.Generator,
    features: tuple[Feature, ...] = FEATURES,
) -> Autoencoder:
    """Train on genuine events, float32 [n, F] (a sample of at most `rows_max`, drawn with `rng`)."""
    if len(genuine) > settings.rows_max:
        genuine = genuine[np.sort(rng.choice(len(genuine), settings.rows_max, replace=False))]
    compressed = np.array([feature.kind == "number" for feature in features])
    centre, inverse_scale = _robust_scale(np.where(compressed, compress(genuine), genuine.astype(np.float64)))
    standard = Autoencoder(compressed, centre, inverse_scale, (), ())
    inputs = standard.standardise(genuine)
    network = MLPRegressor(
        hidden_layer_sizes=settings.hidden,
        activation="relu",
        solver="adam",
        batch_size=min(settings.batch, len(inputs)),
        learning_rate_init=settings.learning_rate,
        random_state=int(rng.integers(2**31)),
    )
    for _ in range(settings.epochs):
        network.partial_fit(inputs, inputs)
    weights = tuple(to_grid(weight) for weight in network.coefs_)
    biases = tuple(to_grid(bias) for bias in network.intercepts_)
    _check_bound(weights, biases)
    return Autoencoder(compressed, centre, inverse_scale, weights, biases)


def _robust_scale(spread: Matrix) -> tuple[Matrix, Matrix]:
    """Median and inverse scale of each column, missing values left out. The scale is the interquartile range as a
    normal deviation (/1.349), or the standard deviation where that range is nil (flags, rare values)."""
    centre = np.zeros(spread.shape[1])
    inverse_scale = np.ones(spread.shape[1])
    for column in range(spread.shape[1]):
        known = spread[~np.isnan(spread[:, column]), column]
        if known.size == 0:
            continue
        low, centre[column], high = np.quantile(known, (0.25, 0.5, 0.75))
        scale = (high - low) / 1.349 or float(known.std())
        inverse_scale[column] = 1.0 / scale if scale > 1e-9 else 1.0
    return centre, inverse_scale


def _check_bound(weights: tuple[Matrix, ...], biases: tuple[Matrix, ...]) -> None:
    """Largest sum that any layer can reach, given the clipped activations: beyond `SUM_LIMIT` it might be rounded."""
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        reach = float((np.abs(weight).sum(axis=0) * ACTIVATION_LIMIT + np.abs(bias)).max())
        if not reach < SUM_LIMIT:
            raise ArithmeticError(
                f"autoencoder layer {layer} reaches {reach:.3g}, over the exact bound {SUM_LIMIT:.3g}"
            )
