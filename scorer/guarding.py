"""The guards of a worker's model: breaker, bulkhead, time limit, faults on purpose, and where late scores are kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle import Bundle
from models.onnx_model import ModelOutput, OnnxModel
from scorer.breaker import CircuitBreaker
from scorer.clock import ClockNs
from scorer.guarded_model import GuardedModel, Model
from scorer.judgement import judge_by_model
from scorer.late_scores import LateScores
from scorer.model_faults import failing, fault_view
from scorer.options import RunOptions


@dataclass(frozen=True, slots=True)
class Guarding:
    """A guarded model, its breaker, and where late scores go."""

    guard: GuardedModel
    breaker: CircuitBreaker
    late_scores: LateScores


@contextmanager
def guarding(options: RunOptions, clock_ns: ClockNs, bundle: Bundle, model: OnnxModel) -> Iterator[Guarding]:
    """The model behind its guards, until the context is left."""
    breaker = CircuitBreaker(options.breaker, clock_ns)
    faults = fault_view(options)
    with _late_scores(options, bundle, clock_ns) as late_scores:
        guard = GuardedModel(
            lambda: failing(abortable(model), faults), breaker, clock_ns, options.guards, on_late=late_scores.take
        )
        try:
            yield Guarding(guard, breaker, late_scores)
        finally:
            guard.close()


def _late_scores(options: RunOptions, bundle: Bundle, clock_ns: ClockNs) -> LateScores:
    return LateScores(
        options.late_scores,
        lambda margin: judge_by_model(margin, bundle.thresholds, bundle.calibration),
        clock_ns,
        time_limit_s=options.guards.time_limit_s,
        worker=options.worker,
        model_version=bundle.model_version,
    )


def abortable(model: OnnxModel) -> Model:
    """A caller of the model, and what stops the call that it has under way (which then raises)."""
    run_options: Any = onnxruntime.RunOptions()

    def score(values: NDArray[np.float32]) -> ModelOutput:
        run_options.terminate = False
        return model.score(values, run_options)

    def abort() -> None:
        run_options.terminate = True

    return Model(score, abort)
