"""Decisions about transfers made again from what a run kept, and held bit for bit against what it recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundle import Bundle
from models.explain import Explainer
from models.graph.catalog import AML_FEATURE_NAMES, AML_FEATURES
from models.onnx_model import OnnxModel
from rules.typologies.pack import TypologyPack
from scorer.aml.assembly import load_packs
from scorer.aml.judging import CustomerScores, JudgedSides, judge_sides
from scorer.aml.places import NOWHERE, Places
from scorer.aml.replaying import ReplayedTransfers, replay_transfers
from scorer.aml.state_files import TransferState, load_state
from scorer.input_files import read_transfers_file
from scorer.judgement import BY_MODEL
from scorer.recompute import Recomputed, RuleFired, contributions_told, values_told, versions_told
from scorer.recorded import COLUMNS, CUSTOMERS, Case, Choice, check_versions, read_recorded
from streams.alert import RawAlert
from streams.decision import OUTCOMES, PATHS, CustomerScore
from streams.errors import BadInputError

Floats = NDArray[np.float32]


def recompute_transfers(
    case: Case, events_file: Path, decisions_file: Path, choice: Choice, contributions: bool
) -> list[Recomputed]:
    """Make the chosen decisions again; `contributions`: also explain those of the model.

    Raises `BadInputError` as `scorer.recompute.recompute`. Alerts depend on all that was raised before, so the whole
    stream is replayed up to the last one chosen; the model is asked about the chosen ones alone.
    """
    case.check()
    if case.state is None:
        raise BadInputError(f"--case {case.folder} lacks state: transfers are never decided without one")
    bundle = Bundle.load(case.bundle, AML_FEATURE_NAMES)
    recorded = read_recorded(decisions_file, choice, (*COLUMNS, CUSTOMERS))
    pack = load_packs(case.rules)
    check_versions(recorded, case, bundle, pack.version)
    state = load_state(case.state, pack)
    told = {row["event_id"]: row for row in recorded.to_pylist()}
    whole = choice.event is None and choice.sample is None
    writer = _Writer(bundle, pack, state, contributions=contributions, equal_features=not whole)
    found: dict[str, Recomputed] = {}
    for part in replay_transfers(state, pack, _up_to_last(read_transfers_file(events_file), list(told))):
        for one in writer.write(part, told):
            found[one.event_id] = one
    return [found[event_id] for event_id in told]


def _up_to_last(events: pa.Table, chosen: Sequence[str]) -> pa.Table:
    """The stream's transfers up to the last one chosen. Raises `BadInputError` where one is not among them."""
    place = {event_id: row for row, event_id in enumerate(events["event_id"].to_pylist())}
    lost = [event_id for event_id in chosen if event_id not in place]
    if lost:
        raise BadInputError(
            f"{len(lost)} decided events are not in the stream, {lost[0]} for one: is it another run's?"
        )
    return events.slice(0, max((place[event_id] for event_id in chosen), default=-1) + 1)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The chosen transfers of a piece, two rows each, and what was made of them; `margin` and `error` float32 [2n] are
    NaN where the model is not asked."""

    place: NDArray[np.int32]
    values: Floats
    market: NDArray[np.int32]
    margin: Floats
    error: Floats
    sides: JudgedSides


class _Writer:
    """Judges chosen transfers again, and writes what came of it beside what was recorded."""

    def __init__(
        self, bundle: Bundle, pack: TypologyPack, state: TransferState, *, contributions: bool, equal_features: bool
    ) -> None:
        self._bundle, self._pack, self._model = bundle, pack, OnnxModel(bundle)
        self._customer = CustomerScores(Places.of(state.graph, state.accounts), pack)
        self._explainer = Explainer(bundle, AML_FEATURES)
        self._contributions, self._equal_features = contributions, equal_features
        self._versions = versions_told(bundle, pack.version, AML_FEATURE_NAMES)
        self._thresholds = {"review": bundle.thresholds.review}

    def write(self, part: ReplayedTransfers, told: dict[str, dict[str, Any]]) -> Iterator[Recomputed]:
        """The decisions of a piece that were chosen; `told` has what was recorded of each."""
        ids, is_raised = part.scored.event_ids, part.is_raised
        for fell_back in (False, True):
            rows = [row for row, name in enumerate(ids) if name in told and self._fell_back(told[name]) == fell_back]
            if not rows:
                continue
            judged = self._judge(part, np.array(rows), is_raised, asked=not fell_back)
            for place, row in enumerate(rows):
                raised = [alert for alert in part.alerts if alert.raised_by == ids[row]] if is_raised[row] else []
                yield self._one(told[ids[row]], judged, place, raised)

    @staticmethod
    def _fell_back(recorded: dict[str, Any]) -> bool:
        return bool(recorded["path"] == "fallback")

    def _judge(
        self, part: ReplayedTransfers, rows: NDArray[np.int64], is_raised: NDArray[np.bool_], *, asked: bool
    ) -> _Rows:
        scored, both = part.scored, np.stack([2 * rows, 2 * rows + 1], axis=1).ravel()
        place, values = scored.account[both], scored.values[both]
        margin, error = (np.full(len(place), np.nan, np.float32) for _ in range(2))
        known = np.flatnonzero(place != NOWHERE)
        model = None
        if asked and len(known):
            output = self._model.score(values[known])
            margin[known], error[known] = output.margin, output.reconstruction_error
            model = np.zeros(len(place))
            model[known] = self._bundle.calibration.scores(output.margin)
        sides = judge_sides(scored.scores[both], place, model, is_raised[rows], self._thresholds["review"])
        return _Rows(place, values, part.market[both], margin, error, sides)

    def _one(self, told: dict[str, Any], rows: _Rows, transfer: int, raised: Sequence[RawAlert]) -> Recomputed:
        sides, top = rows.sides, int(rows.sides.top[transfer])
        known = bool(rows.place[top] != NOWHERE)
        path, outcome = PATHS[sides.path[transfer]], OUTCOMES[sides.outcome[transfer]]
        score, by_model = max(float(sides.ranked.score[top]), 0.0), bool(sides.path[transfer] == BY_MODEL)
        customers = self._customers(rows, transfer, by_model=by_model)
        features, values = told.pop("features"), rows.values[top]
        same_features = None if features is None else features == values.astype("<f4").tobytes()
        recorded_customers = [CustomerScore(**customer) for customer in told.pop(CUSTOMERS) or ()]
        equal = (score, outcome, path, customers) == (told["score"], told["outcome"], told["path"], recorded_customers)
        shown = known and (self._equal_features or not equal or same_features is False)
        error = float(rows.error[top])
        explained = None
        if self._contributions and by_model:
            explained = self._explainer.contributions(values[None], rows.error[top : top + 1])[0]
        return Recomputed(
            event_id=told.pop("event_id"),
            features=values_told(self._explainer, AML_FEATURE_NAMES, values) if shown else {},
            features_equal=same_features,
            rules=self._rules(rows, top, raised) if known else [],
            margin=float(rows.margin[top]) if by_model else None,
            score=score,
            outcome=outcome,
            path=path,
            recorded=told,
            equal=equal,
            contributions=[] if explained is None else contributions_told(self._explainer, values, error, explained),
            base=None if explained is None else float(explained[-1]),
            versions=self._versions,
            thresholds=self._thresholds,
            customers=customers,
        )

    def _customers(self, rows: _Rows, transfer: int, *, by_model: bool) -> list[CustomerScore]:
        ranked = rows.sides.ranked
        return [
            self._customer.of(
                int(rows.place[row]),
                float(ranked.score[row]),
                float(ranked.rule_score[row]),
                int(ranked.typology[row]),
                float(rows.margin[row]) if by_model else None,
            )
            for row in (2 * transfer, 2 * transfer + 1)
            if rows.place[row] != NOWHERE
        ]

    def _rules(self, rows: _Rows, row: int, raised: Sequence[RawAlert]) -> list[RuleFired]:
        """The alerts that the transfer raised, and the bands of its highest typology."""
        fired = [
            RuleFired(alert.typology, f"raised an alert about {alert.customer_id}: {alert.score:.3g}", "review", True)
            for alert in raised
        ]
        if rows.sides.ranked.rule_score[row] <= 0:
            return fired
        typology = int(rows.sides.ranked.typology[row])
        bands = self._pack.reasons(typology, rows.values[row], int(rows.market[row]))
        return [*fired, *(RuleFired(band.code, band.text, "review", False) for band in bands)]
