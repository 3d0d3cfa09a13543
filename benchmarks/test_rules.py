"""The rule kernel beside the same rules as numpy masks over columns; ratios on one machine, no absolute times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.by_turns import by_turns, note_rate, repeated
from models.features.catalog import FEATURE_INDEX, FEATURES
from rules.columns import Column
from rules.language import AllOf, AnyOf, Comparison, Condition, Negation
from rules.pack import RulePack, load_pack
from streams.transaction import CHANNELS

PACK = Path(__file__).parents[1] / "rules" / "fraud.yaml"
KERNEL_MAX = {1: 0.0068, 256: 0.06, 8_192: 0.8}
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


@pytest.mark.parametrize("count", [1, 256, 8_192])
def test_decide(benchmark: Any, pack: RulePack, count: int) -> None:
    values = rows(count)
    benchmark(pack.decide, values)
    note_rate(benchmark, "rows", count)


def test_reasons(benchmark: Any, pack: RulePack) -> None:
    row = rows(1)[0]
    fired = np.zeros(len(pack.rules), dtype=np.bool_)
    fired[:3] = True
    assert len(benchmark(pack.reasons, fired, row)) == 3


@pytest.mark.parametrize(("count", "times"), [(1, 100), (256, 10), (8_192, 1)])
def test_the_kernel_beats_masks_over_columns(pack: RulePack, count: int, times: int) -> None:
    values = rows(count)
    assert pack.decide(values).fired.tolist() == masked(pack, values).tolist()
    turns = by_turns(
        repeated(times, lambda: pack.decide(values)), repeated(times, lambda: masked(pack, values)), rounds=20
    )
    turns.hold("masks over columns", KERNEL_MAX[count])
