"""A sample of flagged decisions, with their reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.report.contents import RunContents
from harness.report.rows import RunRows
from harness.report.table import Tone
from harness.report.words import ms, spoken

SAMPLE = 12
REASONS_MAX = 4
SHOWN = ("event_id", "outcome", "score", "path", "response_ns", "reasons")
TRUTH = ("is_fraud", "scenario", "is_laundering", "typology", "look_alike")
AMOUNT = ("amount_minor", "currency")
"""Columns of decisions, labels and events that are shown, where they are there."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """One flagged decision; `truth` is what the labels say of it."""

    event_id: str
    outcome: str
    score: str
    path: str
    response: str
    amount: str
    truth: str
    tone: Tone
    reasons: tuple[tuple[str, str], ...]


def flagged_sample(run: RunContents) -> list[Flagged]:
    """Up to twelve: most suspicious first, from the whole range of scores, blocked and reviewed, right and wrong."""
    if run.decisions is None or "outcome" not in run.decisions.names:
        return []
    places, scores = _flagged_rows(run.decisions)
    if len(places) == 0:
        return []
    order = np.argsort(-scores, kind="stable")
    chosen = places[order[np.unique(np.linspace(0, len(order) - 1, SAMPLE).astype(int))]]
    shown = [name for name in SHOWN if name in run.decisions.names]
    rows = [row for part in run.decisions.at(chosen, shown) for row in part.to_pylist()]
    ids = pa.array([row["event_id"] for row in rows])
    beside = ((run.labels, TRUTH), (run.events, AMOUNT), (run.explanations, ("reasons",)))
    truths, amounts, followed = (_by_id(table, ids, columns) for table, columns in beside)
    for row in rows:
        row["reasons"] = [*(row.get("reasons") or []), *(followed.get(row["event_id"], {}).get("reasons") or [])]
    return [_flagged(row, truths.get(row["event_id"], {}), amounts.get(row["event_id"], {})) for row in rows]


def _flagged_rows(decisions: RunRows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Where the flagged decisions stand in the file, and their scores."""
    places, scores, start = [np.zeros(0, np.int64)], [np.zeros(0)], 0
    for block in decisions.blocks(("outcome", "score")):
        flagged = pc.is_in(block["outcome"].cast(pa.string()), value_set=pa.array(["review", "block"]))
        places.append(start + np.flatnonzero(flagged.to_numpy()))
        scores.append(block["score"].filter(flagged).fill_null(0.0).to_numpy())
        start += len(block)
    return np.concatenate(places), np.concatenate(scores)


def _by_id(rows: RunRows | None, ids: pa.Array, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    if rows is None:
        return {}
    found = rows.among(ids, [name for name in columns if name in rows.names])
    return {row["event_id"]: row for row in found.to_pylist()}


def _flagged(row: dict[str, Any], truth: dict[str, Any], event: dict[str, Any]) -> Flagged:
    words, tone = _truth(truth)
    reasons = [(reason["kind"], _reason(reason)) for reason in _foremost(row["reasons"])]
    amount = event.get("amount_minor")
    return Flagged(
        event_id=row["event_id"],
        outcome=row["outcome"],
        score=f"{row['score']:.3f}",
        path=row["path"] or "–",
        response=ms(row["response_ns"] / 1e6),
        amount="–" if amount is None else f"{amount / 100:,.2f} {event.get('currency') or ''}".strip(),
        truth=words,
        tone=tone,
        reasons=tuple(reasons),
    )


def _foremost(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first few, of both kinds where there are both."""
    rules = [reason for reason in reasons if reason["kind"] == "rule"]
    features = [reason for reason in reasons if reason["kind"] != "rule"]
    shown = max(REASONS_MAX - len(features), REASONS_MAX // 2)
    return [*rules[:shown], *features][:REASONS_MAX]


def _truth(truth: dict[str, Any]) -> tuple[str, Tone]:
    if not truth:
        return "not known", "quiet"
    if truth.get("is_laundering"):
        return f"laundering: {spoken(truth['typology'])}", "good"
    if truth.get("is_fraud"):
        return f"fraud: {spoken(truth['scenario'])}" if truth.get("scenario") else "fraud", "good"
    return f"genuine: {spoken(truth['look_alike'])}" if truth.get("look_alike") else "genuine", "watch"


def _reason(reason: dict[str, Any]) -> str:
    share = reason.get("contribution")
    return reason["text"] if share is None else f"{reason['text']} ({share:+.2f})"
