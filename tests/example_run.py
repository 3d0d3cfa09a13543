"""A run folder as a real run leaves it, made by code: plausible figures, a stall, an open breaker."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.decision_rows import DECISION_ROWS_SCHEMA, STAGES
from harness.drift import measure_drift
from harness.environment import describe_environment
from harness.latency import LatencyLog, measure_latency
from harness.quality import measure_quality
from harness.scenario import load_scenario
from harness.timeline import Sample, build_timeline
from harness.waterfall import Waterfall, measure_waterfall
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.reference_bins import ReferenceBins
from streams.transaction import TRANSACTION_SCHEMA
from tests import example_reasons

S = 1_000_000_000
RATE, SECONDS, WARMUP_S = 400, 30, 5
EVENTS = RATE * SECONDS
CARDS = 2_500
START_NS = 50_000 * S
FIRST_DAY = 20_454
OPEN_FROM_S, OPEN_UNTIL_S = 18, 24
FRAUDS = ("lost_or_stolen", "card_testing", "account_takeover", "terminal_compromise", "leaked_credentials")
LOOK_ALIKES = ("travel", "large_purchase", "new_phone")
FEATURES = (
    "amount",
    "hour",
    "seconds_since_last",
    "distance_from_last_km",
    "count_1h",
    "sum_24h",
    "amount_to_mean_30d",
)
Floats = npt.NDArray[np.float64]


def _truth(random: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    fraud = random.random(EVENTS) < 0.012
    card = random.integers(0, CARDS, EVENTS)
    times = FIRST_DAY * NS_PER_DAY + np.sort(random.integers(0, 5 * NS_PER_DAY, EVENTS))
    ids = [f"evt-{number:07d}" for number in range(EVENTS)]
    scenario = [str(random.choice(FRAUDS)) if f else None for f in fraud]
    alike = [str(random.choice(LOOK_ALIKES)) if not f and random.random() < 0.03 else None for f in fraud]
    events: dict[str, Any] = {name: [None] * EVENTS for name in TRANSACTION_SCHEMA.names}
    events |= {
        "event_id": ids,
        "event_time_ns": times,
        "card_id": [f"card-{c}" for c in card],
        "amount_minor": np.exp(random.normal(8 + fraud, 1)).astype(np.int64),
        "currency": ["EUR"] * EVENTS,
    }
    labels = {
        "event_id": ids,
        "is_fraud": fraud,
        "scenario": scenario,
        "look_alike": alike,
        "reported_at_ns": [int(t) + 7 * NS_PER_DAY if f else None for t, f in zip(times, fraud, strict=True)],
    }
    return pa.table(events, schema=TRANSACTION_SCHEMA), pa.table(labels, schema=LABEL_SCHEMA)


def _reasons(path: str) -> list[dict[str, Any]]:
    rule = {
        "code": "R07",
        "text": "two cards' worth of spending within an hour, far from home",
        "kind": "rule",
        "contribution": None,
        "cause": "velocity",
    }
    return [rule] if path != "model" else []


def _times(random: np.random.Generator) -> dict[str, Any]:
    """Intended, sent, taken, emitted, received and stages: with a stall of the model before the breaker opens."""
    intended = START_NS + (np.arange(EVENTS) * S) // RATE
    second = (intended - START_NS) / S
    slow = np.where((second > OPEN_FROM_S - 1.2) & (second < OPEN_FROM_S), (OPEN_FROM_S - second) * 0.6 * S, 0)
    sent = intended + random.gamma(2, 30_000, EVENTS)
    taken = sent + random.gamma(3, 500_000, EVENTS) + slow * 0.9
    stages = {
        "features": random.gamma(3, 60_000, EVENTS),
        "rules": random.gamma(2, 25_000, EVENTS),
        "model": random.gamma(3, 120_000, EVENTS) + slow * 0.1,
        "explain": np.where(random.random(EVENTS) < 0.02, random.gamma(4, 300_000, EVENTS), 0),
        "table_wait": np.zeros(EVENTS),
    }
    emitted = taken + sum(stages.values()) + random.gamma(2, 40_000, EVENTS)
    received = emitted + random.gamma(3, 600_000, EVENTS)
    rows = {"intended_ns": intended, "sent_ns": sent, "taken_ns": taken, "emitted_ns": emitted, "received_ns": received}
    return {**rows, **{f"stage_{name}_ns": stages[name] for name in STAGES}}


def _decisions(random: np.random.Generator, labels: pa.Table, features: Floats, lost: int) -> pa.Table:
    fraud = labels["is_fraud"].to_numpy()
    margin = random.normal(-5, 1.4, EVENTS) + fraud * random.normal(5.5, 2.2, EVENTS)
    score = 1 / (1 + np.exp(-margin))
    columns = {name: np.asarray(values).astype(np.int64) for name, values in _times(random).items()}
    second = (columns["intended_ns"] - START_NS) / S
    fallback = (second >= OPEN_FROM_S) & (second < OPEN_UNTIL_S)
    path = np.where(random.random(EVENTS) < 0.3, "rules", np.where(fallback, "fallback", "model"))
    outcome = np.where(score > 0.9, "block", np.where(score > 0.3, "review", "approve"))
    gone = np.zeros(EVENTS, bool)
    gone[random.choice(EVENTS, lost, replace=False)] = True
    rows = []
    for n in range(EVENTS):
        row: dict[str, Any] = {"event_id": f"evt-{n:07d}", "ordinal": n, "measured": bool(second[n] >= WARMUP_S)}
        row |= {"intended_ns": int(columns["intended_ns"][n]), "sent_ns": int(columns["sent_ns"][n])}
        if gone[n]:
            rows.append({**row, "status": "lost", "response_ns": 30 * S})
            continue
        row |= {name: int(values[n]) for name, values in columns.items()}
        row |= {
            "status": "decided",
            "outcome": str(outcome[n]),
            "score": float(score[n]),
            "path": str(path[n]),
            "worker": "w0",
        }
        row |= {
            "margin": float(margin[n]) if path[n] == "model" else None,
            "features": features[n].astype("<f4").tobytes(),
        }
        row["reasons"] = _reasons(str(path[n])) if outcome[n] != "approve" else []
        row["response_ns"] = row["received_ns"] - row["intended_ns"]
        row["service_ns"] = row["emitted_ns"] - row["taken_ns"]
        rows.append(row)
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in DECISION_ROWS_SCHEMA])
    return pa.Table.from_pylist(rows, schema=plain).cast(DECISION_ROWS_SCHEMA)


def _bundle(features: Floats) -> dict[str, Any]:
    random = np.random.default_rng(99)
    before = features[random.permutation(len(features))].copy()
    before[:, 0] *= 0.55
    margin = random.normal(-5, 1.4, 20_000)
    bins = {name: ReferenceBins.fit(before[:, place]).to_dict() for place, name in enumerate(FEATURES)}
    score = ReferenceBins.fit(1 / (1 + np.exp(-margin))).to_dict()
    return {"feature_names": list(FEATURES), "reference": {"score": score, "features": bins}}


def _distribution(log: Any, tag: str) -> dict[str, Any]:
    return {name: getattr(log.percentiles(tag), name) for name in ("count", "p50", "p90", "p99", "p999", "max")}


def _floor(random: np.random.Generator, folder: Path) -> dict[str, Any]:
    """What a null scorer took: 2,000 events in 5 s; writes floor.hlog."""
    took = random.gamma(4, 500_000, 2_000).astype(np.int64)
    with (folder / "floor.hlog").open("w", encoding="ascii") as file:
        log = LatencyLog(file)
        for second in range(5):
            log.add("response", took[second::5])
            log.close_interval(second)
    of = _distribution(log, "response")
    lost = {"duration_s": 5.0, "lost": 0, "negative": 0, "overflow": 0}
    return {"response": of, "service": of, "schedule_delay": of, **lost}


def _appended_ns(random: np.random.Generator, decisions: pa.Table) -> npt.NDArray[np.int64]:
    """Append times as a broker says them: in whole milliseconds, here of the monotonic clock."""
    sent = np.zeros(EVENTS, np.int64)
    sent[decisions["ordinal"].to_numpy()] = decisions["sent_ns"].to_numpy()
    return (sent + random.gamma(3, 120_000, EVENTS).astype(np.int64)) // 1_000_000 * 1_000_000


def _latency(log: Any, floor: dict[str, Any], waterfall: Waterfall | None) -> dict[str, Any]:
    paths = ("rules", "model", "fallback")
    return {
        "response": _distribution(log, "response"),
        "service": _distribution(log, "service"),
        "schedule_delay": _distribution(log, "schedule_delay"),
        "floor": floor,
        "by_path": {
            p: {"response": _distribution(log, f"response.{p}"), "service": _distribution(log, f"service.{p}")}
            for p in paths
        },
        "stages": {stage: _distribution(log, f"stage.{stage}") for stage in STAGES},
        "explanation": {"count": 212, "p50": 3.1, "p90": 6.0, "p99": 11.8, "p999": 14.9, "max": 15.2},
        "negative": 0,
        "overflow": 0,
        "waterfall": asdict(waterfall) if waterfall else None,
    }


PUBLISHED = (
    {
        "model": "Random forest",
        "auc": 0.867,
        "average_precision": 0.658,
        "card_precision_at_k": 0.287,
        "source": "a textbook",
    },
    {
        "model": "XGBoost",
        "auc": 0.862,
        "average_precision": 0.639,
        "card_precision_at_k": 0.273,
        "source": "a textbook",
    },
)


def build_run(folder: Path, *, seed: int = 7, lost: int = 0, status: str = "pass") -> Path:
    """Write a whole run folder (all but the report) and return it."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    events, labels = _truth(random)
    features = np.column_stack([random.lognormal(3, 1, (EVENTS,)) for _ in FEATURES])
    decisions = _decisions(random, labels, features, lost)
    tables = {
        "events": events,
        "labels": labels,
        "decisions": decisions,
        "profiles": example_reasons.profiles(random, CARDS),
        "explanations": example_reasons.explanations(random, decisions, labels),
        "importance": example_reasons.importance(random, decisions, labels),
    }
    for name, rows in tables.items():
        pq.write_table(rows, folder / f"{name}.parquet")
    log = measure_latency(folder / "decisions.parquet", START_NS, folder / "latency.hlog")
    samples = [
        Sample(START_NS + s * S, int(random.integers(0, 40)), "open" if OPEN_FROM_S <= s < OPEN_UNTIL_S else "closed")
        for s in range(SECONDS)
    ]
    pq.write_table(build_timeline(folder / "decisions.parquet", START_NS, samples), folder / "timeline.parquet")
    scenario = load_scenario("fraud")
    (folder / "scenario.yaml").write_text(scenario.to_yaml())
    (folder / "environment.json").write_bytes(msgspec.json.encode(describe_environment()))
    waterfall = measure_waterfall(folder / "decisions.parquet", _appended_ns(random, decisions))
    latency = _latency(log, _floor(random, folder), waterfall)
    results = _results(tables, features, log, latency, lost=lost, status=status)
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def _load(log: Any) -> dict[str, Any]:
    delay = _distribution(log, "schedule_delay")
    return {
        "process": "poisson",
        "target_per_s": RATE,
        "scheduled_per_s": RATE,
        "achieved_per_s": RATE * 0.9987,
        "schedule_delay_ms": {name: delay[name] for name in ("p50", "p99", "max")},
        "duration_s": SECONDS - WARMUP_S,
        "warmup_s": WARMUP_S,
        "partitions": 4,
        "events_from": "2026-01-01T00:00:03Z",
        "events_until": "2026-01-05T23:59:51Z",
    }


def _breaker(fallback_events: int) -> dict[str, Any]:
    return {
        "transitions": [
            {
                "at_s": 18.0,
                "from": "closed",
                "to": "open",
                "cause": "slow-call rate 100% of 100 calls",
                "worker": "w0",
            },
            {"at_s": 23.1, "from": "open", "to": "half-open", "cause": "waited 5 s", "worker": "w0"},
            {"at_s": 24.0, "from": "half-open", "to": "closed", "cause": "10 calls went well", "worker": "w0"},
        ],
        "open_ms": 5_100.0,
        "fallback_events": fallback_events,
    }


def _results(
    tables: dict[str, pa.Table], features: Floats, log: Any, latency: dict[str, Any], *, lost: int, status: str
) -> dict[str, Any]:
    decisions = tables["decisions"]
    paths = decisions["path"].cast(pa.string()).to_pylist()
    by_path = {name: paths.count(name) for name in ("rules", "model", "fallback")}
    quality = measure_quality(
        decisions,
        tables["events"],
        tables["labels"],
        100,
        deadline_ms=1000.0,
        published=PUBLISHED,
        beside=example_reasons.beside(tables),
    ).to_dict()
    reasons = {
        "pass": [],
        "invalid": [f"{lost} of {EVENTS:,} events never came back"],
        "fail": ["response P99 is over its limit"],
    }
    zeros = dict.fromkeys(("late", "duplicated", "unknown", "malformed", "dead_lettered", "undelivered"), 0)
    return {
        "schema_version": 1,
        "scenario": "fraud",
        "engine": "native",
        "workers": 1,
        "broker": {"name": "apache", "version": "4.1.0", "start_s": 4.2, "memory_bytes": 412_000_000, "warning": None},
        "seeds": {"world": 1, "arrivals": 2, "faults": 3, "training": 4},
        "started_at": "2026-01-02T03:04:05+00:00",
        "verdict": {"status": status, "reasons": reasons[status]},
        "load": _load(log),
        "counts": {
            "sent": EVENTS,
            "decided": EVENTS - lost,
            "lost": lost,
            **zeros,
            "warmup": RATE * WARMUP_S,
            "side_messages": 61,
            "explained": len(tables["explanations"]),
            "explanations_missing": 0,
            "by_path": by_path,
        },
        "latency_ms": latency,
        "quality": quality,
        "drift": measure_drift(decisions, _bundle(features), span_ns=5 * NS_PER_DAY).to_dict(),
        "breaker": _breaker(by_path["fallback"]),
        "faults": [],
        "model": {"version": "fraud-3f9a1c", "data_hash": "3f9a1c", "metrics": {}, "imbalance": {}, "thresholds": {}},
        "slo": {"response_p99_ms": 1000.0, "response_p999_ms": None},
        "scorers": [],
        "audit": {"records": EVENTS - lost, "head": "b2" * 32, "closed": True},
        "dataset": None,
        "config": {},
    }
