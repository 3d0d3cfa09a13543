"""A model that may decide: a bundle behind guards of its own, tried out before it meets an event."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.explain import Explainer
from models.onnx_model import OnnxModel
from rules.pack import RulePack
from scorer.clock import ClockNs
from scorer.explaining import ExplainedBy
from scorer.guarded_model import GuardedModel
from scorer.guarding import guarding
from scorer.judgement import Judge
from scorer.options import RunOptions
from streams.rollout import Candidate

ROUNDS = 3
EXPLAINED = 8


class KeepsLate(Protocol):
    """Keeps what overdue model calls come to (`scorer.late_scores.LateScores`)."""

    def expect(self, rows: NDArray[np.float32], event_ids: list[str]) -> None:
        """An overdue call was made for these very rows, of these events."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Rules and a guarded model, who explains its scores, and where its late scores go."""

    model_version: str
    judge: Judge
    explained: ExplainedBy | None = None
    late_scores: KeepsLate | None = None
    guard: GuardedModel | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """What a worker was started with, and every candidate has to fit."""

    options: RunOptions
    bundle: Bundle
    pack: RulePack
    clock_ns: ClockNs


def check_fits(candidate: Candidate, bundle: Bundle, champion: Bundle) -> None:
    """Raises BundleError saying in what the candidate differs from the bundle the worker was started with, where the
    two must agree: state, rules and day tables are shared."""
    where = f"candidate bundle {bundle.directory}"
    if bundle.model_version != candidate.model_version:
        raise BundleError(
            f"{where} is {bundle.model_version}, the plan says {candidate.model_version}: it was changed since"
        )
    for what, found, needed in (
        ("is for the domain", bundle.manifest["domain"], champion.manifest["domain"]),
        ("has the categories", bundle.category_names, champion.category_names),
        ("has the channels", bundle.channel_names, champion.channel_names),
        ("takes a label delay (days) of", bundle.label_delay_days, champion.label_delay_days),
    ):
        if found != needed:
            raise BundleError(
                f"{where} {what} {found}, the champion {champion.model_version} {needed}: train it so too"
            )


@contextmanager
def contender(candidate: Candidate, home: Home) -> Iterator[Contender]:
    """Load, check and try a candidate out; its guards stand until the context is left.

    Raises BundleError saying why it cannot be used: damaged, of other features, of another world, or unable to score.
    """
    bundle = Bundle.load(candidate.bundle, home.bundle.feature_names)
    check_fits(candidate, bundle, home.bundle)
    model, explainer = OnnxModel(bundle), Explainer(bundle)
    _try_out(bundle, model, explainer, home.options.batch_max)
    late = home.options.late_scores
    apart = home.options if late is None else replace(home.options, late_scores=_beside(late, bundle.model_version))
    with guarding(apart, home.clock_ns, bundle, model) as guards:
        yield Contender(
            bundle.model_version,
            Judge(home.pack, guards.guard, bundle.calibration, bundle.thresholds),
            ExplainedBy(explainer, bundle.model_version),
            guards.late_scores,
            guards.guard,
        )


def _beside(path: Path, model_version: str) -> Path:
    return path.with_name(f"{path.stem}-{model_version}{path.suffix}")


def _try_out(bundle: Bundle, model: OnnxModel, explainer: Explainer, batch_max: int) -> None:
    """Score and explain made-up rows, so that no event meets a cold graph, or one that cannot score."""
    width = len(bundle.feature_names)
    for count in (1, batch_max) * ROUNDS:
        rows = np.full((count, width), np.nan, np.float32)
        rows[::2] = 1.0
        try:
            output = model.score(rows)
        except Exception as error:  # onnxruntime raises a dozen types of its own, none of them public
            raise BundleError(f"candidate bundle {bundle.directory} cannot score {count} rows: {error}") from error
        if output.margin.shape != (count,) or not np.isfinite(output.margin).all():
            raise BundleError(
                f"candidate bundle {bundle.directory} gives margins of shape {list(output.margin.shape)} for {count} "
                "rows, or some that are not finite"
            )
        few = slice(0, min(count, EXPLAINED))
        list(explainer.told(rows[few], output.reconstruction_error[few], 3))
