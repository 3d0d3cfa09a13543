"""The example of a transfer scorer of one's own keeps the contract, and what it answers can be measured."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.aml.measure import Asked, measure_aml
from harness.aml.truth import truth_of
from streams.codec import decode_alert, decode_decision, encode, table_to_transfers
from tests.unit.harness.aml import made
from tests.unit.harness.aml.made import Sent

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "own_transfer_scorer.py"
PAYERS = [f"p{number}" for number in range(10)]
SENT = [
    Sent(0, 1.0, "shop", "home"),
    *(Sent(1 + number // 4, 2.0 + number % 4, payer, "ring", 7) for number, payer in enumerate(PAYERS)),
    Sent(4, 3.0, None, "home"),
    Sent(5, 3.0, "ring", None),
    Sent(20, 3.0, "shop", "ring"),
]


class Consumer:
    """Holds its partition at the second look, then gives the messages and ends."""

    def __init__(self, *_topics: str, **_settings: object) -> None:
        self.looks = 0

    def assignment(self) -> bool:
        return self.looks > 0

    def poll(self, timeout_ms: int) -> None:
        assert timeout_ms > 0
        self.looks += 1

    def __iter__(self) -> Iterator[SimpleNamespace]:
        for transfer in table_to_transfers(made.transfers(SENT)):
            yield SimpleNamespace(value=encode(transfer))


class Producer:
    """Keeps what is sent, by topic."""

    sent: dict[str, list[tuple[bytes, bytes]]]

    def __init__(self, **_settings: object) -> None:
        Producer.sent = {"decisions": [], "alerts": []}

    def send(self, topic: str, *, key: bytes, value: bytes) -> None:
        Producer.sent[topic].append((key, value))


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("own_transfer_scorer", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "KafkaConsumer", Consumer)
    monkeypatch.setattr(module, "KafkaProducer", Producer)
    return module


def test_one_decision_a_transfer_with_the_customers_of_both_sides(example: Any, tmp_path: Path) -> None:
    customers = dict.fromkeys(("shop", "home", "ring", *PAYERS), "BE")
    accounts, transfers = made.accounts(customers), made.transfers(SENT)
    pq.write_table(accounts, tmp_path / "accounts.parquet")
    example.main("h", "events", "decisions", "alerts", str(tmp_path / "accounts.parquet"), "g", str(tmp_path / "ready"))
    assert (tmp_path / "ready").exists()
    decisions = [decode_decision(value) for _, value in Producer.sent["decisions"]]
    assert [each.event_id for each in decisions] == transfers["event_id"].to_pylist()
    for sent, decision in zip(SENT, decisions, strict=True):
        assert [each.customer_id for each in decision.customers] == [
            name for name in (sent.sender, sent.receiver) if name is not None
        ]
        assert decision.score == max(each.score for each in decision.customers)
    alerts = [decode_alert(value) for _, value in Producer.sent["alerts"]]
    assert [(each.customer_id, each.raised_by, len(each.evidence)) for each in alerts] == [("ring", "t8", 8)]
    assert [each.event_id for each in decisions if each.outcome == "review"] == ["t8"]
    assert json.loads(Producer.sent["decisions"][0][1])["customers"][0].keys() == {"customer_id", "account_id", "score"}
    assert decisions[-1].customers[1].score == 1 / 16, "what was paid a week ago is forgotten"


def test_its_answers_are_measured_by_pattern_and_customer(example: Any) -> None:
    customers = dict.fromkeys(("shop", "home", "ring", *PAYERS), "BE")
    scorer = example.FanIn({made.account(name): (name, "BE") for name in customers})
    transfers = made.transfers(SENT)
    rows = []
    for transfer in table_to_transfers(transfers):
        decision, _ = scorer.answer(json.loads(encode(transfer)))
        rows += [(each["customer_id"], transfer.event_time_ns, float(each["score"])) for each in decision["customers"]]
    scored = pa.table(
        dict(zip(("customer_id", "event_time_ns", "score"), map(list, zip(*rows, strict=True)), strict=True))
    )
    members = made.members({7: ["ring"]}, {7: "fan_in"})
    truth = truth_of(transfers, made.laundering(SENT, {7: "fan_in"}), made.accounts(customers), members)
    found = measure_aml(scored, truth, Asked(k=1, k_share=0.1)).aml
    assert found.worklists.recall.overall.recall == 1.0
    assert found.depths[0].precision == 1.0
