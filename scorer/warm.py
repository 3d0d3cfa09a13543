"""Replays history once: the state a worker starts from, the nightly job's ledger, and the reference of stability."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.bundle import Bundle
from models.features.batch import Status
from models.features.catalog import FEATURE_NAMES
from models.features.ledger import RiskLedger
from models.features.offline import compute_history
from models.features.state import FeatureState
from models.onnx_model import OnnxModel
from rules.pack import ESCALATE, RulePack
from scorer.assembly import load_rules, vocabulary_of
from scorer.pipeline import judge_by_model
from scorer.state_files import FEATURES, LEDGER, REFERENCE
from scorer.summary import write_json
from streams.decision import OUTCOMES
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA
from streams.reference_bins import ReferenceBins
from streams.transaction import TRANSACTION_SCHEMA

log = logging.getLogger("riskbench.scorer")

ROWS_PER_CALL = 8_192
SCHEMA_VERSION = 1
_NEEDED_OF_EVENTS = ("event_id", "event_time_ns", "card_id", "amount_minor", "currency")
_NEEDED_OF_LABELS = ("event_id", "is_fraud", "reported_at_ns")


@dataclass(frozen=True, slots=True)
class WarmInput:
    """Files of history. Rows up to `until_ns` (not included) are replayed; the reference is made of those from
    `reference_from_ns` on."""

    bundle: Path
    rules: Path
    events: Path
    labels: Path
    until_ns: int
    reference_from_ns: int


def warm(source: WarmInput, out: Path) -> dict[str, Any]:
    """Write features.state, ledger.state and reference.json into `out`; returns reference.json's content.

    Only frauds reported before `until_ns` are known to the ledger: later ones come as dispositions. Raises
    `BadInputError` naming file, column or option.
    """
    if not 0 <= source.reference_from_ns < source.until_ns:
        raise BadInputError(
            f"--reference-from-ns {source.reference_from_ns} must be at least 0 and before --until-ns {source.until_ns}"
        )
    bundle = Bundle.load(source.bundle)
    pack = load_rules(source.rules, bundle)
    events, labels = _history(source)
    found = compute_history(events, labels, vocabulary_of(bundle), bundle.label_delay_days, until_ns=source.until_ns)
    times = events["event_time_ns"].to_numpy()
    rows = (times >= source.reference_from_ns) & (found.status != Status.REPEATED)
    if not rows.any():
        raise BadInputError(
            f"{source.events} has no events from --reference-from-ns {source.reference_from_ns} "
            f"until --until-ns {source.until_ns}: the reference would be empty"
        )
    content = reference(found.values[rows], pack, bundle)
    content |= {"from_ns": source.reference_from_ns, "until_ns": source.until_ns}
    _write(out, found.state, found.ledger, content)
    return content


def reference(values: NDArray[np.float32], pack: RulePack, bundle: Bundle) -> dict[str, Any]:
    """How rules and model decide these rows (float32 [n, F]), as distributions: score and features of what the model
    decided (null and empty when the rules decided everything), counts by path and outcome."""
    verdicts = pack.decide(values)
    escalated = np.flatnonzero(verdicts.outcome == ESCALATE)
    modelled = values[escalated]
    margin = _margins(modelled, OnnxModel(bundle))
    outcome = verdicts.outcome.copy()
    outcome[escalated], score = judge_by_model(margin, bundle.thresholds, bundle.calibration)
    outcomes = Counter(OUTCOMES[code - 1] for code in outcome.tolist())
    return {
        "schema_version": SCHEMA_VERSION,
        "model_version": bundle.model_version,
        "rules_version": pack.version,
        "events": len(values),
        "by_path": {"rules": len(values) - len(escalated), "model": len(escalated), "fallback": 0},
        "outcomes": {name: outcomes[name] for name in OUTCOMES},
        "score": ReferenceBins.fit(score).to_dict() if len(score) else None,
        "features": {
            name: ReferenceBins.fit(modelled[:, column]).to_dict()
            for column, name in enumerate(FEATURE_NAMES)
            if len(modelled)
        },
    }


def _margins(values: NDArray[np.float32], model: OnnxModel) -> NDArray[np.float32]:
    parts = [model.score(values[at : at + ROWS_PER_CALL]).margin for at in range(0, len(values), ROWS_PER_CALL)]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _history(source: WarmInput) -> tuple[pa.Table, pa.Table]:
    """Events before `until_ns` and their labels, row by row."""
    events = _read(source.events, TRANSACTION_SCHEMA, _NEEDED_OF_EVENTS)
    labels = _read(source.labels, LABEL_SCHEMA, _NEEDED_OF_LABELS)
    if len(events) != len(labels):
        raise BadInputError(f"{source.labels} has {len(labels)} rows for the {len(events)} events of {source.events}")
    before = pc.less(events["event_time_ns"], source.until_ns)
    return events.filter(before), labels.filter(before)


def _read(path: Path, schema: pa.Schema, needed: tuple[str, ...]) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{path} cannot be read as Parquet: {error}") from error
    absent = [name for name in needed if name not in table.column_names]
    if absent:
        raise BadInputError(f"{path} lacks column {', '.join(absent)}")
    return table.select([name for name in schema.names if name in table.column_names])


def _write(out: Path, state: FeatureState, ledger: RiskLedger, content: dict[str, Any]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--out {out} cannot be made: {error.strerror}") from error
    state.save(out / FEATURES, {})
    ledger.save(out / LEDGER, {})
    write_json(out / REFERENCE, content)
    log.info("warm state of %d cards written to %s", state.cards, out)
