"""The whole way in process: JSON of events in, JSON of decisions out, as an engine goes it between its topics.

The floor is what no scorer with this model is spared: decoding the events, the bare onnxruntime session on as many
rows, encoding as many decisions.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnxruntime
import pytest

from benchmarks.by_turns import by_turns, note_rate
from benchmarks.test_pipeline import BATCH, Scorer
from models.bundle import Bundle
from models.features.catalog import FEATURES
from models.onnx_model import session_options
from scorer.messages import Origin
from streams.codec import decode_transactions, encode, encode_decision

NOWHERE = Origin("", 0, 0)
WHOLE_MAX = {1: (5.1, 5.6), BATCH: (1.7, 2.1)}


@pytest.fixture
def scorer(bundle: Bundle) -> Iterator[Scorer]:
    made = Scorer(bundle)
    yield made
    made.guard.close()


def messages(scorer: Scorer, count: int) -> list[bytes]:
    """The next events, as they come from a topic."""
    return [encode(event) for event in scorer.events(count)]


def answered(scorer: Scorer, values: list[bytes]) -> list[bytes]:
    """From bytes to bytes."""
    batch = scorer.pipeline.take(values, lambda _: NOWHERE).batch
    assert batch is not None
    words = scorer.pipeline.write(batch, 0)
    together = words(BATCH).values
    assert not words(BATCH).values
    return list(together)


def floor(bundle: Bundle, scorer: Scorer, count: int) -> Callable[[list[bytes]], object]:
    """See the module."""
    session = onnxruntime.InferenceSession(bundle.graph, session_options(), providers=["CPUExecutionProvider"])
    rows = np.random.default_rng(1).lognormal(2.0, 1.5, (count, len(FEATURES))).astype(np.float32)
    decisions = scorer.decided(scorer.events(count))

    def spared_nobody(values: list[bytes]) -> None:
        decode_transactions(values)
        session.run(None, {"features": rows})
        for decision in decisions:
            encode_decision(decision)

    return spared_nobody


@pytest.mark.parametrize("count", [1, BATCH])
def test_messages_to_messages(benchmark: Any, scorer: Scorer, count: int) -> None:
    benchmark.pedantic(
        lambda values: answered(scorer, values), setup=lambda: ((messages(scorer, count),), {}), rounds=200
    )
    note_rate(benchmark, "events", count)
    assert scorer.pipeline.counters.repeated == 0


@pytest.mark.parametrize(("count", "rounds"), [(1, 500), (BATCH, 300)])
def test_beside_what_no_scorer_is_spared(bundle: Bundle, scorer: Scorer, count: int, rounds: int) -> None:
    assert len(answered(scorer, messages(scorer, count))) == count
    turns = by_turns(
        lambda values: answered(scorer, values),
        floor(bundle, scorer, count),
        rounds,
        lambda: messages(scorer, count),
    )
    turns.hold("the floor", *WHOLE_MAX[count])
