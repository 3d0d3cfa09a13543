"""The rule kernel beside the same rules as numpy masks over columns; ratios on one machine, no absolute times."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.features.catalog import FEATURE_INDEX, FEATURES
from rules.columns import Column
from rules.language import AllOf, AnyOf, Comparison, Condition, Negation
from rules.pack import RulePack, load_pack
from streams.transaction import CHANNELS

PACK = Path(__file__).parents[1] / "rules" / "fraud.yaml"
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@pytest.fixture(scope="module")
def pack() -> RulePack:
    vocabulary = {"channel_code": CHANNELS}
    return load_pack(
        PACK, [Column(f.name, f.kind, f.low, f.high, vocabulary.get(f.name, ()), f.unit) for f in FEATURES]
    )


def rows(count: int) -> Floats:
    generator = np.random.default_rng(3)
    values = generator.uniform(0, 12, (count, len(FEATURES))).astype(np.float32)
    values[:, FEATURE_INDEX["channel_code"]] = generator.integers(0, 4, count)
    for name in ("is_new_merchant", "is_new_device", "is_new_country", "is_night"):
        values[:, FEATURE_INDEX[name]] = generator.integers(0, 2, count)
    return values


def mask(condition: Condition, values: Floats) -> Mask:
    """A condition as numpy would have it: whole columns, no short cuts."""
    if isinstance(condition, Comparison):
        return compared(condition, values[:, FEATURE_INDEX[condition.column]])
    if isinstance(condition, Negation):
        return ~mask(condition.not_, values)
    parts = [mask(part, values) for part in (condition.all if isinstance(condition, AllOf) else condition.any)]
    joined = np.any(parts, axis=0) if isinstance(condition, AnyOf) else np.all(parts, axis=0)
    return np.asarray(joined, dtype=np.bool_)


def compared(comparison: Comparison, column: Floats) -> Mask:
    value: Any = comparison.value(comparison.operator)
    tests: dict[str, Callable[[], Any]] = {
        "at_least": lambda: column >= value,
        "above": lambda: column > value,
        "at_most": lambda: column <= value,
        "below": lambda: column < value,
        "is": lambda: column == CHANNELS.index(value),
        "in": lambda: np.isin(column, [CHANNELS.index(each) for each in value]),
        "is_true": lambda: column == float(value),
        "is_missing": lambda: np.isnan(column) == value,
    }
    return np.asarray(tests[comparison.operator](), dtype=np.bool_)


def masked(pack: RulePack, values: Floats) -> Mask:
    return np.stack([mask(rule.when, values) for rule in pack.rules], axis=1)


def best_s(function: Callable[[], Any], repeats: int) -> float:
    def once() -> float:
        begin = time.perf_counter()
        function()
        return time.perf_counter() - begin

    return min(once() for _ in range(repeats))


@pytest.mark.parametrize("count", [1, 256, 8_192])
def test_decide(benchmark: Any, pack: RulePack, count: int) -> None:
    values = rows(count)
    benchmark(pack.decide, values)


def test_reasons(benchmark: Any, pack: RulePack) -> None:
    row = rows(1)[0]
    fired = np.zeros(len(pack.rules), dtype=np.bool_)
    fired[:3] = True
    assert len(benchmark(pack.reasons, fired, row)) == 3


@pytest.mark.parametrize(("count", "ratio_min"), [(1, 10), (256, 10), (8_192, 1)])
def test_the_kernel_beats_masks_over_columns(pack: RulePack, count: int, ratio_min: float) -> None:
    values = rows(count)
    assert pack.decide(values).fired.tolist() == masked(pack, values).tolist()
    kernel = best_s(lambda: pack.decide(values), 50)
    masks = best_s(lambda: masked(pack, values), 10)
    assert masks > ratio_min * kernel
