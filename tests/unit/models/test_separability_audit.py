"""The whole audit on a small stream, and each check of it that can be made to fail."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.boosting import BoostingSettings
from models.features.catalog import FEATURE_INDEX
from models.separability import by_scenario, depth, shuffled, single_feature
from models.separability.audit import audit, audit_files
from models.separability.checks import Check
from models.separability.learners import Contest, Values, enter
from models.separability.material import Truth, features, split_rows
from models.separability.settings import AuditSettings
from streams.errors import BadInputError
from tests.unit.models.separability_stream import Stream, make_stream

SMALL = AuditSettings(
    warm_up_days=10, test_share=0.4, genuine_max=4_000, genuine_compared=2_500, permutations=3,
    boosting=BoostingSettings(rounds_max=25, patience=8, max_bin=64, max_depth=3),
)  # fmt: skip
QUICK = replace(SMALL, permutations=1, boosting=replace(SMALL.boosting, rounds_max=5, patience=2, max_bin=32))


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make_stream(seed=2)


@pytest.fixture(scope="module")
def truth(stream: Stream) -> Truth:
    return stream.truth()


@pytest.fixture(scope="module")
def contest(truth: Truth) -> Contest:
    values, counts = features(truth, truth.labels, SMALL.label_delay_days)
    return enter(values, truth.fraud, split_rows(truth, counts, SMALL), SMALL)


def told(contest: Contest, column: str = "amount") -> Contest:
    """The same contest, but one column gives frauds away."""
    values = contest.values.copy()
    values[:, FEATURE_INDEX[column]] += np.where(contest.fraud, np.float32(1e6), np.float32(0.0))
    return Contest(values, contest.fraud, contest.split, contest.settings, contest.rounds)


def verdict(checks: tuple[Check, ...], name: str) -> str:
    return next(check.verdict for check in checks if check.name == name)


def test_a_column_that_tells_is_found_by_every_check_of_ease(truth: Truth, contest: Contest) -> None:
    leaky = told(contest)
    for given, wanted in ((contest, "pass"), (leaky, "fail")):
        single = single_feature.measure(truth, given.values, given.split)
        assert verdict(single.checks, "best single feature, AUC") == wanted
        deep = depth.measure(given, given.scores())
        found = {check.name: check for check in deep.checks}
        family = found["best family of features alone, share of the full model's average precision"]
        assert (family.figure or 0) > 0
        if given is leaky:
            assert single.tables["single_features"][0]["feature"] == "amount"
            assert found["depth-2 tree, share of the full model's average precision"].verdict == "fail"
            assert family.verdict == "fail"
            assert family.detail.startswith("amount")


def test_a_raw_identifier_that_tells_is_found(stream: Stream) -> None:
    """Frauds at a handful of merchants, the same all the time: the merchant's own fraud rate gives them away."""
    columns = {name: values.copy() for name, values in stream.columns.items()}
    columns["merchant"] = np.where(stream.fraud, 7, columns["merchant"])
    truth = Stream(columns).truth()
    values, counts = features(truth, truth.labels, SMALL.label_delay_days)
    found = single_feature.measure(truth, values, split_rows(truth, counts, SMALL))
    assert found.checks[0].verdict == "fail"
    areas = {row["feature"]: row["auc"] for row in found.tables["single_features"] if row["kind"] == "raw"}
    assert max(areas, key=lambda name: areas[name]) == "merchant_id"
    assert areas["merchant_id"] > single_feature.SINGLE_AUC_MAX


def test_a_scenario_told_by_one_column_and_one_that_nobody_finds_are_called_out(truth: Truth, contest: Contest) -> None:
    drip = truth.scenarios.index("drip")
    values = contest.values.copy()
    values[truth.scenario == drip, FEATURE_INDEX["hour"]] = 99.0
    easy = Contest(values, contest.fraud, contest.split, contest.settings, contest.rounds)
    found = by_scenario.measure(truth, easy, easy.scores())
    assert verdict(found.checks, "easiest scenario, AUC of one feature") == "information"
    assert verdict(found.checks, "most trivial scenario, recall of one feature") == "fail"
    rows = {row["scenario"]: row for row in found.tables["scenarios"]}
    assert (rows["drip"]["best_feature"], rows["drip"]["best_auc"]) == ("hour", 1.0)
    assert rows["spree"]["best_auc"] < 0.98


def test_a_scenario_without_any_signal_is_called_hopeless(truth: Truth, contest: Contest) -> None:
    """Genuine events called fraud at random, beside frauds so loud that they take all alerts."""
    scenario = np.where(truth.fraud, 0, -1)
    genuine = np.flatnonzero(~truth.fraud)
    scenario[np.random.default_rng(1).choice(genuine, 200, replace=False)] = 1
    hidden = Truth(truth.events, truth.labels, truth.time_ns, scenario >= 0, scenario, ("loud", "hidden"))
    values = contest.values.copy()
    values[scenario == 0, 0] = 1e7
    entered = Contest(values, scenario >= 0, contest.split, contest.settings, contest.rounds)
    found = by_scenario.measure(hidden, entered, entered.scores())
    assert verdict(found.checks, "hardest scenario, recall of the full model") == "fail"
    recall = {row["scenario"]: row["recall"] for row in found.tables["scenarios"]}
    assert recall["hidden"] == 0.0
    assert recall["loud"] > 0.3


def test_shuffled_labels_score_as_chance_unless_the_features_know_them(truth: Truth, contest: Contest) -> None:
    def clean(labels: pa.Table) -> Values:
        return features(truth, labels, SMALL.label_delay_days)[0]

    def leaky(labels: pa.Table) -> Values:
        values = clean(labels).copy()
        values[:, 0] += np.asarray(labels["is_fraud"].to_numpy(), np.float32) * np.float32(1e6)
        return values

    assert shuffled.measure(truth, contest, clean).checks[0].verdict == "pass"
    found = shuffled.measure(truth, contest, leaky)
    assert found.checks[0].verdict == "fail"
    assert len(found.tables["shuffled_labels"]) == SMALL.permutations


def test_a_report_before_its_delay_is_seen_by_shuffled_labels(truth: Truth, contest: Contest) -> None:
    """Features that count a fraud on the day it happens: nothing that real labels would show as wrong."""
    card = truth.codes("card_id")

    def hasty(labels: pa.Table) -> Values:
        fraud = np.asarray(labels["is_fraud"].to_numpy(), np.float64)
        day = card * 1_000 + (truth.time_ns - truth.time_ns[0]) // 86_400_000_000_000
        _, key = np.unique(day, return_inverse=True)
        today = np.bincount(key, weights=fraud)[key]
        values = features(truth, labels, SMALL.label_delay_days)[0].copy()
        values[:, FEATURE_INDEX["terminal_risk_1d"]] = today
        return values

    assert shuffled.measure(truth, contest, hasty).checks[0].verdict == "fail"


def test_shuffling_keeps_each_labels_delay(truth: Truth) -> None:
    order = np.random.default_rng(1).permutation(len(truth))
    labels, fraud = shuffled.shuffle(truth, order)
    assert labels.schema == truth.labels.schema
    assert np.array_equal(fraud, truth.fraud[order])
    assert labels["event_id"].to_pylist() == truth.labels["event_id"].to_pylist()
    reported = labels["reported_at_ns"].to_pylist()
    delays = {when - at for when, at in zip(reported, truth.time_ns.tolist(), strict=True) if when is not None}
    assert delays == {7 * 86_400_000_000_000}
    assert [when is not None for when in reported] == fraud.tolist()


def test_the_same_seed_gives_the_same_bytes(stream: Stream, tmp_path: Path) -> None:
    events, labels = stream.tables()
    half = len(events) // 2
    files: dict[str, list[Path]] = {"events": [], "labels": []}
    for part, rows in enumerate((slice(0, half), slice(half, None))):
        for name, table in (("events", events), ("labels", labels)):
            files[name].append(tmp_path / f"{name}{part}.parquet")
            pq.write_table(table.take(pa.array(np.arange(len(events))[rows])), files[name][-1])
    steps: list[float] = []
    found = [audit_files(files["events"], files["labels"], QUICK, lambda _, done: steps.append(done)) for _ in range(2)]
    texts = [json.dumps(one, allow_nan=False) for one in found]
    assert texts[0] == texts[1]
    assert steps[0] == 0.0
    assert max(steps) <= 1.0
    assert found[0]["data"]["events"] == len(events)
    assert {check["verdict"] for check in found[0]["checks"]} <= {"pass", "fail", "information", "not measured"}
    assert found[0]["status"] == ("fail" if found[0]["broken"] else "pass")
    with pytest.raises(BadInputError, match="not in order of time"):
        audit_files(files["events"][::-1], files["labels"][::-1], SMALL)
    with pytest.raises(BadInputError, match="names 2 files, --labels 1"):
        audit_files(files["events"], files["labels"][:1], SMALL)


def test_without_limits_all_is_information(stream: Stream) -> None:
    loud = Stream(stream.columns | {"amount": stream.columns["amount"] + stream.fraud * 10_000_000})
    found = audit(loud.truth(), replace(QUICK, strict=False))
    assert (found["status"], found["broken"]) == ("information", [])
    assert "fail" not in {check["verdict"] for check in found["checks"]}
    best: dict[str, Any] = found["checks"][0]
    assert best["keeps_limits"] is False


def test_too_few_frauds_are_refused(stream: Stream) -> None:
    few = np.flatnonzero(stream.fraud)[:5]
    scenario = np.full(len(stream.fraud), -1)
    scenario[few] = 0
    with pytest.raises(BadInputError, match="5 frauds among"):
        Stream(stream.columns | {"scenario": scenario}).truth()
    early = np.flatnonzero(stream.fraud)[:40]
    scenario[early] = 0
    with pytest.raises(BadInputError, match=r"part .* has [0-9]+ frauds"):
        audit(Stream(stream.columns | {"scenario": scenario}).truth(), SMALL)


@pytest.mark.parametrize(
    "wrong", [{"permutations": 0}, {"test_share": 0.9}, {"genuine_max": 5}, {"label_delay_days": -1}]
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        AuditSettings(**wrong)
