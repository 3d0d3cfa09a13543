"""Replays a history of transfers once: the state a worker starts from, and the reference of stability."""

import logging
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.bundle import Bundle
from models.graph.catalog import AML_FEATURE_NAMES
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from models.onnx_model import OnnxModel
from rules.typologies.pack import MARKET_NUMBERS, TypologyPack
from scorer.aml.assembly import load_packs
from scorer.aml.entering import enter_transfers
from scorer.aml.judging import is_flagged
from scorer.aml.places import NOWHERE
from scorer.aml.raising import AlertRaiser
from scorer.aml.ranking import rank
from scorer.aml.replaying import replay_transfers
from scorer.aml.state_files import ACCOUNTS, TransferState, read_accounts
from scorer.state_files import REFERENCE
from scorer.summary import write_json
from scorer.warm import SCHEMA_VERSION
from streams.errors import BadInputError
from streams.reference_bins import ReferenceBins
from streams.transfer import TRANSFER_SCHEMA

log = logging.getLogger("riskbench.scorer")


@dataclass(frozen=True, slots=True)
class TransferWarmInput:
    """Files of history. Transfers up to `until_ns` (not included) are replayed; the reference is made of those from
    `reference_from_ns` on."""

    bundle: Path
    rules: Path
    events: Path
    accounts: Path
    until_ns: int
    reference_from_ns: int


@dataclass(slots=True)
class _Seen:
    """What the reference is made of: each transfer's highest score and that side's features, by outcome; and every
    scored customer by market."""

    score: list[NDArray[np.float64]] = field(default_factory=list)
    values: list[NDArray[np.float32]] = field(default_factory=list)
    customer_score: list[NDArray[np.float64]] = field(default_factory=list)
    market: list[NDArray[np.int32]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    events: int = 0


def warm_transfers(source: TransferWarmInput, out: Path) -> dict[str, Any]:
    """Write graph, links, raised alerts, accounts and reference.json into `out`; returns reference.json's content.

    Raises `BadInputError` naming file, column or option.
    """
    if not 0 <= source.reference_from_ns < source.until_ns:
        raise BadInputError(
            f"--reference-from-ns {source.reference_from_ns} must be at least 0 and before --until-ns {source.until_ns}"
        )
    bundle = Bundle.load(source.bundle, AML_FEATURE_NAMES)
    pack, accounts = load_packs(source.rules), read_accounts(source.accounts)
    state = TransferState(GraphState(accounts, every_market()), LinkLedger(), AlertRaiser(pack, accounts), accounts)
    seen = _replay(source, state, pack, bundle)
    if not seen.events:
        raise BadInputError(
            f"{source.events} has no transfers from --reference-from-ns {source.reference_from_ns} "
            f"until --until-ns {source.until_ns}: the reference would be empty"
        )
    content = _reference(seen, pack, bundle, accounts)
    content |= {"from_ns": source.reference_from_ns, "until_ns": source.until_ns}
    _write(out, state, source.accounts, content)
    return content


def _replay(source: TransferWarmInput, state: TransferState, pack: TypologyPack, bundle: Bundle) -> _Seen:
    model, seen, history = OnnxModel(bundle), _Seen(), _history(source)
    recent_ones = np.flatnonzero(history["event_time_ns"].to_numpy() >= source.reference_from_ns)
    first = int(recent_ones[0]) if len(recent_ones) else len(history)
    enter_transfers(state, pack, history.slice(0, first))
    for part in replay_transfers(state, pack, history.slice(first)):
        scored = part.scored
        recent = scored.time_ns >= source.reference_from_ns
        if recent.any():
            sides, flagged = np.repeat(recent, 2), part.is_raised[recent]
            _take(
                seen,
                model,
                bundle,
                scored.values[sides],
                scored.account[sides],
                part.market[sides],
                scored.scores[sides],
                flagged,
            )
    return seen


def _take(
    seen: _Seen,
    model: OnnxModel,
    bundle: Bundle,
    values: NDArray[np.float32],
    place: NDArray[np.int32],
    market: NDArray[np.int32],
    typologies: NDArray[np.float64],
    flagged: NDArray[np.bool_],
) -> None:
    known = place != NOWHERE
    scores = np.zeros(len(place))
    scores[known] = bundle.calibration.scores(model.score(values[known]).margin)
    ranked = rank(typologies, scores)
    ranked.score[~known] = -1.0
    sides = ranked.score.reshape(-1, 2)
    top = 2 * np.arange(len(sides)) + sides.argmax(axis=1)
    top = top[known[top]]
    review = is_flagged(scores, place, flagged, bundle.thresholds.review)[top // 2]
    seen.events += len(sides)
    seen.score.append(ranked.score[top])
    seen.values.append(values[top])
    seen.customer_score.append(ranked.score[known])
    seen.market.append(market[known])
    seen.outcomes += Counter({"review": int(review.sum()), "approve": len(sides) - int(review.sum())})


def _reference(seen: _Seen, pack: TypologyPack, bundle: Bundle, accounts: pa.Table) -> dict[str, Any]:
    score, values = np.concatenate(seen.score), np.concatenate(seen.values)
    customers, market = np.concatenate(seen.customer_score), np.concatenate(seen.market)
    names = sorted(pc.unique(accounts["market"].cast(pa.string())).to_pylist())
    numbers = {name: MARKET_NUMBERS[name] for name in names if name in MARKET_NUMBERS}
    return {
        "schema_version": SCHEMA_VERSION,
        "model_version": bundle.model_version,
        "rules_version": pack.version,
        "events": seen.events,
        "by_path": {"rules": seen.events - len(score), "model": len(score), "fallback": 0},
        "outcomes": {"approve": seen.outcomes["approve"], "review": seen.outcomes["review"], "block": 0},
        "score": ReferenceBins.fit(score).to_dict(),
        "features": {
            name: ReferenceBins.fit(values[:, column]).to_dict() for column, name in enumerate(AML_FEATURE_NAMES)
        },
        "markets": {
            name: ReferenceBins.fit(customers[market == number]).to_dict()
            for name, number in numbers.items()
            if (market == number).any()
        },
    }


def _history(source: TransferWarmInput) -> pa.Table:
    try:
        table = pq.read_table(source.events)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{source.events} cannot be read as Parquet: {error}") from error
    absent = [each.name for each in TRANSFER_SCHEMA if not each.nullable and each.name not in table.column_names]
    if absent:
        raise BadInputError(f"{source.events} lacks column {', '.join(absent)}")
    return table.filter(pc.less(table["event_time_ns"], source.until_ns)).combine_chunks()


def _write(out: Path, state: TransferState, accounts: Path, content: dict[str, Any]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(accounts, out / ACCOUNTS)
    except OSError as error:
        raise BadInputError(f"--out {out} cannot be written: {error.strerror}") from error
    state.save(out)
    write_json(out / REFERENCE, content)
    log.info("warm state of %d accounts written to %s", state.graph.accounts, out)
