"""A small set of columns, and rule files over them."""

from collections.abc import Callable

import pytest

from rules.columns import Column
from rules.pack import RulePack, parse_pack

COLUMNS = (
    Column("amount", "number", 0, 1e9, unit="money"),
    Column("hour", "number", 0, 24, unit="h"),
    Column("count_1h", "number", 0, 1e6, unit="transactions"),
    Column("is_new_device", "flag", 0, 1),
    Column("channel", "category", -1, 15, ("chip", "contactless", "online", "atm")),
)

HEAD = "language: 1\nname: test\nfallback: {review: 0.3, block: 0.8}\nrules:\n"

RuleText = Callable[..., str]


def rule_text(name: str = "first", when: str = "{column: amount, above: 10}", **changed: object) -> str:
    """One rule of a rule file; `changed` replaces keys, `None` leaves one out."""
    number = sum(name.encode())
    keys: dict[str, object] = {
        "name": name,
        "priority": number,
        "outcome": "block",
        "code": f"R-{number}",
        "score": 0.9,
        "sentence": '"amount is {amount}"',
        "when": when,
    } | changed
    lines = [f"{key}: {value}" for key, value in keys.items() if value is not None]
    return "  - " + "\n    ".join(lines) + "\n"


@pytest.fixture
def columns() -> tuple[Column, ...]:
    """Columns of every kind."""
    return COLUMNS


@pytest.fixture
def rule() -> RuleText:
    """Writes one rule of a rule file."""
    return rule_text


@pytest.fixture
def pack() -> Callable[..., RulePack]:
    """Makes a pack from the texts of its rules."""

    def make(*rules: str, head: str = HEAD) -> RulePack:
        return parse_pack(head + "".join(rules), COLUMNS, "rules/test.yaml")

    return make
