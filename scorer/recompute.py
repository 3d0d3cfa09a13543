"""Decisions made again from what a run kept, and held bit for bit against what it recorded."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundle import Bundle, content_hash
from models.explain import Explainer
from models.features.batch import Status
from models.features.catalog import FEATURE_NAMES
from models.onnx_model import OnnxModel
from rules.pack import RulePack, Verdicts
from scorer.assembly import load_rules, state_of
from scorer.guarded_model import Fallback, Guarded
from scorer.inline_tables import inline_tables
from scorer.input_files import read_dispositions, read_events
from scorer.judgement import BY_MODEL, Judge, Judgement
from scorer.recorded import Case, Choice, check_versions, read_recorded
from scorer.replay import replay
from streams.decision import OUTCOMES, PATHS, CustomerScore
from streams.errors import BadInputError

Floats = NDArray[np.float32]
ROWS_PER_CALL = 4_096


class FeatureValue(msgspec.Struct, frozen=True):
    """A feature's value (None: not known), and in words with what it is compared with."""

    value: float | None
    text: str


class RuleFired(msgspec.Struct, frozen=True):
    """A rule that fired; `deciding`: its outcome is the decision's."""

    code: str
    text: str
    outcome: str
    deciding: bool


class Contribution(msgspec.Struct, frozen=True):
    """A feature's share of the margin, in log-odds."""

    feature: str
    value: float | None
    text: str
    cause: str | None
    contribution: float


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """One decision made again. `equal`: score, outcome and path are the recorded ones exactly, of transfers the scores
    of its `customers` too; `features_equal`: so are the bytes of the features (None: none were recorded). `features`
    and `contributions` (all, the largest |share| first, with `base`: the value they are added to) are empty where they
    were not asked for."""

    event_id: str
    features: dict[str, FeatureValue]
    features_equal: bool | None
    rules: list[RuleFired]
    margin: float | None
    score: float
    outcome: str
    path: str
    recorded: dict[str, Any]
    equal: bool
    contributions: list[Contribution]
    base: float | None
    versions: dict[str, str]
    thresholds: dict[str, float]
    customers: list[CustomerScore] = []


def values_told(explainer: Explainer, names: Sequence[str], values: Floats) -> dict[str, FeatureValue]:
    """A row's features (float32 [F], `names` in their order) with their words."""
    return {
        name: FeatureValue(None if math.isnan(value) else value, explainer.words(column, value))
        for column, (name, value) in enumerate(zip(names, values.tolist(), strict=True))
    }


def contributions_told(explainer: Explainer, values: Floats, error: float, shares: Floats) -> list[Contribution]:
    """A row's contributions, the largest first; `shares` float32 [F + 2] as `Explainer.contributions` has them."""
    return [
        Contribution(
            reason.code, None if math.isnan(value) else value, reason.text, reason.cause, reason.contribution or 0.0
        )
        for value, reason in explainer.every_reason(values, error, shares[:-1])
    ]


def versions_told(bundle: Bundle, rules_version: str, names: Sequence[str]) -> dict[str, str]:
    """What decided, by version; `names` are those of the features."""
    return {
        "rules": rules_version,
        "model": bundle.model_version,
        "bundle": str(bundle.manifest["manifest_hash"]),
        "features": content_hash(",".join(names).encode())[:12],
    }


class _ModelHere:
    """The model itself: nothing is to be guarded when nobody waits."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def score(self, values: Floats) -> Guarded:
        """See `Guard.score`."""
        return Guarded(self._model.score(values))


class _NoModel:
    """No score in time, as it was for the decisions that fell back."""

    def score(self, values: Floats) -> Guarded:
        """See `Guard.score`."""
        del values
        return Guarded(None, Fallback("open", "the run recorded a fallback"))


def recompute(
    case: Case, events_file: Path, decisions_file: Path, choice: Choice, contributions: bool
) -> list[Recomputed]:
    """Make the chosen decisions again; `contributions`: also explain those of the model.

    Raises `BadInputError` for files that cannot be used or are not the ones the decisions name, for an event that is
    not there, and for events that were decided and are not in the stream.
    """
    case.check()
    bundle = Bundle.load(case.bundle)
    recorded = read_recorded(decisions_file, choice)
    pack = load_rules(case.rules, bundle)
    check_versions(recorded, case, bundle, pack.version)
    values = _features(case, bundle, read_events(events_file), recorded["event_id"].to_pylist())
    whole = choice.event is None and choice.sample is None
    writer = _Writer(bundle, pack, contributions=contributions, equal_features=not whole)
    found: list[Recomputed] = []
    for at in range(0, len(values), ROWS_PER_CALL):
        part = slice(at, at + ROWS_PER_CALL)
        found += writer.write(recorded.slice(at, ROWS_PER_CALL), values[part])
    return found


def _features(case: Case, bundle: Bundle, events: pa.Table, ids: Sequence[str]) -> Floats:
    """The feature rows of these events, float32 [k, F], from a replay of the whole stream."""
    found: list[str] = events["event_id"].to_pylist()
    wanted = set(ids)
    chosen = np.fromiter((event_id in wanted for event_id in found), np.bool_, len(found))
    tables = inline_tables(case.state, bundle.label_delay_days, events, read_dispositions(case.dispositions))
    replayed = replay(state_of(case.state, bundle), tables, events, chosen)
    places: dict[str, int] = {}
    for place, (row, status) in enumerate(zip(replayed.rows.tolist(), replayed.status.tolist(), strict=True)):
        if status != Status.REPEATED:
            places.setdefault(found[row], place)
    lost = [event_id for event_id in ids if event_id not in places]
    if lost:
        raise BadInputError(
            f"{len(lost)} decided events are not in the stream, {lost[0]} for one: is it another run's?"
        )
    return replayed.values[[places[event_id] for event_id in ids]]


class _Writer:
    """Judges feature rows again, and writes what came of it beside what was recorded."""

    def __init__(self, bundle: Bundle, pack: RulePack, *, contributions: bool, equal_features: bool) -> None:
        self._pack = pack
        self._explainer = Explainer(bundle)
        self._contributions = contributions
        self._equal_features = equal_features
        calibration, thresholds = bundle.calibration, bundle.thresholds
        self._judge = Judge(pack, _ModelHere(OnnxModel(bundle)), calibration, thresholds)
        self._judge_without = Judge(pack, _NoModel(), calibration, thresholds)
        self._thresholds = {"review": thresholds.review, "block": thresholds.block}
        self._versions = versions_told(bundle, pack.version, FEATURE_NAMES)

    def write(self, recorded: pa.Table, values: Floats) -> Iterator[Recomputed]:
        """The decisions on these rows (float32 [k, F]), in the order of the recorded ones."""
        verdicts, by_model = self._judge.decide(values)
        without = self._judge_without.judge(values, verdicts)
        shares = self._shares(values, by_model) if self._contributions else None
        for row, told in enumerate(recorded.to_pylist()):
            judged = without if told["path"] == "fallback" else by_model
            yield self._one(told, values[row], verdicts, judged, row, shares)

    def _shares(self, values: Floats, judged: Judgement) -> Floats:
        """Contributions, float32 [k, F + 2]; NaN where the model was not asked."""
        rows = np.flatnonzero(judged.path == BY_MODEL)
        shares = np.full((len(values), values.shape[1] + 2), np.nan, np.float32)
        if len(rows):
            shares[rows] = self._explainer.contributions(values[rows], judged.error[rows])
        return shares

    def _one(
        self,
        told: dict[str, Any],
        values: Floats,
        verdicts: Verdicts,
        judged: Judgement,
        row: int,
        shares: Floats | None,
    ) -> Recomputed:
        path, outcome = PATHS[judged.path[row]], OUTCOMES[judged.outcome[row] - 1]
        score, by_model = float(judged.score[row]), bool(judged.path[row] == BY_MODEL)
        features = told.pop("features")
        same_features = None if features is None else features == values.astype("<f4").tobytes()
        equal = (score, outcome, path) == (told["score"], told["outcome"], told["path"])
        explained = shares[row] if shares is not None and by_model else None
        shown = self._equal_features or not equal or same_features is False
        return Recomputed(
            event_id=told.pop("event_id"),
            features=values_told(self._explainer, FEATURE_NAMES, values) if shown else {},
            features_equal=same_features,
            rules=self._rules(verdicts, row, values),
            margin=float(judged.margin[row]) if by_model else None,
            score=score,
            outcome=outcome,
            path=path,
            recorded=told,
            equal=equal,
            contributions=[]
            if explained is None
            else contributions_told(self._explainer, values, float(judged.error[row]), explained),
            base=float(explained[-1]) if explained is not None else None,
            versions=self._versions,
            thresholds=self._thresholds,
        )

    def _rules(self, verdicts: Verdicts, row: int, values: Floats) -> list[RuleFired]:
        deciding = int(verdicts.deciding[row])
        return [
            RuleFired(rule.code, reason.text, rule.outcome, index == deciding)
            for index, rule, reason in self._pack.fired(verdicts.fired[row], values)
        ]
