"""A small world for the scorer's tests: a trained bundle, a warm state, and a stream over several business days.

The stream has late and repeated events, dispositions and control totals.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.autoencoder import AutoencoderSettings
from models.boosting import BoostingSettings
from models.fitting import FitSettings
from models.imbalance import ImbalanceSettings
from models.settings import TrainSettings
from models.threshold import AlertBudget
from models.train import train_bundle
from scorer.warm import WarmInput, warm
from streams.labels import LABEL_SCHEMA, NS_PER_DAY, NS_PER_HOUR, DayEnd, Disposition, business_day
from streams.transaction import TRANSACTION_SCHEMA

START_DAY = 19_000
HISTORY_DAYS = 48
STREAM_DAYS = 4
STREAM_START_NS = (START_DAY + HISTORY_DAYS) * NS_PER_DAY
LABEL_DELAY_DAYS = 1
PER_DAY = 200
RULES = Path(__file__).parents[1] / "rules" / "fraud.yaml"

SMALL_FIT = FitSettings(
    seed=3,
    nthread=1,
    boosting=BoostingSettings(rounds_max=40, patience=40, max_bin=256),
    autoencoder=AutoencoderSettings(hidden=(16, 6, 16), rows_max=2_000, epochs=2),
    imbalance=ImbalanceSettings(rows_max=2_000, rounds=8, smote_genuine_max=1_000),
    budget=AlertBudget(0.06),
)


@dataclass(frozen=True)
class ScorerCase:
    """Where everything is. `stream` is in arrival order; `repeated` of its rows are second sendings."""

    bundle: Path
    rules: Path
    state: Path
    stream: pa.Table
    dispositions: list[Disposition]
    repeated: int
    events_file: Path
    dispositions_file: Path


def make_world(seed: int) -> tuple[pa.Table, pa.Table]:
    """Events in event-time order over history and stream, and their labels."""
    rng = np.random.default_rng(seed)
    count = (HISTORY_DAYS + STREAM_DAYS) * PER_DAY
    times = START_DAY * NS_PER_DAY + np.sort(rng.integers(0, (HISTORY_DAYS + STREAM_DAYS) * NS_PER_DAY, count))
    card, terminal = rng.integers(0, 40, count), rng.integers(0, 30, count)
    fraud = (rng.random(count) < 0.03) | ((terminal < 3) & (rng.random(count) < 0.4))
    amount = np.where(fraud, rng.integers(12_000, 90_000, count), rng.integers(100, 30_000, count))
    reported = times + rng.integers(1, 60, count) * NS_PER_HOUR
    columns = {
        "event_id": [f"event-{row}" for row in range(count)],
        "event_time_ns": times,
        "card_id": [f"card-{value}" for value in card],
        "amount_minor": amount,
        "currency": ["EUR"] * count,
        "merchant_id": [f"merchant-{value // 3}" if value % 7 else None for value in terminal],
        "terminal_id": [f"terminal-{value}" for value in terminal],
        "device_id": [f"device-{value % 50}" if value % 3 else None for value in range(count)],
        "category": [("books", "fuel", "travel")[value % 3] for value in terminal],
        "channel": [("chip", "online", "contactless")[value % 3] for value in card],
        "country": [("DE", "FR")[value % 2] for value in terminal],
        "latitude": 48 + terminal / 10,
        "longitude": 8 + terminal / 20,
    }
    fields = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in TRANSACTION_SCHEMA
    ]
    nothing = pa.nulls(count, LABEL_SCHEMA.field("scenario").type)
    labels = pa.table(
        [columns["event_id"], fraud, nothing, nothing, pa.array(reported, mask=~fraud)], schema=LABEL_SCHEMA
    )
    return pa.table(fields, schema=TRANSACTION_SCHEMA), labels


def arrival_order(times: np.ndarray, seed: int) -> np.ndarray:
    """Rows in the order they are sent: one in twelve comes hours late, one in forty is sent a second time."""
    rng = np.random.default_rng(seed)
    sent = times + np.where(rng.random(len(times)) < 1 / 12, rng.integers(0, 20 * NS_PER_HOUR, len(times)), 0)
    again = np.flatnonzero(rng.random(len(times)) < 1 / 40)
    rows = np.concatenate([np.arange(len(times)), again])
    moments = np.concatenate([sent, sent[again] + rng.integers(0, 3 * NS_PER_HOUR, len(again))])
    order: np.ndarray = rows[np.argsort(moments, kind="stable")]
    return order


def _dispositions(events: pa.Table, labels: pa.Table, last_ns: int) -> pa.Table:
    known = pc.and_(
        pc.greater_equal(labels["reported_at_ns"], STREAM_START_NS), pc.less_equal(labels["reported_at_ns"], last_ns)
    )
    rows = pc.indices_nonzero(pc.fill_null(known, False))
    names = ("event_id", "event_time_ns", "card_id", "merchant_id", "terminal_id", "device_id")
    found = events.select(names).take(rows)
    found = pa.table({name: found[name].cast(pa.int64() if name.endswith("_ns") else pa.string()) for name in names})
    found = found.append_column("reported_at_ns", labels["reported_at_ns"].take(rows))
    return found.append_column("is_fraud", labels["is_fraud"].take(rows)).sort_by("reported_at_ns")


def control_messages(case: ScorerCase) -> list[tuple[int, Disposition | DayEnd]]:
    """Dispositions and day ends, each with the row of the stream it is sent before."""
    times = case.stream["event_time_ns"].to_numpy()
    newest = np.maximum.accumulate(times)
    days = np.array([business_day(int(time)) for time in times])
    found: list[tuple[int, int, Disposition | DayEnd]] = []
    for known in case.dispositions:
        found.append((int(np.searchsorted(newest, known.reported_at_ns)), 0, known))
    for day in range(int(days[0]), business_day(int(newest[-1]))):
        row = int(np.searchsorted(newest, (day + 1) * NS_PER_DAY - 2 * NS_PER_HOUR))
        told = sum(business_day(known.reported_at_ns) <= day for known in case.dispositions)
        found.append((row, 1, DayEnd(day=day, events=int((days[:row] <= day).sum()), dispositions=told)))
    return [(row, message) for row, _, message in sorted(found, key=lambda item: item[:2])]


def build_case(folder: Path) -> ScorerCase:
    """Train, warm up, and write the stream's files under `folder`."""
    events, labels = make_world(seed=5)
    history, history_labels = folder / "history.parquet", folder / "history_labels.parquet"
    before = pc.less(events["event_time_ns"], STREAM_START_NS)
    pq.write_table(events.filter(before), history)
    pq.write_table(labels.filter(before), history_labels)
    settings = TrainSettings(label_delay_days=LABEL_DELAY_DAYS, fit=SMALL_FIT)
    train_bundle(history, history_labels, folder / "bundle", settings)
    rules = folder / "rules.yaml"
    shutil.copyfile(RULES, rules)
    source = WarmInput(
        bundle=folder / "bundle",
        rules=rules,
        events=history,
        labels=history_labels,
        until_ns=STREAM_START_NS,
        reference_from_ns=STREAM_START_NS - 10 * NS_PER_DAY,
    )
    warm(source, folder / "state")
    stream = events.filter(pc.invert(before))
    order = arrival_order(stream["event_time_ns"].to_numpy(), seed=6)
    known = _dispositions(events, labels, int(stream["event_time_ns"][-1].as_py()))
    pq.write_table(stream.take(order), folder / "stream.parquet")
    pq.write_table(known, folder / "dispositions.parquet")
    return ScorerCase(
        bundle=folder / "bundle",
        rules=rules,
        state=folder / "state",
        stream=stream.take(order),
        dispositions=[Disposition(**row) for row in known.to_pylist()],
        repeated=len(order) - len(stream),
        events_file=folder / "stream.parquet",
        dispositions_file=folder / "dispositions.parquet",
    )
