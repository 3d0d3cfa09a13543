"""Features + rules + guarded model beside onnxruntime alone, on the same machine in the same run.

The pipeline is measured on coded columns (kernel, rule program, guard, model, outcome): what a decision costs before
it is put into words. Beside it the whole way from messages to `Decision` structs, as the engines go it (JSON is not
in it). No rule decides here, because the bundle's vocabulary is empty: every row goes through to the model.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.by_turns import by_turns, note_rate
from models.bundle import Bundle
from models.features.batch import TransactionBatch
from models.features.state import FeatureState
from models.onnx_model import OnnxModel, session_options
from scorer.assembly import load_rules, vocabulary_of
from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.counters import Counters
from scorer.event_clock import Plausible
from scorer.guarded_model import GuardedModel
from scorer.guarding import abortable
from scorer.judgement import BY_MODEL, Judge, Judgement
from scorer.pipeline import Parts, Pipeline
from streams.codec import table_to_transactions
from streams.decision import Decision
from streams.labels import NS_PER_DAY
from streams.transaction import CardTransaction
from tests.scorer_case import make_world

RULES = Path(__file__).parents[1] / "rules" / "fraud.yaml"
BATCH = 256
HISTORY = 8_000  # of 40 cards: 200 events each, 40 days
LAP_DAYS = 90
LAP_NS = LAP_DAYS * NS_PER_DAY
SINGLE_ROW_MAX = 4.0
BATCH_SHARE_MIN = 0.6
BY_TURNS_MAX = {1: (3.8, 4.4), BATCH: (2.4, 3.0)}


class Scorer:
    """Pipeline and model over one bundle; events of a small world, by columns and as messages, without end."""

    def __init__(self, bundle: Bundle) -> None:
        self.world: pa.Table = make_world(seed=5)[0]
        self.state = FeatureState.empty(vocabulary_of(bundle))
        breaker = CircuitBreaker(BreakerConfig(), time.monotonic_ns)
        model = OnnxModel(bundle)
        self.guard = GuardedModel(lambda: abortable(model), breaker, time.monotonic_ns)
        self.judge = Judge(load_rules(RULES, bundle), self.guard, bundle.calibration, bundle.thresholds)
        parts = Parts(self.state, self.judge, bundle.model_version)
        self.pipeline = Pipeline(
            parts, clock_ns=time.monotonic_ns, worker="w", counters=Counters(), plausible=Plausible(LAP_DAYS, LAP_DAYS)
        )
        self.state.compute(self.state.code_table(self.world.slice(0, HISTORY)))
        self.at, self.lap = HISTORY, 0

    def events(self, count: int) -> list[CardTransaction]:
        """The next events; after the last one the stream begins again, later and under other ids."""
        if self.at + count > len(self.world):
            self.at, self.lap = HISTORY, self.lap + 1
        part = self.world.slice(self.at, count)
        self.at += count
        return [
            msgspec.structs.replace(
                event, event_id=f"{self.lap}-{event.event_id}", event_time_ns=event.event_time_ns + self.lap * LAP_NS
            )
            for event in table_to_transactions(part)
        ]

    def columns(self, count: int) -> TransactionBatch:
        """The next events, coded."""
        return self.state.code_events(self.events(count))

    def judged(self, batch: TransactionBatch) -> Judgement:
        """Kernel, rules and guarded model on coded columns."""
        return self.judge.decide(self.state.compute(batch).values)[1]

    def decided(self, events: list[CardTransaction]) -> list[Decision]:
        """From messages to decisions."""
        return list(self.pipeline.decide(self.pipeline.prepare(events), 0))


@pytest.fixture
def scorer(bundle: Bundle) -> Iterator[Scorer]:
    made = Scorer(bundle)
    yield made
    made.guard.close()


def fastest_s(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The least time of each, called in turns: what neighbours on the machine add is left out of both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, times in zip((first, second), taken, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return min(taken[0]), min(taken[1])


def onnx_alone(bundle: Bundle, scorer: Scorer, count: int) -> Callable[[], object]:
    """The bare session on as many feature rows of the same world."""
    session = onnxruntime.InferenceSession(bundle.graph, session_options(), providers=["CPUExecutionProvider"])
    state = FeatureState.empty(scorer.state.vocabulary)
    values = np.ascontiguousarray(state.compute(state.code_table(scorer.world)).values[-count:])
    return lambda: session.run(None, {"features": values})


@pytest.mark.parametrize(("count", "rounds"), [(1, 400), (BATCH, 100)])
def test_the_pipeline_beside_onnxruntime_alone(bundle: Bundle, scorer: Scorer, count: int, rounds: int) -> None:
    batches = iter([scorer.columns(count) for _ in range(rounds + 1)])
    assert (scorer.judged(next(batches)).path == BY_MODEL).all()
    alone, whole = fastest_s(onnx_alone(bundle, scorer, count), lambda: scorer.judged(next(batches)), rounds)
    if count == 1:
        assert whole <= SINGLE_ROW_MAX * alone, f"{whole / alone:.2f} times onnxruntime alone"
    else:
        assert alone >= BATCH_SHARE_MIN * whole, f"{alone / whole:.0%} of onnxruntime's rows a second"


@pytest.mark.parametrize(("count", "rounds"), [(1, 1_000), (BATCH, 300)])
def test_its_p99_beside_onnxruntimes_own(bundle: Bundle, scorer: Scorer, count: int, rounds: int) -> None:
    alone = onnx_alone(bundle, scorer, count)
    turns = by_turns(scorer.judged, lambda _: alone(), rounds, lambda: scorer.columns(count))
    turns.hold("onnxruntime alone", *BY_TURNS_MAX[count])


@pytest.mark.parametrize("count", [1, BATCH])
def test_onnxruntime_alone(benchmark: BenchmarkFixture, bundle: Bundle, scorer: Scorer, count: int) -> None:
    benchmark(onnx_alone(bundle, scorer, count))
    note_rate(benchmark, "rows", count)


@pytest.mark.parametrize("count", [1, BATCH])
def test_features_rules_and_model(benchmark: BenchmarkFixture, scorer: Scorer, count: int) -> None:
    benchmark.pedantic(scorer.judged, setup=lambda: ((scorer.columns(count),), {}), rounds=200)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "events", count)


@pytest.mark.parametrize("count", [1, BATCH])
def test_messages_to_decisions(benchmark: BenchmarkFixture, scorer: Scorer, count: int) -> None:
    benchmark.pedantic(scorer.decided, setup=lambda: ((scorer.events(count),), {}), rounds=200)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "events", count)
    assert scorer.pipeline.counters.repeated == 0
