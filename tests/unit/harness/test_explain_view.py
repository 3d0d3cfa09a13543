"""A recomputed decision about a transfer, as it is shown."""

from io import StringIO

import pytest
from rich.console import Console

from harness.explain_view import tell_decision
from harness.recompute import Recomputed, Recorded, RuleFired, Shares
from streams.decision import CustomerScore

FOUND = Recomputed(
    event_id="x1",
    features={},
    features_equal=True,
    rules=[RuleFired("fan_in", "raised an alert about c[1]: 0.7", "review", True)],
    score=0.25,
    outcome="review",
    path="model",
    margin=-1.1,
    recorded=Recorded(0.25, "review", "model", -1.1),
    equal=True,
    contributions=[],
    base=None,
    versions={"rules": "r"},
    thresholds={"review": 0.1},
    customers=[
        CustomerScore(
            customer_id="c[1]", account_id="a1", score=0.25, rule_score=0.7, margin=-1.125, typology="fan_in"
        ),
        CustomerScore(customer_id="c2", account_id="a2", score=0.0, rule_score=0.0, margin=None),
    ],
)
EVENT = {
    "event_time_ns": 1_767_571_200_000_000_000, "amount_minor": 120_000, "currency": "JPY", "received_minor": 77_050,
    "received_currency": "USD", "from_account": "a[9]", "to_account": "a1", "from_bank": None, "to_country": "US",
}  # fmt: skip


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ({"is_laundering": True, "typology": "cycle", "look_alike": None}, "laundering (cycle)"),
        (
            {"is_laundering": False, "look_alike": "payroll"},
            "genuine (looks like laundering: payroll)",
        ),
    ],
)
def test_a_transfer_is_shown_with_its_customers_and_the_truth(truth: dict[str, object], said: str) -> None:
    out = StringIO()
    tell_decision(FOUND, {"worker": "w1"}, EVENT, truth, Shares(0, 0, 0.0), Console(file=out, width=140))
    text = out.getvalue()
    assert said in text
    for words in ("120,000 JPY", "770.50 USD", "a[9]", "from account", "c[1]", "fan_in", "-1.125", "decided", "EQUAL"):
        assert words in text
    assert "from bank" not in text
