"""Reasons, profiles and contributions for the example run, made by code: what a scorer and a world would have left."""

from typing import Any

import numpy as np
import pyarrow as pa

from harness.decision_rows import REASON
from harness.quality import Beside
from streams.profiles import PROFILE_SCHEMA

CAUSES = {
    "lost_or_stolen": ("location", "amount"),
    "card_testing": ("velocity",),
    "account_takeover": ("device", "amount"),
    "terminal_compromise": ("risk",),
    "leaked_credentials": ("amount", "velocity"),
}
SAID = {
    "amount": ("amount_to_mean_30d", "amount is 10.2 times this card's 30-day mean"),
    "device": ("is_new_device", "first time on this device <script>alert('x')</script>"),
    "velocity": ("count_1h", "9 transactions on this card in the last hour"),
    "location": ("distance_from_last_km", "812 km from this card's last transaction"),
    "time": ("hour", "time of day is 03:12"),
    "anomaly": ("reconstruction_error", "unlike genuine transactions: reconstruction error 0.9"),
}
COLUMNS = ("amount", "hour", "seconds_since_last", *(code for code, _ in SAID.values() if code != "hour"))
SEGMENTS, REGIONS = ("student", "family", "retired", "business"), ("DE", "FR", "GB", "NL")
MANIFEST: dict[str, Any] = {
    "schema_version": 1,
    "domain": "fraud",
    "model_version": "fraud-3f9a1c",
    "feature_names": ["amount", "count_1h", "is_new_device"],
    "feature_families": {"amount": "amount", "count_1h": "velocity", "is_new_device": "device"},
    "thresholds": {"review": 0.25, "block": 0.875},
    "threshold_choice": {"rule": "budget", "review_share": 0.01},
    "calibration": {"method": "platt", "a": 1.1, "b": -0.3, "brier": 0.0042, "ece": 0.0007,
                    "log_loss": {"none": 0.0134, "platt": 0.0127}, "reliability": []},
    "metrics": {
        "period": "validation", "events": 3_655, "frauds": 74, "k": 100, "average_precision": 0.455,
        "average_precision_low": 0.4, "average_precision_high": 0.5, "roc_auc": 0.917,
    },
    "imbalance": {"chosen": "plain", "compared": {"plain": 0.41, "smote": 0.39}},
    "autoencoder": {"error_p99": 1.2},
    "trees": {"rounds": 65},
    "label_delay_days": 7,
    "train": {
        "from_ns": 1_760_000_000_000_000_000,
        "validation_from_ns": 1_762_000_000_000_000_000,
        "until_ns": 1_763_000_000_000_000_000,
        "settings": {"fit": {"boosting": {"max_depth": 5}, "seed": 4}},
    },
    "data_hash": "3f9a1c",
    "seeds": {"training": 4},
    "versions": {"numpy": "2.4.6"},
    "files": {"model.onnx": "00ff"},
}  # fmt: skip
OUTCOMES = {"R07": "block", "R99": "review"}


def profiles(random: np.random.Generator, cards: int) -> pa.Table:
    """One row a card; every tenth has no region."""
    rows = {
        "card_id": [f"card-{card}" for card in range(cards)],
        "segment": random.choice(SEGMENTS, cards, p=(0.15, 0.45, 0.3, 0.1)).tolist(),
        "region": [None if card % 10 == 0 else str(random.choice(REGIONS)) for card in range(cards)],
    }
    return pa.table({name: pa.array(values, PROFILE_SCHEMA.field(name).type) for name, values in rows.items()})


def explanations(random: np.random.Generator, decisions: pa.Table, labels: pa.Table) -> pa.Table:
    """Two features for every decision the model flagged; the first fits the fraud's scenario about twice in three."""
    kinds = labels["scenario"].cast(pa.string()).to_pylist()
    given = decisions.select(["event_id", "ordinal", "path", "outcome", "margin", "emitted_ns"]).to_pylist()
    rows = []
    for row in given:
        if row["path"] != "model" or row["outcome"] == "approve":
            continue
        fitting = [cause for cause in CAUSES.get(kinds[row["ordinal"]] or "", ()) if cause in SAID]
        first = fitting[0] if fitting and random.random() < 0.66 else str(random.choice(list(SAID)))
        second = "device" if first != "device" else "amount"
        shares = sorted((round(float(share), 3) for share in random.gamma(3, 0.6, 2)), reverse=True)
        reasons = [
            {"code": SAID[cause][0], "text": SAID[cause][1], "kind": "feature", "contribution": share, "cause": cause}
            for cause, share in zip((first, second), shares, strict=True)
        ]
        rows.append({"event_id": row["event_id"], "reasons": reasons, "decided_ns": row["emitted_ns"]})
    schema = pa.schema([("event_id", pa.string()), ("reasons", pa.list_(REASON)), ("decided_ns", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


def importance(random: np.random.Generator, decisions: pa.Table, labels: pa.Table) -> pa.Table:
    """Contributions of all flagged decisions of the model and of a tenth of the rest."""
    path = decisions["path"].cast(pa.string()).to_pylist()
    outcome = decisions["outcome"].cast(pa.string()).to_pylist()
    kinds = labels["scenario"].cast(pa.string()).to_pylist()
    flagged = np.array([p == "model" and o != "approve" for p, o in zip(path, outcome, strict=True)])
    quiet = np.array([p == "model" and o == "approve" for p, o in zip(path, outcome, strict=True)])
    chosen = np.flatnonzero(flagged | (quiet & (random.random(len(path)) < 0.1)))
    values = random.normal(0, 1, (len(chosen), len(COLUMNS))) * np.linspace(1.2, 0.2, len(COLUMNS))
    for row, event in enumerate(chosen):
        for cause in CAUSES.get(kinds[event] or "", ()):
            if cause in SAID:
                values[row, COLUMNS.index(SAID[cause][0])] += 2.5
    columns: dict[str, Any] = {
        "event_id": decisions["event_id"].take(pa.array(chosen)),
        "weight": pa.array(np.where(flagged[chosen], 1.0, 10.0)),
        **{name: pa.array(values[:, place].astype(np.float32)) for place, name in enumerate(COLUMNS)},
        "base": pa.array(np.full(len(chosen), -5.0, np.float32)),
    }
    return pa.table(columns)


def beside(tables: dict[str, pa.Table]) -> Beside:
    """What quality is measured with."""
    return Beside(tables["explanations"], tables["profiles"], CAUSES, OUTCOMES, seed=3)
