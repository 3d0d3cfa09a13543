"""A worker's rollout: takes plans between micro-batches, decides rows by them, and says how far it has come."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.pack import Verdicts
from scorer.breaker import CircuitBreaker
from scorer.guarded_model import GuardedModel
from scorer.judgement import BY_FALLBACK, Judgement
from scorer.rollout.canary import CanaryKeys
from scorer.rollout.contender import Contender
from scorer.rollout.judging import Cast, Decided, decide_stages
from scorer.rollout.stages import Stage, stage_of_events
from scorer.rollout.watching import PlanWatch, Prepared
from streams.rollout import Candidate

log = logging.getLogger("riskbench.scorer")

NO_STAGE = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """Events whose decisions are asked for: ids, `times_ns` int64 [n], and their keys (cards), `codes` int32 [n]."""

    ids: Sequence[str]
    times_ns: NDArray[np.int64]
    keys: Sequence[str]
    codes: NDArray[np.int32]


class Rollout:
    """Used by the one thread that decides; `summary` by any. `champion` is what the worker was started with."""

    def __init__(self, champion: Contender, watch: PlanWatch) -> None:
        self._champion = champion
        self._watch = watch
        self._now = Prepared()
        self._canaries: dict[str, CanaryKeys] = {}
        self._newest_ns = 0
        self._late_steps = 0
        self._decided_by: Counter[str] = Counter()
        self._shadowed_by: Counter[str] = Counter()
        self.holding_at_ns: int | None = None
        """Where the in-process engine stands still, while it does."""
        self.held_ns = 0
        """How long it has stood still up to now."""
        self.take()

    @property
    def hold_ns(self) -> int | None:
        """The event time at which the in-process engine has to wait."""
        return self._now.plan.hold_event_time_ns

    def take(self) -> None:
        """Between two micro-batches: from now on go by the plan laid ready, if it is another one."""
        prepared = self._watch.prepared
        if prepared is self._now:
            return
        for stage in prepared.stages[len(self._now.stages) :]:
            log.info("rollout: %s from event time %d on", stage.phase, stage.from_ns)
            if 0 < stage.from_ns <= self._newest_ns:
                self._late_steps += 1
                log.warning(
                    "rollout: %s begins at event time %d, but events up to %d are decided: some of them without it",
                    stage.phase, stage.from_ns, self._newest_ns,
                )  # fmt: skip
        self._now = prepared

    def decide(self, rows: Rows, values: NDArray[np.float32], verdicts: Verdicts, *, again: bool = False) -> Decided:
        """Decide rows (float32 [n, F]) by the stage of each one's event time. `again`: they are decided already, and
        not counted."""
        if len(rows.ids):
            self._newest_ns = max(self._newest_ns, int(rows.times_ns.max()))
        found = stage_of_events(self._now.stages, rows.times_ns)
        places = np.unique(found).tolist() or [NO_STAGE]
        casts = []
        for place in places:
            of_stage = np.flatnonzero(found == place)
            casts.append((self._cast(place, rows, of_stage), of_stage))
        decided = decide_stages(casts, values, verdicts, lambda of_stage: self._late(rows.ids, of_stage))
        if not again:
            self._count(decided)
        return decided

    def summary(self) -> dict[str, Any]:
        """JSON values: the phase and who has which part in it, for events from `from_event_time_ns` on; decisions and
        shadow scores by model version; how the candidates' guards stand; candidates refused, and why."""
        now, watch = self._now, self._watch
        stage = now.stages[-1] if now.stages else None
        on_trial = stage.candidate if stage is not None else None
        return {
            "steps": len(now.stages),
            "phase": stage.phase if stage is not None else None,
            "from_event_time_ns": stage.from_ns if stage is not None else None,
            "share": stage.share or None if stage is not None else None,
            "champion": self._deciding(stage).model_version,
            "candidate": on_trial.model_version if on_trial is not None else None,
            "decided_by": _some(self._decided_by),
            "shadowed_by": _some(self._shadowed_by),
            "models": {who.model_version: _guarded(who.guard) for who in now.contenders.values() if who.guard},
            "late_steps": self._late_steps,
            "refused": {each.model_version: why for each, why in watch.refused.copy().items()},
            "error": watch.error,
            "hold_event_time_ns": self.hold_ns,
            "holding_at_ns": self.holding_at_ns,
            "held_ms": self.held_ns / 1e6,
        }

    def breakers(self) -> list[CircuitBreaker]:
        """Those of the candidates that are loaded; may be asked by any thread."""
        return [who.guard.breaker for who in self._watch.prepared.contenders.values() if who.guard is not None]

    def _cast(self, place: int, rows: Rows, of_stage: NDArray[np.intp]) -> Cast:
        if place == NO_STAGE:
            return Cast(self._champion)
        stage = self._now.stages[place]
        champion, candidate = self._deciding(stage), self._found(stage.candidate)
        if candidate is None or stage.phase != "canary":
            return Cast(champion, candidate)
        keys = self._canaries.setdefault(stage.salt, CanaryKeys(stage.salt))
        inside = keys.inside(rows.codes[of_stage], [rows.keys[row] for row in of_stage.tolist()], stage.share)
        return Cast(champion, candidate, inside)

    def _deciding(self, stage: Stage | None) -> Contender:
        """The newest champion of the stage that could be loaded."""
        for each in stage.champions if stage is not None else ():
            found = self._found(each)
            if found is not None:
                return found
        return self._champion

    def _found(self, candidate: Candidate | None) -> Contender | None:
        return None if candidate is None else self._now.contenders.get(candidate)

    def _late(self, ids: Sequence[str], of_stage: NDArray[np.intp]) -> Callable[[Contender, Judgement, bool], None]:
        def told(who: Contender, judged: Judgement, decides: bool) -> None:
            if who.late_scores is None or judged.overdue is None:
                return
            fallen = of_stage[judged.path == BY_FALLBACK].tolist() if decides else []
            who.late_scores.expect(judged.overdue, [ids[row] for row in fallen])

        return told

    def _count(self, decided: Decided) -> None:
        for place, who in enumerate(decided.contenders):
            self._decided_by[who.model_version] += int(np.count_nonzero(decided.by == place))
            self._shadowed_by[who.model_version] += int(np.count_nonzero(decided.beside == place))


def _some(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in counts.copy().items() if count}


def _guarded(guard: GuardedModel) -> dict[str, Any]:
    return {"breaker": guard.breaker.state, **guard.summary()}
