"""Investigators follow decisions as they arrive, and send what they found when event time has come to it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from harness.accounts import Accounts
from harness.aml.desk import Desk, Investigation, ScoredRows
from harness.aml.investigating import NO_TIMEOUT_NS, Findings, Following
from harness.aml.investigators import investigate
from harness.aml.section import Investigators
from harness.aml.truth import Truth
from harness.feed import write_feed
from streams.codec import encode
from streams.decision import CustomerScore, Decision
from streams.laundering import Finding
from streams.transfer import TRANSFER_SCHEMA
from tests.unit.harness.aml.test_measures import crowd

SETTINGS = Investigators(exploration_per_day=3, delay_days_min=1.0, delay_days_max=2.0)


class Case:
    """A stream in which each transfer has one scored customer, as messages; and who follows it."""

    def __init__(self, folder: Path) -> None:
        truth, table = crowd()
        table = table.sort_by("event_time_ns")
        ids = [f"t{row}" for row in range(len(table))]
        events = pa.Table.from_pylist(
            [
                {"event_id": name, "event_time_ns": time_ns, "amount_minor": 1, "currency": "EUR", "channel": "wire"}
                for name, time_ns in zip(ids, table["event_time_ns"].to_pylist(), strict=True)
            ],
            schema=TRANSFER_SCHEMA,
        )
        none = pa.table({"reported_at_ns": pa.array([], pa.int64())})
        write_feed(folder, events, none, np.arange(len(table)))
        self.truth: Truth = truth
        self.rows = ScoredRows.of(table.append_column("event_id", pa.array(ids)), truth)
        scored = zip(ids, table["customer_id"].to_pylist(), table["score"].to_pylist(), strict=True)
        self.messages = [encode(decision(*each)) for each in scored]
        self.sent: list[Finding] = []
        self.desk = Desk(truth, 10, SETTINGS, 1)
        accounts = Accounts.open(folder, 0, NO_TIMEOUT_NS)
        self.findings = Findings(self.sent.append)
        self.following = Following(accounts, self.rows.time_ns, truth, self.desk, self.findings)

    def whole(self) -> list[Investigation]:
        return investigate(self.rows, self.truth, 10, SETTINGS, 1)


def decision(event_id: str, customer: str, score: float) -> Decision:
    customers = [CustomerScore(customer_id=customer, account_id="a", score=score)]
    return Decision(event_id=event_id, outcome="approve", score=score, path="model", customers=customers)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "feed")


def test_findings_go_out_in_event_time_and_none_before_it(case: Case) -> None:
    expected = case.whole()
    for first in range(0, len(case.messages), 50):
        case.following.append(123, case.messages[first : first + 50])
        assert all(finding.found_at_ns <= case.desk.now_ns for finding in case.sent)
    last_ns = int(case.rows.time_ns[-1])
    assert case.sent == [one.finding for one in expected if one.finding.found_at_ns <= last_ns]
    assert 0 < len(case.sent) < len(expected), "what is found after the stream is not sent"
    assert case.findings.sent == len(case.sent)


def test_a_second_answer_and_what_is_none_make_no_difference(case: Case) -> None:
    others = [b"{", encode(decision("t0", "nobody", 1.0)), encode(decision("stranger", "c1", 1.0))]
    case.following.append(1, case.messages[:400])
    case.following.append(2, [*others, *case.messages[100:150]])
    case.following.append(3, case.messages[400:])
    last_ns = int(case.rows.time_ns[-1])
    assert case.sent == [one.finding for one in case.whole() if one.finding.found_at_ns <= last_ns]


def test_decisions_without_a_known_customer_are_no_rows(case: Case) -> None:
    case.following.append(1, [encode(decision("t0", "nobody we know", 1.0))])
    assert case.sent == []
    assert case.desk.now_ns == int(case.rows.time_ns[0])
