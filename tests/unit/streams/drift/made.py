"""Each kind of drift with values that make it happen in the small worlds of these tests, and what is asked of them."""

from typing import Any

import numpy as np
import pyarrow as pa

from streams.drift.applying import apply_drifts
from streams.drift.drift import Drift
from streams.drift.kinds import KINDS
from streams.drift.material import Material
from streams.drift.truth import DriftTruth

ONSET_DAY = 8.0
NEEDED: dict[str, dict[str, dict[str, Any]]] = {
    "fraud": {
        "new-region": {"share": 0.5},
        "new-channel": {"share": 0.5},
        "category-mix": {"to": {"digital": 2.0, "travel": 1.0}, "share": 0.5},
        "new-scenario": {"scenario": "card_testing"},
        "field-missing": {"field": "merchant_id", "share": 0.5},
        "upstream-filter": {"where": {"columns": {"channel": ["online"]}}},
        "holiday-surge": {"until_day": 14.0},
        "payday": {"on_days": 2.0, "off_days": 4.0},
        "duplicate-feed": {"share": 0.3},
    },
    "aml": {
        "new-region": {"share": 0.5},
        "new-channel": {"share": 0.5},
        "new-typology": {"typology": "structuring"},
        "field-missing": {"field": "to_country", "share": 0.5},
        "upstream-filter": {"where": {"columns": {"channel": ["wire"]}}},
        "holiday-surge": {"until_day": 14.0},
        "payday": {"on_days": 2.0, "off_days": 4.0},
        "duplicate-feed": {"share": 0.3},
    },
}
CASES = [(kind, domain) for kind, drift in KINDS.items() for domain in drift.domains]


def make(kind: str, domain: str, **values: Any) -> Drift:
    """A drift of this kind that begins on `ONSET_DAY`."""
    asked = {"kind": kind, "onset_day": ONSET_DAY, **NEEDED[domain].get(kind, {}), **values}
    drift = KINDS[kind].model_validate(asked)
    drift.refuse("fraud" if domain == "fraud" else "aml")
    return drift


def apply_one(drift: Drift, material: Material, seed: int = 5) -> tuple[Material, DriftTruth]:
    """One drift alone."""
    after, (truth,) = apply_drifts([drift], material, seed)
    return after, truth


def plain(table: Any) -> Any:
    """The table with its words spelt out: how they were coded does not matter."""
    fields = [
        pa.field(field.name, pa.string()) if pa.types.is_dictionary(field.type) else field for field in table.schema
    ]
    return table.cast(pa.schema(fields)).combine_chunks()


def onset_of(material: Material) -> int:
    """The instant at which drifts of these tests begin, ns."""
    return material.start_ns + round(ONSET_DAY * 86_400_000_000_000)


def ids(table: Any) -> np.ndarray:
    """The events' ids, in order."""
    return np.array(table["event_id"].to_pylist())
