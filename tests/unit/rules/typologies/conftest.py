"""A small set of columns, and typology files over them."""

from collections.abc import Callable

import pytest

from rules.columns import Column
from rules.typologies.pack import TypologyPack, parse_typologies

COLUMNS = (
    Column("amount_to_threshold", "number", 0, 1e15, unit="times", family="amount"),
    Column("senders_7d", "number", 0, 1e7, unit="senders", family="network"),
    Column("cash_in_sum_7d", "number", 0, 1e15, unit="US dollars", family="amount"),
    Column("is_cash", "flag", 0, 1, family="amount"),
    Column("channel_code", "category", -1, 15, ("wire", "cash_in", "card"), unit="channel", family="network"),
)

GOOD = """\
language: 1
typology: structuring
description: Amounts kept below the threshold.
window_days: 7
alert_at: 0.6
when: {column: is_cash, is_true: true}
rules:
  - name: near
    code: STR-1
    column: amount_to_threshold
    bands:
      - {from: 0.5, to: 0.8, weight: 0.2, reason: "amount is {amount_to_threshold} the threshold"}
      - {from: 0.8, to: 1, weight: 0.6, reason: "amount is {amount_to_threshold} the threshold, just below"}
  - name: cash
    code: STR-2
    column: cash_in_sum_7d
    in_thresholds: true
    bands:
      - {from: 2, weight: 0.3, reason: "{cash_in_sum_7d} paid in as cash"}
  - name: channel
    code: STR-3
    column: channel_code
    bands:
      - {in: [cash_in, wire], weight: 0.1, reason: "by {channel_code}"}
      - {in: [card], weight: -0.5, reason: "by card"}
markets:
  US:
    alert_at: 0.5
    rules:
      near:
        bands:
          - {from: 0.9, to: 1, weight: 0.8, reason: "just below"}
"""

Typologies = Callable[..., TypologyPack]


@pytest.fixture
def typologies() -> Typologies:
    """Makes a pack from the texts of its files."""

    def make(*texts: str) -> TypologyPack:
        return parse_typologies({f"rules/aml/{number}.yaml": text for number, text in enumerate(texts)}, COLUMNS)

    return make
