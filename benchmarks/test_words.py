"""Putting decisions into words by the kernel, beside making an object of each and encoding it."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.by_turns import by_turns, note_rate
from models.features.catalog import FEATURES
from rules.pack import APPROVE, Verdicts
from scorer.judgement import BY_MODEL, Judgement
from scorer.words.answers import Answers, Speaker
from scorer.words.decided import Decided
from streams.codec import encode_decision

BATCH = 256
OF_ENCODING_MAX = {1: (1.3, 1.7), 4: (1.2, 1.5), 32: (0.68, 1.15), BATCH: (0.4, 0.8)}


def decided(count: int) -> Decided:
    """So many approvals of the model."""
    rng = np.random.default_rng(count)
    judged = Judgement(
        np.full(count, APPROVE, np.int8),
        np.full(count, BY_MODEL, np.int8),
        rng.random(count),
        rng.normal(-3, 2, count).astype(np.float32),
        np.zeros(count, np.float32),
    )
    nothing = np.zeros(count, np.int8)
    verdicts = Verdicts(nothing, nothing.astype(np.int16), np.zeros((count, 20), np.bool_), np.zeros(count))
    values = rng.lognormal(2.0, 1.5, (count, len(FEATURES))).astype(np.float32)
    stages = {"features": 123_456, "rules": 12_345, "model": 234_567, "table_wait": 0}
    return Decided([f"tx-{row:010d}" for row in range(count)], values, verdicts, judged, stages)


def said(of: Decided) -> Answers:
    """Its decisions; no rule gives a reason."""
    pack: Any = SimpleNamespace(version="0123456789ab", reasons=lambda fired, values: [])
    return Answers(of, Speaker(pack, "ba9876543210", "worker-1", tells_all=False), 10**15)


def written(of: Decided) -> list[bytes]:
    """In words, emitted together."""
    return list(said(of).written(0, len(of.ids), time.monotonic_ns).values)


def encoded(of: Decided) -> list[bytes]:
    """One by one."""
    return [encode_decision(decision) for decision in said(of).decisions(time.monotonic_ns)]


@pytest.mark.parametrize("count", [1, 4, 32, BATCH])
def test_write_decisions(benchmark: Any, count: int) -> None:
    benchmark(written, decided(count))
    note_rate(benchmark, "decisions", count)


@pytest.mark.parametrize("count", [1, 4, 32, BATCH])
def test_beside_encoding_each(count: int) -> None:
    of, times = decided(count), max(1, 200 // count)
    turns = by_turns(
        lambda _: [written(of) for _ in range(times)], lambda _: [encoded(of) for _ in range(times)], rounds=200
    )
    turns.hold("encoding each", *OF_ENCODING_MAX[count])
