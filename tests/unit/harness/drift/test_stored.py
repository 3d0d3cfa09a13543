"""A run's files watched a block at a time, beside the same run watched in one piece."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.decision_rows import REASON
from harness.drift import measure_drift
from harness.drift.batch import Batch
from harness.drift.recorded import recorded
from harness.drift.stored import sent_of, watch_stored
from harness.prepared import Prepared, Windows
from harness.scenario import load_scenario
from streams import stored_rows
from streams.decision import OUTCOMES, PATHS
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.profiles import PROFILE_SCHEMA
from streams.reference_bins import ReferenceBins
from streams.stored_rows import StoredRows
from streams.transaction import TRANSACTION_SCHEMA
from tests.unit.harness.drift.made import FEATURES, NAMES, START_NS, after, stream, with_feature

SCENARIO = load_scenario("fraud")
BUNDLE: dict[str, Any] = {"feature_names": list(FEATURES)}


def shifted() -> Batch:
    batch = stream(4, a_day=700)
    return with_feature(batch, "amount", after(batch), lambda values: values * 4)


def prepared(folder: Path, batch: Batch, bad: np.ndarray[Any, np.dtype[np.bool_]]) -> Prepared:
    """Events, labels and profiles of a batch: one of three frauds is never reported."""
    ids = [f"e{n}" for n in range(len(batch))]
    rows: dict[str, Any] = {name: [None] * len(batch) for name in TRANSACTION_SCHEMA.names}
    rows |= {"event_id": ids, "event_time_ns": batch.event_time_ns, "card_id": [f"c{key}" for key in batch.key]}
    rows |= {"amount_minor": (batch.features[:, 0] * 10).astype(np.int64), "currency": ["EUR"] * len(batch)}
    rows |= {"merchant_id": [f"m{n % 37}" for n in range(len(batch))], "latitude": batch.features[:, 3].tolist()}
    labels: dict[str, Any] = {name: [None] * len(batch) for name in LABEL_SCHEMA.names}
    reported = [
        int(at + 3 * NS_PER_DAY) if is_bad and n % 3 else None
        for n, (is_bad, at) in enumerate(zip(bad, batch.event_time_ns, strict=True))
    ]
    labels |= {"event_id": ids, "is_fraud": bad, "reported_at_ns": reported}
    cards = sorted(set(rows["card_id"]))
    profiles = {
        "card_id": cards,
        "segment": [NAMES.groups[int(card[1:]) % 2] for card in cards],
        "region": [None] * len(cards),
    }
    for name, columns, schema in (
        ("events", rows, TRANSACTION_SCHEMA),
        ("labels", labels, LABEL_SCHEMA),
        ("profiles", profiles, PROFILE_SCHEMA),
    ):
        pq.write_table(pa.table(columns, schema=schema), folder / f"{name}.parquet", row_group_size=900)
    return Prepared(folder, "k", False, Windows(0, 0, 0, START_NS), {"labelled": True, "events": len(batch)})


def decisions(batch: Batch, *, features: bool = True) -> pa.Table:
    """Rows in an order of receipt that is not that of the events; every fiftieth was never answered."""
    reasons: list[list[dict[str, Any]]] = [[] for _ in range(len(batch))]
    for row, code in zip(batch.hit_row.tolist(), batch.hit_rule.tolist(), strict=True):
        told = [f"R{code}"] + ["R7"] * (row % 5 == 0)
        reasons[row] += [{"code": each, "kind": "rule"} for each in told] + [{"code": "f", "kind": "feature"}]
    answered = (np.arange(len(batch)) % 50 != 49).tolist()

    def said(values: Any, kind: pa.DataType) -> pa.Array:
        return pa.array([value if here else None for here, value in zip(answered, values, strict=True)], kind)

    given = [row.tobytes() if features and n % 11 else None for n, row in enumerate(batch.features)]
    rows = pa.table(
        {
            "ordinal": batch.ordinal,
            "outcome": said([OUTCOMES[code] for code in batch.outcome], pa.string()).dictionary_encode(),
            "path": said([PATHS[int(by_model)] for by_model in batch.is_model], pa.string()).dictionary_encode(),
            "score": said(batch.score.tolist(), pa.float64()),
            "reasons": pa.array(reasons, pa.list_(REASON)),
            "features": said(given, pa.binary()),
        }
    )
    random = np.random.default_rng(5)
    return rows.take(np.argsort(np.arange(len(batch)) + random.uniform(0, 2_000, len(batch))))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 1_024)
    monkeypatch.setattr(stored_rows, "ROWS_HELD_MAX", 1_500)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("features", [True, False])
def test_alarms_are_those_of_the_stream_in_one_piece(tmp_path: Path, *, features: bool) -> None:
    batch = shifted()
    made = prepared(tmp_path, batch, np.random.default_rng(6).random(len(batch)) < 0.02)
    rows = decisions(batch, features=features)
    file = tmp_path / "decisions.parquet"
    pq.write_table(rows, file, row_group_size=400)
    whole = recorded(SCENARIO, made, rows, BUNDLE, None)
    found = watch_stored(SCENARIO, made, StoredRows(file), BUNDLE, None)
    expected = whole.watch()
    assert found.alarms == expected.alarms
    assert found.worst == expected.worst
    assert ("amount" in {alarm.name for alarm in found.alarms}) is features
    assert whole.names.features == (FEATURES if features else ())


@pytest.mark.usefixtures("small_blocks")
def test_what_is_known_of_events_is_that_of_the_table_in_one_piece(tmp_path: Path) -> None:
    batch = shifted()
    made = prepared(tmp_path, batch, np.zeros(len(batch), np.bool_))
    whole = recorded(SCENARIO, made, decisions(batch), BUNDLE, None).batch
    sent = sent_of(SCENARIO, made)
    assert sent.sides.groups == tuple(sorted(NAMES.groups, key=sent.sides.groups.index))
    for of_batch, of_events in (
        (whole.content, sent.content),
        (whole.key, sent.sides.key),
        (whole.group, sent.sides.group),
        (whole.event_time_ns, sent.event_time_ns),
    ):
        assert np.array_equal(of_batch, of_events[whole.ordinal])


@pytest.mark.usefixtures("small_blocks")
def test_indices_are_those_of_all_decisions_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = shifted()
    bins = {
        "score": ReferenceBins.fit(batch.score[:5_000]).to_dict(),
        "features": {
            name: ReferenceBins.fit(batch.features[:5_000, place]).to_dict() for place, name in enumerate(FEATURES)
        },
        "by_path": {"rules": 0.3, "model": 0.7},
        "outcomes": {"approve": 0.98, "review": 0.02},
    }
    rows, file = decisions(batch), tmp_path / "decisions.parquet"
    pq.write_table(rows, file, row_group_size=333)
    in_blocks = measure_drift(StoredRows(file), BUNDLE, bins)
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 10**6)
    at_once = measure_drift(rows, BUNDLE, bins)
    assert in_blocks == at_once
    assert in_blocks.features["amount"].status == "drift"
    assert in_blocks.score.events == int((batch.is_model & (np.arange(len(batch)) % 50 != 49)).sum())
