"""A pipeline whose model is changed: fake models whose margin is the amount over 100, minus some number."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle import BundleError, Thresholds
from models.calibration import UNCALIBRATED
from models.onnx_model import ModelOutput
from scorer.guarded_model import Fallback, Guarded
from scorer.judgement import Judge
from scorer.pipeline import Pipeline
from scorer.rollout.contender import Contender
from scorer.rollout.rollout import Rollout
from scorer.rollout.watching import PlanWatch
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.rollout import NO_PLAN, Candidate, Phase, RolloutPlan, RolloutStep, write_plan
from tests.unit.scorer.test_pipeline import AMOUNT, FakePack, make_pipeline

START_NS = 20_000 * NS_PER_DAY
A, B, BROKEN = (
    Candidate(bundle=f"/bundles/{name}", model_version=name) for name in ("model-a", "model-b", "model-broken")
)
MINUS = {"model-1": 10.0, "model-a": 5.0, "model-b": 20.0}


class Guard:
    """Counts its calls; `down`: gives nothing."""

    def __init__(self, minus: float) -> None:
        self.minus, self.calls, self.down = np.float32(minus), 0, False

    def score(self, values: np.ndarray) -> Guarded:
        self.calls += 1
        if self.down:
            return Guarded(None, Fallback("open", "the breaker is open"))
        margin = (values[:, AMOUNT] / np.float32(100) - self.minus).astype(np.float32)
        return Guarded(ModelOutput(margin, np.zeros(len(values), np.float32)))


class Bench:
    """A pipeline, its plan's file, and the guards of its models. Candidates are opened by the caller's thread."""

    def __init__(self, folder: Path, plan: RolloutPlan = NO_PLAN, keep: Path | None = None) -> None:
        self.path, self.pack = folder / "plan", FakePack()
        self.guards = {name: Guard(minus) for name, minus in MINUS.items()}
        self.opened: list[str] = []
        if not self.path.exists():
            write_plan(self.path, plan)
        self.watch = PlanWatch(self.path, self._open, keep)
        self.watch.begin()
        self.pipeline: Pipeline = make_pipeline()
        self.rollout = Rollout(self._contender("model-1"), self.watch)
        self.pipeline.change_by(self.rollout)

    def tell(self, plan: RolloutPlan) -> None:
        write_plan(self.path, plan)
        self.watch.look()

    def _contender(self, name: str) -> Contender:
        pack: Any = self.pack
        guard: Any = self.guards[name]
        return Contender(name, Judge(pack, guard, UNCALIBRATED, Thresholds(0.5, 0.9)))

    @contextmanager
    def _open(self, candidate: Candidate) -> Iterator[Contender]:
        self.opened.append(candidate.model_version)
        if candidate == BROKEN:
            raise BundleError("bundle file model.onnx is corrupted")
        yield self._contender(candidate.model_version)


def step(phase: Phase, hour: float = 0, candidate: Candidate = A, share: float = 0.5) -> RolloutStep:
    """A step that begins with the events of that hour (`tests.unit.scorer.test_pipeline.event` is one an hour)."""
    return RolloutStep(
        phase=phase,
        from_event_time_ns=round(START_NS + hour * NS_PER_HOUR) if hour else 0,
        candidate=candidate,
        share=share if phase == "canary" else None,
    )


def plan(*steps: RolloutStep, hold_hour: float | None = None) -> RolloutPlan:
    hold = None if hold_hour is None else round(START_NS + hold_hour * NS_PER_HOUR)
    return RolloutPlan(steps=steps, hold_event_time_ns=hold)
