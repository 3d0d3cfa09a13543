"""A run folder with a known drift, from its files to what came of it; a small world, decided by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.case import CASE, KEPT_ELSEWHERE, PREPARED, link_folder, link_or_copy
from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.drift.replays.judging import judge_run
from harness.drift.replays.replayed import Replayed
from harness.drifting import TRUTH_FILE, copy_truth
from harness.prepare import prepare
from harness.prepared import Prepared
from harness.scenario import Scenario, parse_scenario
from streams.errors import BadInputError

ONSET_DAY = 18.0
INFLATION = {"kind": "amount-inflation", "onset_day": ONSET_DAY, "factor": 4.0}
CONTROL = {"kind": "higher-load", "onset_day": ONSET_DAY, "factor": 2.0}


def scenario(*drifts: dict[str, Any]) -> Scenario:
    raw = {
        "name": "known",
        "load": {"rate_per_s": 2_000.0, "duration_s": 7.0, "warmup_s": 1.0},
        "world": {"history_days": 15, "cards": 300, "fraud_share": 0.02},
        "scorer": {"engine": "inprocess", "workers": 1},
        "drifts": list(drifts),
    }
    return parse_scenario(raw, "test")


def decisions(prepared: Prepared) -> pa.Table:
    """A model that knows fraud until amounts are what it never saw: its features are the amount and nothing else."""
    events, labels = pq.read_table(prepared.file("events")), pq.read_table(prepared.file("labels"))
    amount = events["amount_minor"].to_numpy().astype(np.float64)
    times = events["event_time_ns"].to_numpy()
    is_fraud = labels["is_fraud"].to_numpy()
    random = np.random.default_rng(1)
    late = times >= prepared.windows.stream_start_ns + ONSET_DAY * 86_400e9
    inflated = late & ("amount-inflation" in (prepared.folder / TRUTH_FILE).read_text(encoding="utf-8"))
    known = np.where(is_fraud, 0.9, 0.1)
    score = np.where(inflated, random.uniform(0, 1, len(times)), known)
    features = np.stack([amount, random.normal(0, 1, len(times))], axis=1).astype("<f4")
    blank: dict[str, Any] = dict.fromkeys(DECISION_ROWS_SCHEMA.names)
    plain = {"measured": True, "status": "decided", "path": "model", "reasons": [], "customers": []}
    ids = events["event_id"].to_pylist()
    rows = [
        blank
        | plain
        | {"event_id": ids[n], "ordinal": n, "score": float(score[n]), "features": features[n].tobytes()}
        | {"outcome": "review" if score[n] > 0.8 else "approve"}
        | {"intended_ns": 1, "sent_ns": 1, "response_ns": 1_000_000, "service_ns": 1_000_000}
        for n in range(len(times))
    ]
    return pa.Table.from_pylist(rows, schema=DECISION_ROWS_SCHEMA)


def run_of(folder: Path, made: Scenario) -> Path:
    """A run folder as far as judging reads it."""
    prepared = prepare(made, folder / "cache")
    run = folder / "run"
    (run / CASE / "bundle").mkdir(parents=True)
    (run / CASE / "bundle" / "bundle.json").write_text(json.dumps({"feature_names": ["amount", "noise"]}))
    link_folder(prepared.folder, run / CASE / PREPARED, but=KEPT_ELSEWHERE)
    link_or_copy(prepared.file("dispositions"), run / CASE / "dispositions.parquet")
    for name in ("events", "labels", "profiles"):
        link_or_copy(prepared.file(name), run / f"{name}.parquet")
    copy_truth(prepared.folder, run)
    if made.drifts:
        pq.write_table(decisions(prepared), run / "decisions.parquet")
    for name in ("results.json", "environment.json"):
        (run / name).write_text("{}", encoding="utf-8")
    return run


def judged(folder: Path, drift: dict[str, Any]) -> Replayed:
    made = scenario(drift)
    return judge_run(run_of(folder, made), made, "About.", folder / "cache")


def test_a_drift_is_noticed_blamed_and_priced(tmp_path: Path) -> None:
    found = judged(tmp_path, INFLATION)
    assert found.detected
    assert found.holds
    assert (found.onset_day, found.kinds, found.false_alarms) == (ONSET_DAY, ["amount-inflation"], 0)
    assert found.delay_days is not None
    assert found.delay_events is not None
    assert 0 <= found.delay_days <= 8
    assert found.blamed == ["amount"]
    assert found.is_blamed_rightly
    assert "amount (CSI" in found.in_words
    sides = found.quality["decided"]
    assert sides.before.pr_auc == 1.0
    lost = sides.lost("pr_auc")
    assert lost is not None
    assert lost > 0.5
    assert sides.before.events + sides.after.events == sum(found.days.events)
    assert found.quality["rules"].before.recall == 0.0
    assert (found.latency.of, found.latency.before_p99_ms, found.latency.affected) == ("service", 1.0, False)


def test_a_control_raises_nothing(tmp_path: Path) -> None:
    found = judged(tmp_path, CONTROL)
    assert (found.is_control, found.holds, found.alarms_after_control) == (True, True, 0)
    assert (found.alarms, found.delay_events, found.is_blamed_rightly) == ([], None, None)
    assert found.in_words == "no alarm"


def test_a_run_without_drift_is_refused(tmp_path: Path) -> None:
    made = scenario()
    with pytest.raises(BadInputError, match="its scenario has no drifts"):
        judge_run(run_of(tmp_path, made), made, "About.", tmp_path / "cache")
