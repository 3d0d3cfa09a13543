"""Raw alerts against a slow raiser that is obviously right: one a window, evidence, any cut into batches, restarts."""

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.snapshot import SnapshotError, read_snapshot, write_snapshot
from rules.columns import Column
from rules.typologies.pack import TypologyPack, parse_typologies
from scorer.aml.raising import SNAPSHOT_LAYOUT, AlertRaiser, ScoredTransfers, alert_id
from scorer.aml.trail import PIECE, Trail
from streams.alert import EVIDENCE_MAX, RawAlert
from streams.labels import NS_PER_DAY

COLUMNS = (Column("speed", "number", 0, 100, unit="times", family="velocity"),)
FILE = """\
language: 1
typology: {name}
window_days: {days}
alert_at: 0.5
rules:
  - name: speed
    code: {code}
    column: speed
    bands:
      - {{from: 1, to: 2, weight: 0.5, reason: "it is {{speed}}"}}
      - {{from: 2, weight: 1, reason: "it is {{speed}}, much"}}
markets:
  US: {{alert_at: 0.9}}
"""
ACCOUNTS = pa.table(
    {
        "account_id": ["A0", "A1", "A2", "A3"],
        "customer_id": pa.array(["C0", "C0", "C1", "C2"]).dictionary_encode(),
        "market": pa.array(["DE", "DE", "US", "QQ"]).dictionary_encode(),
    }
)
CUSTOMER = {0: "C0", 1: "C0", 2: "C1", 3: "C2"}
WINDOWS_NS = {"slow": 3 * NS_PER_DAY, "quick": NS_PER_DAY}
START_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return two_typologies()


def two_typologies() -> TypologyPack:
    texts = {
        "slow.yaml": FILE.format(name="slow", days=3, code="S"),
        "quick.yaml": FILE.format(name="quick", days=1, code="Q"),
    }
    return parse_typologies(texts, COLUMNS)


PACK = two_typologies()

Step = tuple[int, int, int, float, float]
"""Hours since the step before (may be negative: a late transfer), sender, receiver, and the speed of each."""
steps = st.tuples(
    st.sampled_from([-5, 0, 1, 7, 23, 24, 25, 80]),
    st.integers(-1, 3),
    st.integers(-1, 3),
    st.sampled_from([0.0, 1.5, 3.0]),
    st.sampled_from([0.0, 1.5, 3.0]),
)


def scored(drawn: list[Step], raiser: AlertRaiser, first: int = 0) -> ScoredTransfers:
    hours = np.cumsum([step[0] for step in drawn])
    account = np.array([side for step in drawn for side in step[1:3]], np.int32)
    values = np.array([[speed] for step in drawn for speed in step[3:]], np.float32).reshape(-1, 1)
    values[account < 0] = np.nan
    return ScoredTransfers(
        [f"t-{first + number}" for number in range(len(drawn))],
        (START_NS + hours * (NS_PER_DAY // 24)).astype(np.int64),
        account,
        values,
        PACK.score(values, raiser.market_of(account)),
    )


def slow_alerts(transfers: ScoredTransfers, kept: int) -> list[tuple[Any, ...]]:
    """Customer, typology, raising transfer, score and evidence of each alert."""
    raised: dict[tuple[str, str], int] = {}
    alerts = []
    for row, account in enumerate(transfers.account.tolist()):
        transfer = row // 2
        now = int(transfers.time_ns[transfer])
        for column, (name, window) in enumerate(WINDOWS_NS.items()):
            score = transfers.scores[row, column]
            if account < 0 or score < (0.9 if account == 2 else 0.5):
                continue
            key = CUSTOMER[account], name
            if key in raised and now - raised[key] < window:
                continue
            raised[key] = now
            evidence = [
                transfers.event_ids[before]
                for before in range(max(0, transfer - kept + 1), transfer + 1)
                if account in transfers.account[2 * before : 2 * before + 2]
                and now - window <= transfers.time_ns[before] <= now
            ]
            alerts.append((*key, transfers.event_ids[transfer], score, evidence[-EVIDENCE_MAX:]))
    return alerts


def told(alerts: list[RawAlert]) -> list[tuple[Any, ...]]:
    return [(each.customer_id, each.typology, each.raised_by, each.score, each.evidence) for each in alerts]


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=40), st.integers(1, 12))
def test_alerts_are_those_of_the_slow_raiser(drawn: list[Step], kept: int) -> None:
    raiser = AlertRaiser(PACK, ACCOUNTS, kept)
    transfers = scored(drawn, raiser)
    assert told(raiser.take(transfers)) == slow_alerts(transfers, kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, min_size=1, max_size=30), st.sets(st.integers(0, 30)))
def test_any_cut_into_batches_and_any_restart_gives_the_same_alerts(drawn: list[Step], cuts: set[int]) -> None:
    whole = AlertRaiser(PACK, ACCOUNTS, 10)
    transfers = scored(drawn, whole)
    expected = whole.take(transfers)
    raiser, alerts = AlertRaiser(PACK, ACCOUNTS, 10), []
    edges = [0, *sorted(cut for cut in cuts if cut < len(drawn)), len(drawn)]
    for first, end in pairwise(edges):
        alerts += raiser.take(transfers.piece(first, end))
        state, arrays = raiser.snapshot()
        raiser = AlertRaiser(PACK, ACCOUNTS, 10)
        raiser.restore(state, {name: array.copy() for name, array in arrays.items()})
    assert alerts == expected


def test_an_alert_says_who_what_when_and_why(pack: TypologyPack) -> None:
    raiser = AlertRaiser(pack, ACCOUNTS)
    alerts = raiser.take(scored([(0, 0, 2, 0.0, 0.0), (5, -1, 0, 0.0, 3.0)], raiser))
    assert [alert.typology for alert in alerts] == ["slow", "quick"]
    first = alerts[0]
    assert (first.customer_id, first.account_id, first.market, first.score) == ("C0", "A0", "DE", 1.0)
    assert first.evidence == ["t-0", "t-1"]
    assert first.raised_by == "t-1"
    assert first.event_time_ns == first.window_to_ns == first.window_from_ns + WINDOWS_NS["slow"]
    assert [(reason.code, reason.text) for reason in first.reasons] == [("S.2", "it is 3 times, much")]
    assert first.alert_id == alert_id("C0", "slow", "t-1") != alerts[1].alert_id
    assert msgspec.json.decode(msgspec.json.encode(first), type=RawAlert) == first


def test_each_market_has_its_own_threshold_and_no_market_the_files(pack: TypologyPack) -> None:
    raiser = AlertRaiser(pack, ACCOUNTS)
    alerts = raiser.take(scored([(0, 2, 3, 1.5, 1.5)], raiser))
    assert {(alert.customer_id, alert.market) for alert in alerts} == {("C2", "QQ")}


def test_evidence_is_bounded_and_the_latest(pack: TypologyPack) -> None:
    raiser = AlertRaiser(pack, ACCOUNTS)
    raiser.take(scored([(0, 0, -1, 0.0, 0.0)] * 70, raiser))
    (alert, _) = raiser.take(scored([(0, 0, 0, 3.0, 3.0)], raiser, first=70))
    assert alert.evidence == [f"t-{number}" for number in range(71 - EVIDENCE_MAX, 71)]


def test_transfers_come_in_any_number_and_ids_of_any_length(pack: TypologyPack) -> None:
    raiser = AlertRaiser(pack, ACCOUNTS, 100)
    many = scored([(0, 0, -1, 0.0, 0.0)] * (2 * PIECE + 3), raiser)
    assert raiser.take(many) == []
    long_id = "überweisung-" * 10
    last = scored([(0, 0, -1, 3.0, 0.0)], raiser)
    last = ScoredTransfers([long_id], last.time_ns, last.account, last.values, last.scores)
    assert raiser.take(last)[0].evidence == [*many.event_ids[-(EVIDENCE_MAX - 1) :], long_id]
    with pytest.raises(ValueError, match=f"{PIECE + 1} transfers are more than {PIECE} at once"):
        Trail(1, 1).add(["x"] * (PIECE + 1), many.time_ns, many.account)


def test_a_snapshot_survives_its_file_and_is_refused_for_others(pack: TypologyPack, tmp_path: Any) -> None:
    raiser = AlertRaiser(pack, ACCOUNTS, 10)
    raiser.take(scored([(0, 0, 1, 3.0, 0.0)], raiser))
    write_snapshot(tmp_path / "alerts", "alert state", raiser.snapshot()[0], {"t-0": 1}, raiser.snapshot()[1])
    found = read_snapshot(tmp_path / "alerts", "alert state", SNAPSHOT_LAYOUT)
    again = AlertRaiser(pack, ACCOUNTS, 10)
    again.restore(found.settings, found.arrays)
    assert again.take(scored([(1, 0, 1, 3.0, 0.0)], again, first=1)) == []
    with pytest.raises(SnapshotError, match=r"accounts 4, this scorer 3"):
        AlertRaiser(pack, ACCOUNTS.slice(0, 3)).restore(found.settings, found.arrays)
    fewer = parse_typologies({"quick.yaml": FILE.format(name="quick", days=1, code="Q")}, COLUMNS)
    with pytest.raises(SnapshotError, match=r"typologies \['slow', 'quick'\], this scorer \['quick'\]"):
        AlertRaiser(fewer, ACCOUNTS).restore(found.settings, found.arrays)
