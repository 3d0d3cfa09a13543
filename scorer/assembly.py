"""Puts a worker together from its files: bundle, rules, warm state, guards."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.bundle import Bundle, BundleError
from models.explain import Explainer
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES, Feature
from models.features.state import FeatureState
from models.freezing import freeze
from models.onnx_model import OnnxModel
from rules.columns import Column
from rules.pack import RulePack, load_pack
from scorer.breaker import CircuitBreaker
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.explaining import Explaining, Outlet
from scorer.guarded_model import GuardedModel
from scorer.guarding import guarding
from scorer.judgement import Judge
from scorer.late_scores import LateScores
from scorer.options import RunOptions, required
from scorer.pipeline import Parts, Pipeline
from scorer.rehearsal import rehearse
from scorer.rollout.changing import changing
from scorer.rollout.contender import Contender, Home
from scorer.state_files import load_features

log = logging.getLogger("riskbench.scorer")


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
    model, counters, explainer = OnnxModel(bundle), Counters(), Explainer(bundle)
    with guarding(options, clock_ns, bundle, model) as guards:
        parts = Parts(state, Judge(pack, guards.guard, bundle.calibration, bundle.thresholds), bundle.model_version)
        pipeline = Pipeline(
            parts,
            clock_ns=clock_ns,
            worker=options.worker,
            counters=counters,
            explain=options.explain,
            plausible=options.plausible,
        )
        pipeline.keep_late_scores(guards.late_scores)
        rehearse(parts, model.score, explainer, options.batch_max)
        champion = Contender(bundle.model_version, parts.judge, None, guards.late_scores)
        with changing(pipeline, champion, Home(options, bundle, pack, clock_ns)):
            freeze()
            yield Worker(pipeline, explainer, guards.guard, guards.breaker, guards.late_scores, counters, bundle, state)


class Explains(Protocol):
    """A pipeline that hands over rows to be explained."""

    def explain_by(self, explaining: Explaining) -> None:
        """From now on."""


class Explained(Protocol):
    """A worker whose scores can be explained."""

    @property
    def pipeline(self) -> Explains:
        """What decides."""

    @property
    def explainer(self) -> Explainer:
        """What explains."""

    @property
    def counters(self) -> Counters:
        """What counts."""

    @property
    def bundle(self) -> Bundle:
        """What the scores are of."""


@contextmanager
def explaining_thread(made: Explained, outlet: Outlet, options: RunOptions, clock_ns: ClockNs) -> Iterator[Explaining]:
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
