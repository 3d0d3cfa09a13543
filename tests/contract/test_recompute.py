"""A run's decisions are made again from its files, bit for bit; whatever does not fit is refused in words."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.bundle import Bundle
from models.importance import draw, importance
from scorer.assembly import load_rules, worker
from scorer.breaker_config import BreakerConfig
from scorer.counters import Counters
from scorer.engines.inline import InlineDecider
from scorer.engines.inprocess import InprocessEngine, Input
from scorer.guarded_model import Fallback, Guarded, Guards
from scorer.inline_tables import inline_tables
from scorer.judgement import Guard
from scorer.options import FileInput, RunOptions
from scorer.pipeline import Parts, Pipeline
from scorer.recompute import Recomputed, recompute
from scorer.recorded import Case, Choice
from scorer.table_feed import TableGate
from streams.codec import decode_decision
from streams.errors import BadInputError
from tests.scorer_case import LABEL_DELAY_DAYS, ScorerCase
from tests.unit.scorer.test_inprocess import Never


class DownNowAndThen:
    """The model, which gives no score for every third micro-batch."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._calls = 0

    def score(self, values: np.ndarray) -> Guarded:
        self._calls += 1
        return Guarded(None, Fallback("open", "")) if self._calls % 3 == 0 else self._guard.score(values)


def options(case: ScorerCase) -> RunOptions:
    return RunOptions(
        engine="inprocess", role="worker", worker="w", bootstrap_servers=None, kafka_config=None, prefix=None,
        group=None, bundle=case.bundle, rules=case.rules, state=case.state, explain="none", breaker=BreakerConfig(),
        guards=Guards(), batch_max=16, table_wait_s=1.0, metrics_host="127.0.0.1", metrics_port=0, ready_file=None,
        summary=None, late_scores=None, files=FileInput(),
    )  # fmt: skip


def decide(case: ScorerCase, out: Path) -> pa.Table:
    """Decisions as a run records them, those of a model that is down now and then."""
    ticks = iter(range(10**9))
    with worker(options(case), lambda: next(ticks)) as made:
        judge = made.pipeline._parts.judge
        faulty = type(judge)(judge.pack, DownNowAndThen(judge.guard), judge.calibration, judge.thresholds)
        parts = Parts(made.state, faulty, made.bundle.model_version)
        pipeline = Pipeline(parts, clock_ns=lambda: next(ticks), worker="w", counters=Counters())
        tables = inline_tables(case.state, LABEL_DELAY_DAYS, case.stream, case.dispositions)
        gate = TableGate(tables, pipeline, lambda: next(ticks))
        decider = InlineDecider(pipeline, tables, gate, lambda: next(ticks))
        engine = InprocessEngine(Input(case.stream, None, out), decider, clock_ns=lambda: next(ticks), batch_max=16)
        engine.run(Never(), lambda start_ns=None: None)
    return recorded([decode_decision(line) for line in out.read_bytes().splitlines()])


def recorded(decisions: Sequence[Any]) -> pa.Table:
    names = ("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "features")
    columns = {name: pa.array([getattr(decision, name) for decision in decisions]) for name in names}
    columns |= {name: columns[name].dictionary_encode() for name in ("outcome", "path", "rules_version")}
    return pa.table(columns)


@pytest.fixture(scope="module")
def run(case: ScorerCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as far as it is needed."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(case.bundle, folder / "case" / "bundle")
    shutil.copytree(case.state, folder / "case" / "state")
    shutil.copyfile(case.rules, folder / "case" / "rules.yaml")
    shutil.copyfile(case.dispositions_file, folder / "case" / "dispositions.parquet")
    shutil.copyfile(case.events_file, folder / "events.parquet")
    table = decide(case, folder / "decisions.jsonl")
    pq.write_table(table, folder / "decisions.parquet")
    return folder


def again(run: Path, choice: Choice, contributions: bool = False, decisions: Path | None = None) -> list[Recomputed]:
    decisions = decisions or run / "decisions.parquet"
    return recompute(Case(run / "case"), run / "events.parquet", decisions, choice, contributions)


def test_every_decision_is_made_again_also_late_repeated_and_fallen_back(run: Path, case: ScorerCase) -> None:
    found = again(run, Choice())
    assert len(found) == len(case.stream) - case.repeated
    assert {one.path for one in found} >= {"model", "fallback"}
    assert all(one.equal and one.features_equal for one in found)
    assert all(one.score == one.recorded["score"] and one.margin == one.recorded["margin"] for one in found)
    assert all((one.margin is None) == (one.path != "model") for one in found)


def test_a_sample_is_seeded_and_the_same_whole_or_alone(run: Path) -> None:
    first, second = (again(run, Choice(sample=7, seed=4)) for _ in range(2))
    assert first == second
    assert len({one.event_id for one in first}) == 7
    assert {one.event_id for one in again(run, Choice(sample=7, seed=5))} != {one.event_id for one in first}
    (alone,) = again(run, Choice(event=first[0].event_id))
    assert alone == first[0]


def test_contributions_add_up_to_the_margin(run: Path) -> None:
    found = [one for one in again(run, Choice(sample=20, seed=1), contributions=True) if one.path == "model"]
    for one in found:
        shares = [each.contribution for each in one.contributions]
        assert one.base is not None
        assert one.margin == pytest.approx(sum(shares) + one.base, abs=1e-4)
        assert [abs(share) for share in shares] == sorted(map(abs, shares), reverse=True)
        assert len(shares) == len(one.features) + 1
        assert all(each.text and each.cause for each in one.contributions)
    assert found


def test_an_altered_record_is_seen(run: Path, tmp_path: Path) -> None:
    table = pq.read_table(run / "decisions.parquet").slice(0, 3)
    features = [bytearray(value) for value in table["features"].to_pylist()]
    features[2][5] ^= 1
    scores = table["score"].to_pylist()
    scores[1] = float(np.nextafter(scores[1], 1))
    table = table.set_column(2, "score", pa.array(scores))
    table = table.set_column(7, "features", pa.array([bytes(value) for value in features]))
    pq.write_table(table, tmp_path / "decisions.parquet")
    found = again(run, Choice(), decisions=tmp_path / "decisions.parquet")
    assert [one.equal for one in found] == [True, False, True]
    assert [one.features_equal for one in found] == [True, True, False]
    assert [bool(one.features) for one in found] == [False, True, True]


def altered(run: Path, folder: Path, **columns: list[Any]) -> Path:
    table = pq.read_table(run / "decisions.parquet")
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values * len(table), pa.string()))
    pq.write_table(table, folder / "decisions.parquet")
    return folder / "decisions.parquet"


def test_what_does_not_fit_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"--event no-such is not in .*; the closest ids there: event-"):
        again(run, Choice(event="no-such"))
    with pytest.raises(BadInputError, match="a scorer of your own cannot be computed again"):
        recompute(Case(tmp_path / "none"), run / "events.parquet", run / "decisions.parquet", Choice(), False)
    with pytest.raises(
        BadInputError, match=r"rules\.yaml of the case is version .* the file was changed after the run"
    ):
        again(run, Choice(), decisions=altered(run, tmp_path, rules_version=["abc"]))
    with pytest.raises(BadInputError, match="were made by fraud-x: the file was changed after the run"):
        again(run, Choice(), decisions=altered(run, tmp_path, model_version=["fraud-x"]))
    with pytest.raises(BadInputError, match="without model_version: they were made by a scorer of your own"):
        again(run, Choice(), decisions=altered(run, tmp_path, model_version=[None]))
    with pytest.raises(BadInputError, match="decided events are not in the stream, other for one"):
        again(run, Choice(), decisions=altered(run, tmp_path, event_id=["other"]))


def test_importance_draws_what_stands_for_all(run: Path, case: ScorerCase) -> None:
    bundle = Bundle.load(case.bundle)
    drawn = draw(run / "decisions.parquet", bundle, sample=30, seed=2)
    decisions = pq.read_table(run / "decisions.parquet").to_pylist()
    by_model = [row for row in decisions if row["path"] == "model"]
    flagged = {row["event_id"] for row in by_model if row["outcome"] != "approve"}
    assert 0 < len(flagged) <= 30
    assert flagged <= set(drawn.event_ids.to_pylist())
    assert len(drawn.weight) == len(flagged) + 30
    assert drawn.weight.sum() == pytest.approx(len(by_model))
    fewer = draw(run / "decisions.parquet", bundle, sample=len(flagged) - 1, seed=2)
    weights = dict(zip(fewer.event_ids.to_pylist(), fewer.weight.tolist(), strict=True))
    assert sum(weights.get(each, 0.0) for each in flagged) == pytest.approx(len(flagged))
    table = importance(bundle, drawn)
    assert table.column_names == ["event_id", "weight", *bundle.feature_names, "reconstruction_error", "base"]
    margins = {row["event_id"]: row["margin"] for row in by_model}
    sums = np.column_stack([table[name].to_numpy() for name in table.column_names[2:]]).sum(axis=1)
    expected = [margins[event_id] for event_id in table["event_id"].to_pylist()]
    np.testing.assert_allclose(sums, expected, atol=1e-4)


def test_the_pack_of_the_case_is_the_one_that_decided(run: Path) -> None:
    versions = {row["rules_version"] for row in pq.read_table(run / "decisions.parquet").to_pylist()}
    assert versions == {load_rules(run / "case" / "rules.yaml", Bundle.load(run / "case" / "bundle")).version}
    assert json.loads((run / "case" / "bundle" / "bundle.json").read_text())["model_version"].startswith("fraud-")
