"""Makes candidates of what is known so far, by the processes that train and score, and asks the gates."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.drift import feature_matrix
from harness.drift.retraining.both import Both
from harness.drift.retraining.course import Proposal
from harness.drift.retraining.gate import GateResult
from harness.drift.retraining.gates.backtest import backtest
from harness.drift.retraining.gates.canary import canary
from harness.drift.retraining.gates.latency import latency
from harness.drift.retraining.gates.segments import segments
from harness.drift.retraining.gates.shadow import shadow
from harness.drift.retraining.gates.stability import stability
from harness.drift.retraining.held import Held
from harness.drift.retraining.material import Known, told, training_data
from harness.drift.retraining.settings import AnswerSettings
from harness.drift.retraining.so_far import SoFar
from harness.prepared import Prepared
from harness.processes import module_command
from harness.quality.groups import group_codes
from harness.quality.scored import Scores, gather
from harness.scenario import Scenario
from harness.training import Workshop, read_bundle, run_step, train
from streams.errors import BadInputError
from streams.rollout import Candidate

CONTEST_S = 300.0
ALERTS = ("review", "block")
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Contested:
    """Champion and candidate on rows: scores float64 [2, n], the median times of a call (µs), and its rows."""

    scores: Scores
    call_us: tuple[float, float]
    rows: int


@dataclass(frozen=True, slots=True)
class TrainingDesk:
    """The desk of a run of ours on cards. `given`: a bundle that is put on trial instead of one that is trained;
    `profiles` say of which segment a card is (None: not known); `refused` asks the scorer why it would not load one."""

    scenario: Scenario
    prepared: Prepared
    known: Known
    so_far: SoFar
    shop: Workshop
    settings: AnswerSettings
    k: int
    profiles: pa.Table | None
    refused: Callable[[Candidate], str | None]
    given: Path | None = None

    def propose(self, now_ns: int, champion: Candidate) -> Proposal:
        """See `harness.drift.retraining.course.Desk`."""
        until_ns = now_ns - self.known.delay_ns
        tested = (until_ns - self.settings.backtest_ns, until_ns)
        folder = self.shop.logs.parent / ".work" / "answers" / str(now_ns)
        trained: dict[str, Any] = {}
        try:
            if self.given is not None:
                bundle = rehearsed = self.given
            else:
                # what is judged by the last labelled days must not have seen them
                rehearsal = training_data(self.prepared, self.known, now_ns, tested[0], folder / "rehearsal")
                rehearsed = train(self.scenario, rehearsal, self.shop)
                data = training_data(self.prepared, self.known, now_ns, until_ns, folder / "candidate")
                bundle = train(self.scenario, data, self.shop)
                trained = dict(told(data, folder / "candidate"))
        except BadInputError as error:
            gate = GateResult(gate="training", passed=False, event_time_ns=now_ns, why=str(error), evidence={})
            return Proposal(None, trained, [gate])
        candidate = Candidate(bundle=str(bundle), model_version=str(read_bundle(bundle)["model_version"]))
        return Proposal(candidate, trained, self._gates(now_ns, tested, (champion, candidate), rehearsed))

    def _gates(
        self, now_ns: int, tested: tuple[int, int], both: tuple[Candidate, Candidate], rehearsed: Path
    ) -> list[GateResult]:
        champion, candidate = both
        if champion == candidate:
            why = "the same training gives the same model: nothing is new"
            return [GateResult(gate="training", passed=False, event_time_ns=now_ns, why=why, evidence={})]
        table = self.so_far.table()
        times = self._times(table)
        labelled = table.filter(pa.array((times >= tested[0]) & (times < tested[1])))
        held = self._held(labelled, now_ns, Path(champion.bundle), rehearsed)
        recent = table.filter(pa.array(times >= now_ns - self.settings.recent_ns))
        _, rows = _scored_by_model(recent)
        found = self._contest(rows, Path(champion.bundle), Path(candidate.bundle)) if len(rows) else None
        gates = [backtest(held, self.k, now_ns, self.settings), segments(held, now_ns, self.settings)]
        if found is not None:
            gates.append(stability(found.scores[0], found.scores[1], now_ns, self.settings))
            gates.append(latency(*found.call_us, found.rows, now_ns, self.settings))
        else:
            gates.append(stability(np.zeros(0), np.zeros(0), now_ns, self.settings))
        return gates

    def judge_shadow(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        """See `Desk`."""
        table = self._since(since_ns)
        by_model = _words(table["path"], "model")
        return shadow(_both(table.filter(pa.array(by_model))), now_ns, self.settings, self.refused(candidate))

    def judge_canary(self, since_ns: int, now_ns: int, candidate: Candidate) -> GateResult:
        """See `Desk`."""
        table = self._since(since_ns)
        decides = _words(table["model_version"], candidate.model_version)
        not_by_rules = ~_words(table["path"], "rules")
        return canary(_both(table.filter(pa.array(decides & not_by_rules))), now_ns, self.settings)

    def _times(self, table: pa.Table) -> npt.NDArray[np.int64]:
        return np.asarray(self.known.events["event_time_ns"].to_numpy()[table["ordinal"].to_numpy()])

    def _since(self, since_ns: int) -> pa.Table:
        table = self.so_far.table()
        return table.filter(pa.array(self._times(table) >= since_ns))

    def _held(self, table: pa.Table, now_ns: int, champion: Path, candidate: Path) -> Held:
        """These decisions with what is known of them now, scored by both where the model decided."""
        rows = table["ordinal"]
        scored = gather(table, self.known.events.take(rows), self.known.labels_at(now_ns).take(rows))
        by_model, values = _scored_by_model(table)
        if len(values):
            found = self._contest(values, champion, candidate)
            own, other = scored.score.copy(), scored.score.copy()
            own[by_model], other[by_model] = found.scores
        else:
            own = other = scored.score
        segment, names = np.full(len(scored), -1, np.int32), list[str]()
        if self.profiles is not None:
            segment, names = group_codes(scored, self.profiles, "segment")
        return Held(replace(scored, score=own), other, segment, names)

    def _contest(self, rows: npt.NDArray[np.float32], champion: Path, candidate: Path) -> Contested:
        folder = self.shop.logs.parent / ".work" / "answers"
        given, out = folder / "rows.npy", folder / "contest.npz"
        np.save(given, np.ascontiguousarray(rows, np.float32))
        options = ("--rows", str(given), "--bundle", str(champion), "--bundle", str(candidate), "--out", str(out))
        child = run_step(self.shop, "contest", module_command("models", "contest", *options), CONTEST_S)
        self.shop.family.stop(child)
        with np.load(out) as found:
            return Contested(
                found["scores"], (float(found["call_us"][0]), float(found["call_us"][1])), int(found["rows"])
            )


def _scored_by_model(table: pa.Table) -> tuple[Bools, npt.NDArray[np.float32]]:
    """Which rows the model scored with features recorded, and these features, float32 [k, F]."""
    chosen = _words(table["path"], "model") & table["features"].is_valid().to_numpy()
    features = table.filter(pa.array(chosen))
    if not len(features):
        return chosen, np.zeros((0, 0), np.float32)
    width = len(features["features"][0].as_py()) // 4
    matrix = feature_matrix(features, width)
    return chosen, np.zeros((0, width), np.float32) if matrix is None else matrix


def _both(table: pa.Table) -> Both:
    return Both(
        score=table["score"].to_numpy(),
        other=table["shadow_score"].cast(pa.float64()).to_numpy(zero_copy_only=False),
        flagged=_words(table["outcome"], *ALERTS),
        other_flagged=_words(table["shadow_outcome"], *ALERTS),
        fell_back=_words(table["path"], "fallback"),
    )


def _words(column: pa.ChunkedArray, *words: str) -> Bools:
    found = pc.is_in(column.cast(pa.string()), value_set=pa.array(words))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def profiles_of(prepared: Prepared) -> pa.Table | None:
    """Who holds which card; None where it is not known."""
    file = prepared.file("profiles")
    return pq.read_table(file) if file.is_file() else None
