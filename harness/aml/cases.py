"""Which alerts get a case file: those of the customers whom investigators were given, with what is known about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.aml.case_file import Alerted, build_cases, write_cases
from harness.aml.desk import BY_RANK, Investigation, alert_of
from harness.aml.looked_up import look_up
from harness.explanations import EXPLANATIONS_FILE
from harness.prepared import Prepared
from streams.alert import EVIDENCE_MAX, RawAlert
from streams.decision import Reason
from streams.labels import NS_PER_DAY
from streams.markets import MARKETS

BY_MODEL_ALONE = "unnamed"
"""Typology of an alert about a customer whom no rule named."""
EVIDENCE_DAYS = 10
CASES_MAX = 500
_COLUMNS = ("event_id", "event_time_ns", "from_account", "to_account")


@dataclass(frozen=True, slots=True)
class Listed:
    """A customer on a worklist: its place there (from 1), and the transfer by which it was ranked."""

    investigation: Investigation
    rank: int
    event_id: str


def write_case_files(
    folder: Path, prepared: Prepared, done: Sequence[Investigation], alerts: Sequence[RawAlert], sent: int
) -> int:
    """Write a case for each customer that was on a worklist by rank; returns how many.

    A customer's case is about its raw alert with the highest score up to that day; where rules raised none, about the
    transfers that it made in the days before.
    """
    listed = _listed(done)
    chosen = listed[:CASES_MAX]
    events = pq.read_table(prepared.file("events"), columns=list(_COLUMNS)).slice(0, sent)
    accounts = pq.read_table(prepared.file("accounts"))
    raised = _by_customer(alerts)
    told = _contributions(folder / EXPLANATIONS_FILE, {one.event_id for one in chosen})
    alone = _Alone.of(events, accounts)
    alerted = [
        Alerted(
            alert=_best(raised.get(one.investigation.finding.customer_id, ()), one) or alone.alert(one),
            score=one.investigation.score or 0.0,
            rank=one.rank,
            listed_at_ns=one.investigation.listed_at_ns,
            contributions=told.get(one.event_id, ()),
        )
        for one in chosen
    ]
    evidence = pa.array(sorted({event for one in alerted for event in one.alert.evidence}), pa.string())
    files = ((prepared.file("history"), None), (prepared.file("events"), sent))
    moved = pa.concat_tables([look_up(file, evidence, rows) for file, rows in files]).unify_dictionaries()
    cases = build_cases(alerted, accounts, moved, MARKETS)
    write_cases(folder, cases, len(listed) - len(chosen))
    return len(cases)


def _listed(done: Sequence[Investigation]) -> list[Listed]:
    """By day and rank; the places of a day are those of its scores."""
    ranked = [one for one in done if one.chosen_by == BY_RANK and one.score is not None]
    ranked.sort(key=lambda one: (one.listed_at_ns, -(one.score or 0.0), one.finding.customer_id))
    places: dict[int, int] = {}
    listed = []
    for one in ranked:
        places[one.listed_at_ns] = places.get(one.listed_at_ns, 0) + 1
        event_id, _, _ = one.finding.alert_id.rpartition("/")
        listed.append(Listed(one, places[one.listed_at_ns], event_id))
    return listed


def _by_customer(alerts: Sequence[RawAlert]) -> Mapping[str, list[RawAlert]]:
    found: dict[str, list[RawAlert]] = {}
    for alert in alerts:
        found.setdefault(alert.customer_id, []).append(alert)
    return found


def _best(alerts: Sequence[RawAlert], one: Listed) -> RawAlert | None:
    known = [alert for alert in alerts if alert.event_time_ns <= one.investigation.listed_at_ns]
    return max(known, key=lambda alert: (alert.score, alert.event_time_ns, alert.alert_id), default=None)


def _contributions(file: Path, wanted: set[str]) -> dict[str, list[Reason]]:
    if not file.is_file():
        return {}
    table = look_up(file, pa.array(sorted(wanted), pa.string()), columns=("event_id", "reasons"))
    return {row["event_id"]: [Reason(**reason) for reason in row["reasons"] or ()] for row in table.to_pylist()}


@dataclass(frozen=True, slots=True)
class _Alone:
    """The stream by account, for alerts that no rule raised."""

    rows: pa.Table
    times: np.ndarray[Any, np.dtype[np.int64]]
    accounts_of: Mapping[str, list[str]]
    market_of: Mapping[str, str]

    @classmethod
    def of(cls, events: pa.Table, accounts: pa.Table) -> "_Alone":
        held: dict[str, list[str]] = {}
        market: dict[str, str] = {}
        for row in accounts.select(["customer_id", "account_id", "market"]).to_pylist():
            held.setdefault(row["customer_id"], []).append(row["account_id"])
            market.setdefault(row["customer_id"], row["market"])
        rows = events.select(list(_COLUMNS))
        for name in ("from_account", "to_account"):
            rows = rows.set_column(rows.column_names.index(name), name, rows[name].cast(pa.string()))
        return cls(rows, rows["event_time_ns"].to_numpy(), held, market)

    def alert(self, one: Listed) -> RawAlert:
        """Its transfers of the days before, as an alert that names no typology."""
        found, until_ns = one.investigation.finding, one.investigation.listed_at_ns
        since_ns = max(until_ns - EVIDENCE_DAYS * NS_PER_DAY, 0)
        first, end = np.searchsorted(self.times, [since_ns, until_ns], side="right").tolist()
        part, own = self.rows.slice(first, end - first), pa.array(self.accounts_of[found.customer_id], pa.string())
        mine = pc.or_(pc.is_in(part["from_account"], value_set=own), pc.is_in(part["to_account"], value_set=own))
        evidence = part["event_id"].filter(mine).to_pylist()[-EVIDENCE_MAX:]
        return RawAlert(
            alert_id=f"{BY_MODEL_ALONE}-{alert_of(one.event_id, found.customer_id)}".replace("/", "-"),
            customer_id=found.customer_id,
            account_id=self.accounts_of[found.customer_id][0],
            market=self.market_of[found.customer_id],
            typology=BY_MODEL_ALONE,
            window_from_ns=since_ns,
            window_to_ns=until_ns,
            score=one.investigation.score or 0.0,
            reasons=[],
            evidence=evidence,
            raised_by=one.event_id,
            event_time_ns=until_ns,
        )
