"""Alarms, scored events and a desk, made up."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.drift.alarm import ALL, Alarm
from harness.drift.retraining.course import Proposal
from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.held import Held
from harness.quality.scored import Scored
from streams.labels import NS_PER_DAY
from streams.rollout import Candidate

START_NS = 20_460 * NS_PER_DAY
CHAMPION = Candidate(bundle="/champion", model_version="fraud-champion")
Floats = npt.NDArray[np.float64]


def day(number: float) -> int:
    return START_NS + round(number * NS_PER_DAY)


def alarm(at_day: float) -> Alarm:
    return Alarm("missed", "missed", ALL, 1, day(at_day), 4.0, 3.0, "missed rises")


def said(gate: str, now_ns: int, *, passed: bool = True) -> GateResult:
    return GateResult(gate=gate, passed=passed, event_time_ns=now_ns, why="it says so", evidence={"figure": 1})


@dataclass(slots=True)
class FakeDesk:
    """Every candidate passes every gate but those named in `stops`."""

    stops: set[str] = field(default_factory=set)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def propose(self, now_ns: int, champion: Candidate) -> Proposal:
        self.asked.append(("propose", now_ns))
        number = sum(name == "propose" for name, _ in self.asked)
        gates = [said(name, now_ns, passed=name not in self.stops) for name in ("backtest", "segments")]
        candidate = Candidate(bundle=f"/candidate-{number}", model_version=f"fraud-{number}")
        return Proposal(candidate, {"after": champion.model_version}, gates)

    def judge_shadow(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        self.asked.append((f"shadow of {candidate.model_version} since {since_ns}", now_ns))
        return said("shadow", now_ns, passed="shadow" not in self.stops)

    def judge_canary(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        self.asked.append((f"canary of {candidate.model_version} since {since_ns}", now_ns))
        return said("canary", now_ns, passed="canary" not in self.stops)


def held(candidate: Floats, champion: Floats, fraud: npt.NDArray[np.bool_], flagged: npt.NDArray[np.bool_]) -> Held:
    """Events of one day each of their own card; the first half in segment `student`, the others in `worker`."""
    n = len(fraud)
    nothing = np.full(n, -1, np.int32)
    scored = Scored(
        is_fraud=fraud,
        score=champion,
        decided=np.ones(n, bool),
        flagged=flagged,
        response_ns=np.zeros(n, np.int64),
        path=np.ones(n, np.int32),
        day=np.full(n, 20_460),
        amount_minor=np.full(n, 100),
        card=np.arange(n, dtype=np.int32),
        card_names=[f"card-{place}" for place in range(n)],
        scenario=nothing,
        scenario_names=[],
        look_alike=nothing,
        look_alike_names=[],
    )
    return Held(scored, candidate, (np.arange(n) >= n // 2).astype(np.int32), ["student", "worker"])
