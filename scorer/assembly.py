"""Puts a worker together from its files: bundle, rules, warm state, guards."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.explain import Explainer
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES, Feature
from models.features.state import FeatureState
from models.onnx_model import ModelOutput, OnnxModel
from rules.columns import Column
from rules.pack import RulePack, load_pack
from scorer.breaker import CircuitBreaker
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.explaining import Explaining, Outlet
from scorer.guarded_model import GuardedModel, Model
from scorer.judgement import Judge, judge_by_model
from scorer.late_scores import LateScores
from scorer.model_faults import failing, fault_view
from scorer.options import RunOptions, required
from scorer.pipeline import Parts, Pipeline
from scorer.rehearsal import rehearse
from scorer.state_files import load_features

log = logging.getLogger("riskbench.scorer")

GC_THRESHOLDS = (50_000, 20, 100)
"""Collections of young objects are rare and short; the old ones are frozen before the first event."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A pipeline ready to decide, and what stands around it."""

    pipeline: Pipeline
    explainer: Explainer
    guard: GuardedModel
    breaker: CircuitBreaker
    late_scores: LateScores
    counters: Counters
    bundle: Bundle
    state: FeatureState


def rule_columns(vocabulary: Vocabulary) -> list[Column]:
    """The catalogue as columns a rule may speak of, with the bundle's categories."""
    names = {"category_code": vocabulary.category, "channel_code": vocabulary.channel}
    return [_column(feature, names.get(feature.name, ())) for feature in FEATURES]


def _column(feature: Feature, categories: tuple[str, ...]) -> Column:
    return Column(feature.name, feature.kind, feature.low, feature.high, categories, feature.unit, feature.family)


def vocabulary_of(bundle: Bundle) -> Vocabulary:
    """The categories and channels the model was trained on."""
    return Vocabulary(bundle.category_names, bundle.channel_names)


def load_rules(path: Path, bundle: Bundle) -> RulePack:
    """The rule pack, checked against the catalogue and the bundle's categories."""
    return load_pack(path, rule_columns(vocabulary_of(bundle)))


@contextmanager
def worker(options: RunOptions, clock_ns: ClockNs) -> Iterator[Worker]:
    """Load and verify everything, rehearse it so that the first event meets nothing cold, and freeze it.

    Raises `BundleError`, `RuleError` or `BadInputError` naming the file and what is wrong with it.
    """
    bundle = Bundle.load(required(options.bundle, "--bundle", f"engine {options.engine}"))
    pack = load_rules(options.rules, bundle)
    state = state_of(options.state, bundle)
    breaker = CircuitBreaker(options.breaker, clock_ns)
    model = OnnxModel(bundle)
    faults = fault_view(options)
    counters = Counters()
    with _late_scores(options, bundle, clock_ns) as late_scores:
        guard = GuardedModel(
            lambda: failing(abortable(model), faults), breaker, clock_ns, options.guards, on_late=late_scores.take
        )
        parts = Parts(state, Judge(pack, guard, bundle.calibration, bundle.thresholds), bundle.model_version)
        explainer = Explainer(bundle)
        pipeline = Pipeline(
            parts,
            clock_ns=clock_ns,
            worker=options.worker,
            counters=counters,
            explain=options.explain,
            plausible=options.plausible,
        )
        pipeline.keep_late_scores(late_scores)
        try:
            rehearse(parts, model.score, explainer, options.batch_max)
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            yield Worker(pipeline, explainer, guard, breaker, late_scores, counters, bundle, state)
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


@contextmanager
def explaining_thread(made: Worker, outlet: Outlet, options: RunOptions, clock_ns: ClockNs) -> Iterator[Explaining]:
    """The thread that explains this worker's scores, from now to the end; the engine drains it before it ends."""
    explaining = Explaining(
        made.explainer,
        outlet,
        made.counters,
        clock_ns,
        worker=options.worker,
        model_version=made.bundle.model_version,
    )
    made.pipeline.explain_by(explaining)
    explaining.start()
    try:
        yield explaining
    finally:
        explaining.close()


def abortable(model: OnnxModel) -> Model:
    """A caller of the model, and what stops the call that it has under way (which then raises)."""
    run_options: Any = onnxruntime.RunOptions()

    def score(values: NDArray[np.float32]) -> ModelOutput:
        run_options.terminate = False
        return model.score(values, run_options)

    def abort() -> None:
        run_options.terminate = True

    return Model(score, abort)


def state_of(directory: Path | None, bundle: Bundle) -> FeatureState:
    """The warm state, checked against the bundle; an empty one without a directory."""
    vocabulary = vocabulary_of(bundle)
    if directory is None:
        log.warning("no --state: every card and place is new to this worker")
        return FeatureState.empty(vocabulary)
    state = load_features(directory)
    if state.vocabulary != vocabulary:
        raise BundleError(
            f"state {directory} was made with another vocabulary of categories or channels than bundle "
            f"{bundle.directory}; make it again with `python -m scorer warm`"
        )
    return state
